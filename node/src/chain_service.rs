//! The thread that owns the chain, and the handle everybody else holds.
//!
//! One thread reads and writes the chain state, so nothing about it needs a lock. Others send it things to do, which run in the
//! order in which they arrive: a question is a closure that looks, a block is a closure that submits it. After each of them the
//! thread tells what happened: the new tip to whoever waits for one, every event of chain and pool to whoever listens.

mod chain;
mod handle;
mod templates;

use std::sync::Arc;
use std::thread::JoinHandle;

use cairn_chain::chainstate::{ChainEvent, ChainstateError};
use cairn_chain::mempool::MempoolEvent;
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{error, info};

pub(crate) use chain::Chain;
pub(crate) use handle::{ChainHandle, ChainStopped};

/// Things to do that may wait for the thread. Whoever sends more has to wait.
const QUEUE: usize = 1024;
/// Events a listener may lag behind before it misses some, which it is told.
const EVENTS: usize = 256;

/// Something to do on the chain thread.
type Job = Box<dyn FnOnce(&mut Chain) -> Answer + Send>;
/// Tells whoever asked for it what came of it.
type Answer = Box<dyn FnOnce() + Send>;

/// The chain thread.
#[derive(Debug)]
pub(crate) struct ChainService {
    thread: JoinHandle<Result<(), ChainstateError>>,
}

impl ChainService {
    /// Starts the thread. It ends when a handle asks it to, or when every handle is gone, and writes everything before it does;
    /// after a fault it ends at once.
    ///
    /// # Errors
    ///
    /// When the operating system has no thread to give.
    pub(crate) fn start(mut chain: Chain) -> std::io::Result<(Self, ChainHandle)> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (tip, watched) = watch::channel(chain.chainstate.tip());
        let (events, _) = broadcast::channel(EVENTS);
        let (mempool_events, _) = broadcast::channel(EVENTS);
        let handle = ChainHandle::new(jobs, watched, events.clone(), mempool_events.clone());
        chain.mempool.keep_events();
        let worker = Worker { chain, queue, tip, events, mempool_events };
        let thread = std::thread::Builder::new().name("chain".to_owned()).spawn(move || worker.run())?;
        Ok((Self { thread }, handle))
    }

    /// Waits for the thread to end.
    ///
    /// # Errors
    ///
    /// The fault of the disk after which it could not go on.
    pub(crate) fn join(self) -> Result<(), ChainstateError> {
        match self.thread.join() {
            Ok(result) => result,
            // What panicked said so on standard error, and nothing was written after it.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// What runs on the thread.
struct Worker {
    chain: Chain,
    queue: mpsc::Receiver<Job>,
    tip: watch::Sender<cairn_chain::chainstate::BlockReference>,
    events: broadcast::Sender<Arc<ChainEvent>>,
    mempool_events: broadcast::Sender<Arc<[MempoolEvent]>>,
}

impl Worker {
    fn run(mut self) -> Result<(), ChainstateError> {
        self.publish()?;
        while let Some(job) = self.queue.blocking_recv() {
            let answer = job(&mut self.chain);
            let published = self.publish();
            // Only now: whoever has the answer may rely on everybody else knowing the new tip.
            answer();
            published?;
            if let Some(fault) = self.chain.chainstate.fault() {
                error!(fault, "the chain state cannot be written any more");
                return Err(ChainstateError::Stopped(fault.to_owned()));
            }
            if self.chain.is_stopping {
                break;
            }
        }
        let tip = self.chain.chainstate.tip();
        info!(height = tip.height, "writing the chain state");
        self.chain.chainstate.flush()
    }

    /// Tells what happened since the last call.
    fn publish(&mut self) -> Result<(), ChainstateError> {
        for event in self.chain.take_events()? {
            match &event {
                ChainEvent::TipChanged { fork, disconnected, connected } => {
                    if let Some(tip) = connected.last() {
                        info!(height = tip.height, hash = %tip.hash, "new tip");
                    }
                    if !disconnected.is_empty() {
                        info!(fork = fork.height, depth = disconnected.len(), "reorganisation");
                    }
                }
                ChainEvent::BlockInvalid { block, error } => {
                    info!(height = block.height, hash = %block.hash, %error, "invalid block");
                }
            }
            // Nobody listening is no failure.
            let _ = self.events.send(Arc::new(event));
        }
        let mempool_events = self.chain.mempool.take_events();
        if !mempool_events.is_empty() && self.mempool_events.receiver_count() > 0 {
            // As above.
            let _ = self.mempool_events.send(mempool_events.into());
        }
        let tip = self.chain.chainstate.tip();
        self.tip.send_if_modified(|known| std::mem::replace(known, tip) != tip);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
