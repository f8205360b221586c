//! How a node ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cairn_chain::chainstate::ChainstateError;
use tokio::task::JoinError;
use tracing::{info, warn};

use super::{Node, NodeError, Phase, supervisor};
use crate::mempool_file::MempoolFiles;
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

        self.save_mempool().await;

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

impl Node {
    /// Writes the pool and what it knows about fees, unless the pool of the last run was never taken back in full.
    async fn save_mempool(&self) {
        let context = &self.context;
        let persists = context.config.mempool.persist_mempool && context.mempool_loaded.load(Ordering::Relaxed);
        let asked = context.chain.call(|chain| {
            let mut fees = chain.mempool.fee_estimator().clone();
            fees.flush_unconfirmed();
            (chain.mempool.to_saved(), fees)
        });
        let Ok((saved, fees)) = asked.await else { return };
        let files = MempoolFiles::new(&context.directory);
        let written = tokio::task::spawn_blocking(move || {
            if let Err(error) = files.write_fee_estimates(&fees) {
                warn!(%error, "cannot write fee estimates");
            }
            if persists {
                match files.save(&saved) {
                    Ok(bytes) => info!(transactions = saved.transactions.len(), bytes, "saved the pool"),
                    Err(error) => warn!(%error, "cannot save the pool"),
                }
            }
        });
        if let Err(error) = written.await {
            warn!(%error, "saving the pool failed");
        }
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
