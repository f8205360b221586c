//! What everybody but the chain thread holds.

use std::sync::Arc;

use cairn_chain::chainstate::{BlockReference, ChainEvent};
use cairn_chain::mempool::MempoolEvent;
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::{Chain, Job};

/// The chain thread ended, because the node is stopping or because of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the node is stopping")]
pub(crate) struct ChainStopped;

/// A way to reach the chain thread. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct ChainHandle {
    jobs: mpsc::Sender<Job>,
    tip: watch::Receiver<BlockReference>,
    events: broadcast::Sender<Arc<ChainEvent>>,
    mempool_events: broadcast::Sender<Arc<[MempoolEvent]>>,
}

impl ChainHandle {
    pub(super) fn new(
        jobs: mpsc::Sender<Job>,
        tip: watch::Receiver<BlockReference>,
        events: broadcast::Sender<Arc<ChainEvent>>,
        mempool_events: broadcast::Sender<Arc<[MempoolEvent]>>,
    ) -> Self {
        Self { jobs, tip, events, mempool_events }
    }

    /// Runs something on the chain thread, after everything that was sent before it, and returns what it returns. It runs
    /// even when the caller no longer waits.
    ///
    /// # Errors
    ///
    /// When the thread has ended.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Chain) -> T + Send + 'static,
    ) -> Result<T, ChainStopped> {
        let (answer, answered) = oneshot::channel();
        let job = move |chain: &mut Chain| {
            // Whoever asked may have gone.
            let _ = answer.send(run(chain));
        };
        self.jobs.send(Box::new(job)).await.map_err(|_| ChainStopped)?;
        answered.await.map_err(|_| ChainStopped)
    }

    /// Asks the thread to end, after everything that was sent before.
    pub(crate) async fn stop(&self) {
        // An error means that it has ended already.
        let _ = self.call(|chain| chain.is_stopping = true).await;
    }

    /// The tip of the active chain.
    pub(crate) fn tip(&self) -> BlockReference {
        *self.tip.borrow()
    }

    /// The tip, to wait for it to change.
    pub(crate) fn watch_tip(&self) -> watch::Receiver<BlockReference> {
        self.tip.clone()
    }

    /// Everything that happens to the chain from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<ChainEvent>> {
        self.events.subscribe()
    }

    /// Everything that happens to the pool from now on: what one thing the thread did brought about comes together.
    pub(crate) fn subscribe_mempool(&self) -> broadcast::Receiver<Arc<[MempoolEvent]>> {
        self.mempool_events.subscribe()
    }
}
