//! How a node ends.

use std::time::Duration;

use cairn_chain::chainstate::ChainstateError;
use tokio::task::JoinError;
use tracing::info;

use super::{Node, NodeError, Phase, supervisor};
use crate::tasks::panic_message;

/// Time for tasks to end what they do. RPC gives its calls ten seconds.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

impl Node {
    /// Ends everything and writes the chain state.
    ///
    /// # Errors
    ///
    /// What went wrong on the way. The chain state is written all the same, unless that is what went wrong.
    pub(super) async fn stop(mut self) -> Result<(), NodeError> {
        supervisor::stopping();
        self.phase.send_replace(Phase::Stopping);
        info!("stopping: nothing new is taken, and what runs may end");
        self.context.shutdown.cancel();
        let drained = self.tasks.drain(DRAIN_TIMEOUT).await;

        // The mempool is saved here, and what peers are known.

        // While we still hold the lock: the file of whoever has it next is not ours to remove.
        drop(self.endpoints);
        let Some(chain) = self.chain else { return Ok(drained?) };
        let handle = &self.context.chain;
        // The chain thread says that it writes.
        handle.stop().await;
        chain_outcome(chain.await)?;
        info!(height = handle.tip().height, "flushed; the node has stopped");
        Ok(drained?)
    }
}

/// What the chain thread ended with.
pub(super) fn chain_outcome(ended: Result<Result<(), ChainstateError>, JoinError>) -> Result<(), NodeError> {
    match ended {
        Ok(result) => Ok(result?),
        Err(error) => {
            let message = error.try_into_panic().map_or_else(|_| "cut off".to_owned(), |panic| panic_message(&*panic));
            Err(NodeError::Panicked { what: "the chain thread", message })
        }
    }
}
