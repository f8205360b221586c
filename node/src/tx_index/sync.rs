//! The task that gives blocks to the index.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cairn_chain::chainstate::StoredBlock;
use cairn_chain::index::{IndexError, MergedRun, TransactionIndex};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use super::next_blocks::NextBlocks;
use super::{TxIndexError, TxIndexStatus, run_blocking};
use crate::chain_service::ChainHandle;

/// Time between two reports of progress.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);
/// Time after which what is in memory is written, so that a crash costs little (Core: `SYNC_LOCATOR_WRITE_INTERVAL`,
/// `index/base.cpp`, is half of it).
const FLUSH_INTERVAL: Duration = Duration::from_secs(60);
/// Runs above which the index waits for a merge before it takes more: each keeps a file open, and a search asks each.
const MAX_RUNS: usize = 64;

/// What a merge ends with; nothing of it when the node is stopping.
type Merging = JoinHandle<Result<Option<MergedRun>, IndexError>>;

/// Gives blocks to the index.
#[derive(Debug)]
pub(crate) struct TxIndexer {
    /// One thread at a time works on it, which may wait for the disk.
    index: Arc<Mutex<TransactionIndex>>,
    status: watch::Sender<TxIndexStatus>,
    merging: Option<Merging>,
    flushed: Instant,
    reported: Instant,
}

/// What woke an index that has caught up.
enum Event {
    /// It is time to look again, or to write.
    Wake,
    /// A merge has ended.
    Merged(Result<Result<Option<MergedRun>, IndexError>, JoinError>),
}

impl TxIndexer {
    pub(super) fn new(index: TransactionIndex, status: watch::Sender<TxIndexStatus>) -> Self {
        let now = Instant::now();
        Self { index: Arc::new(Mutex::new(index)), status, merging: None, flushed: now, reported: now }
    }

    /// Follows the chain until the node is to stop, and writes everything. A failure ends only the index, and is told.
    pub(crate) async fn run(mut self, chain: ChainHandle, shutdown: CancellationToken) -> Result<(), Infallible> {
        let mut ended = self.follow(&chain, &shutdown).await;
        if let Err(TxIndexError::Stopped(_)) = ended {
            ended = Ok(());
        }
        if ended.is_ok() {
            ended = self.finish().await;
        }
        if let Err(error) = ended {
            error!(%error, "the index of transactions does not go on; what it knows can still be looked up");
            self.status.send_modify(|status| {
                status.is_synced = false;
                status.failure = Some(error.to_string());
            });
        }
        // Readers wait for no news from here on.
        Ok(())
    }

