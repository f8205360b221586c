//! The search for one block.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use cairn_chain::mining::MiningJob;
use cairn_chain::pow::{GrindOptions, GrindOutcome};
use cairn_chain::primitives::Block;
use tokio::task::{JoinError, JoinHandle};

use crate::metrics::MinerMetrics;

/// Nonces that one thread without a throttle tries before the time of the header is set anew: some seconds of work.
const NONCES_PER_THREAD: u64 = 1 << 25;
/// Seconds after which it is set anew under a throttle.
const THROTTLED_SECONDS: u64 = 5;

/// A search that runs. Dropped, it goes on until it is over.
#[derive(Debug)]
pub(super) struct Search {
    running: JoinHandle<Option<Arc<Block>>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cancel: AtomicBool,
    /// Extra nonces that were used.
    rolls: AtomicU64,
}

impl Search {
    /// Begins to search, on that many threads and with at most that many hashes a second.
    pub(super) fn start(
        job: MiningJob,
        threads: NonZeroUsize,
        max_hashes_per_second: Option<NonZeroU64>,
        metrics: Arc<MinerMetrics>,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let running = {
            let shared = Arc::clone(&shared);
            tokio::task::spawn_blocking(move || search(job, threads, max_hashes_per_second, &metrics, &shared))
        };
        Self { running, shared }
    }

    /// Waits for a block. May be cut off and called again.
    ///
    /// # Errors
    ///
    /// When the search panicked.
    pub(super) async fn found(&mut self) -> Result<Option<Arc<Block>>, JoinError> {
        (&mut self.running).await
    }

    /// Ends the search, and returns the block if it was found meanwhile.
    ///
    /// # Errors
    ///
    /// When the search panicked.
    pub(super) async fn cancel(&mut self) -> Result<Option<Arc<Block>>, JoinError> {
        self.shared.cancel.store(true, Ordering::Relaxed);
        self.found().await
    }

    /// Extra nonces that were used so far.
    pub(super) fn rolls(&self) -> u64 {
        self.shared.rolls.load(Ordering::Relaxed)
    }
}

fn search(
    mut job: MiningJob,
    threads: NonZeroUsize,
    max_hashes_per_second: Option<NonZeroU64>,
    metrics: &MinerMetrics,
    shared: &Shared,
) -> Option<Arc<Block>> {
    let nonces = match max_hashes_per_second {
        Some(rate) => rate.get().saturating_mul(THROTTLED_SECONDS),
        None => NONCES_PER_THREAD.saturating_mul(u64::try_from(threads.get()).unwrap_or(u64::MAX)),
    };
    let last = u32::try_from(nonces - 1).unwrap_or(u32::MAX);
    loop {
        shared.rolls.fetch_add(1, Ordering::Relaxed);
        let options = GrindOptions { threads, nonces: 0..=last, max_hashes_per_second, cancel: &shared.cancel };
        let result = job.search(&options);
        metrics.count_hashes(result.hashes);
        match result.outcome {
            GrindOutcome::Found { nonce } => return Some(job.block(nonce)),
            GrindOutcome::Cancelled => return None,
            GrindOutcome::Exhausted => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                job.roll(now.as_secs());
            }
        }
    }
}
