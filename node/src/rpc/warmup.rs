//! Until the chain is loaded, clients are told how far it is (Core: `SetRPCWarmupStatus`, `rpc/server.cpp`).

use std::sync::Arc;

use tokio::sync::watch;

use super::error::{RpcError, RpcErrorCode};
use crate::context::SharedContext;

/// What clients are told first (Core: `rpcWarmupStatus`).
const FIRST_STATUS: &str = "RPC server started";

/// How far the node is. Clones show and change the same.
#[derive(Debug, Clone)]
pub(crate) struct Warmup(Arc<watch::Sender<Stage>>);

#[derive(Debug, Clone)]
enum Stage {
    /// Still starting, with what clients are told.
    Starting(String),
    /// Calls can be answered.
    Ready(SharedContext),
}

impl Warmup {
    /// A node that has just begun to start.
    #[must_use]
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Stage::Starting(FIRST_STATUS.to_owned()))))
    }

    /// Says what the node does, in Core's words where Core does the same, such as `Loading block index…`. Does nothing when
    /// it has finished.
    pub(crate) fn set_status(&self, status: impl Into<String>) {
        self.0.send_if_modified(|stage| match stage {
            Stage::Starting(known) => {
                *known = status.into();
                true
            }
            Stage::Ready(_) => false,
        });
    }

    /// Lets calls run from now on.
    pub(crate) fn finish(&self, context: SharedContext) {
        self.0.send_replace(Stage::Ready(context));
    }

    /// What calls need to run.
    ///
    /// # Errors
    ///
    /// Code -28 with the status, while the node starts.
    pub(crate) fn context(&self) -> Result<SharedContext, RpcError> {
        match &*self.0.borrow() {
            Stage::Starting(status) => Err(RpcError::new(RpcErrorCode::InWarmup, status)),
            Stage::Ready(context) => Ok(Arc::clone(context)),
        }
    }

    /// Waits until calls can be answered.
    #[cfg(test)]
    pub(crate) async fn finished(&self) -> SharedContext {
        let mut stage = self.0.subscribe();
        loop {
            if let Stage::Ready(context) = &*stage.borrow_and_update() {
                return Arc::clone(context);
            }
            // The sender lives in `self`.
            let _ = stage.changed().await;
        }
    }
}