    async fn follow(&mut self, chain: &ChainHandle, shutdown: &CancellationToken) -> Result<(), TxIndexError> {
        let mut tips = chain.watch_tip();
        while !shutdown.is_cancelled() {
            // Whatever changes from here on is looked at next time.
            tips.mark_unchanged();
            let locator = self.with_index(|index| Ok(index.locator())).await?;
            let next = chain.call(move |chain| NextBlocks::after(&locator, &chain.chainstate)).await??;
            let is_current = next.blocks.is_empty();
            self.take(next, shutdown).await?;
            if self.flushed.elapsed() >= FLUSH_INTERVAL {
                self.flush().await?;
            }
            self.tend_merge(shutdown).await?;
            if !is_current {
                continue;
            }
            self.tell_that_it_is_current();
            let event = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                merged = ended(&mut self.merging) => Event::Merged(merged),
                changed = tips.changed() => match changed {
                    Ok(()) => Event::Wake,
                    // The chain thread has ended.
                    Err(_) => return Ok(()),
                },
                () = sleep_until(self.flushed + FLUSH_INTERVAL) => Event::Wake,
            };
            if let Event::Merged(merged) = event {
                self.finish_merge(merged).await?;
            }
        }
        Ok(())
    }

    /// Gives the next blocks to the index.
    async fn take(&mut self, next: NextBlocks, shutdown: &CancellationToken) -> Result<(), TxIndexError> {
        let NextBlocks { fork, blocks, tip } = next;
        let shutdown = shutdown.clone();
        let best_block = self
            .with_index(move |index| {
                if let Some(fork) = fork.filter(|fork| index.best_block() != Some(*fork)) {
                    info!(height = fork.height, "the index of transactions goes back to a block of the chain");
                    index.rewind(fork)?;
                }
                blocks.iter().take_while(|_| !shutdown.is_cancelled()).try_for_each(|block| append(index, block))?;
                Ok(index.best_block())
            })
            .await?;
        self.status.send_if_modified(|status| std::mem::replace(&mut status.best_block, best_block) != best_block);
        if !self.status.borrow().is_synced && self.reported.elapsed() >= REPORT_INTERVAL {
            self.reported = Instant::now();
            info!(height = best_block.map(|block| block.height), tip = tip.height, "indexing transactions");
        }
        Ok(())
    }

    fn tell_that_it_is_current(&self) {
        self.status.send_if_modified(|status| {
            let is_new = !status.is_synced;
            if is_new {
                let height = status.best_block.map(|block| block.height);
                info!(height, "the index of transactions has caught up with the chain");
            }
            status.is_synced = true;
            is_new
        });
    }

    async fn flush(&mut self) -> Result<(), TxIndexError> {
        self.with_index(|index| Ok(index.flush()?)).await?;
        self.flushed = Instant::now();
        debug!("index of transactions written");
        Ok(())
    }

    /// Begins a merge if there is one to do. Waits for the one that runs only when there are too many runs.
    async fn tend_merge(&mut self, shutdown: &CancellationToken) -> Result<(), TxIndexError> {
        if let Some(merging) = &mut self.merging {
            let runs = self.index.lock().unwrap_or_else(PoisonError::into_inner).runs();
            if !merging.is_finished() && runs < MAX_RUNS {
                return Ok(());
            }
            let merged = merging.await;
            self.finish_merge(merged).await?;
        }
        if let Some(merge) = self.with_index(|index| Ok(index.plan_merge())).await? {
            debug!(transactions = merge.records(), "merging runs of the index of transactions");
            let shutdown = shutdown.clone();
            self.merging = Some(tokio::task::spawn_blocking(move || merge.run(|| !shutdown.is_cancelled())));
        }
        Ok(())
    }

    async fn finish_merge(
        &mut self,
        merged: Result<Result<Option<MergedRun>, IndexError>, JoinError>,
    ) -> Result<(), TxIndexError> {
        self.merging = None;
        match merged.map_err(TxIndexError::panicked)?? {
            Some(merged) => self.with_index(|index| Ok(index.finish_merge(merged)?)).await,
            None => Ok(()),
        }
    }

    /// Writes everything before the node ends.
    async fn finish(&mut self) -> Result<(), TxIndexError> {
        if let Some(merging) = &mut self.merging {
            // It ends soon, since the node is stopping.
            let merged = merging.await;
            self.finish_merge(merged).await?;
        }
        self.flush().await
    }

    /// Runs something on a thread that may wait for the disk.
    async fn with_index<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut TransactionIndex) -> Result<T, TxIndexError> + Send + 'static,
    ) -> Result<T, TxIndexError> {
        let index = Arc::clone(&self.index);
        run_blocking(move || run(&mut index.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

/// Waits for a merge to end; if there is none, forever.
async fn ended(merging: &mut Option<Merging>) -> Result<Result<Option<MergedRun>, IndexError>, JoinError> {
    match merging {
        Some(merging) => merging.await,
        None => std::future::pending().await,
    }
}

fn append(index: &mut TransactionIndex, stored: &StoredBlock) -> Result<(), TxIndexError> {
    let (height, hash) = (stored.reference.height, stored.reference.hash);
    let block = stored.block().map_err(|source| TxIndexError::Block { height, hash, source })?;
    Ok(index.append(&block, height)?)
}
