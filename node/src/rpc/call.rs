//! One call of a method, as its handler sees it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::arguments::Arguments;
use super::dispatcher::Dispatcher;
use super::error::RpcError;
use crate::context::SharedContext;

/// What a handler gets.
#[derive(Debug)]
pub(crate) struct Call {
    /// The node.
    pub(crate) context: SharedContext,
    /// What was passed.
    pub(crate) arguments: Arguments,
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) caller: Caller,
}

impl Call {
    /// Waits for something that may take long and costs nothing meanwhile, such as the next block. Others may run in the
    /// meantime, however many wait.
    ///
    /// # Errors
    ///
    /// When the client has gone, or the node stops.
    pub(crate) async fn wait<T>(&self, event: impl Future<Output = T>) -> Result<T, RpcError> {
        self.caller.slot.give_back();
        tokio::select! {
            biased;
            () = self.context.shutdown.cancelled() => Err(RpcError::shutting_down()),
            () = self.caller.gone.cancelled() => Err(RpcError::misc("The client has gone")),
            outcome = event => Ok(outcome),
        }
    }
}

/// Runs something that reads files or writes much JSON, where no other call waits for it.
///
/// # Errors
///
/// What it fails with.
pub(crate) async fn run_apart<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
) -> Result<T, RpcError> {
    match tokio::task::spawn_blocking(run).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is shutting down cancels what has not begun.
            Err(_) => Err(RpcError::shutting_down()),
        },
    }
}

/// Where a call comes from. Clones are of the same request.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    /// Cancelled when nobody waits for the answer any more.
    pub(super) gone: CancellationToken,
    /// One of the places for requests that run.
    pub(super) slot: Slot,
}

/// One of the places for requests that run, until it is given back.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Slot {
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Mutex::new(Some(permit))))
    }

    fn give_back(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
