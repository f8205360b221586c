//! Reading all coins, which takes long: one at a time.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Who reads all coins. Whatever the coins become meanwhile stays in memory until the reader is done, and a second one would have
/// to wait for the first with the chain thread: so they take turns.
#[derive(Debug, Default)]
pub(crate) struct CoinScans {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The scan for coins of certain scripts that is wanted (Core: `CoinsViewScanReserver`, `rpc/blockchain.cpp`).
    search: Mutex<Option<Arc<CoinSearch>>>,
}

impl CoinScans {
    /// Waits for one's turn; others wait until it is dropped.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Begins a search, which ends when it is dropped; nothing if there is one.
    pub(crate) fn begin_search(self: &Arc<Self>) -> Option<RunningSearch> {
        let mut running = self.search.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return None;
        }
        let search = Arc::new(CoinSearch::default());
        *running = Some(Arc::clone(&search));
        Some(RunningSearch { scans: Arc::clone(self), search })
    }

    /// The search that runs.
    pub(crate) fn search(&self) -> Option<Arc<CoinSearch>> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How far a search is, and whether it is to go on.
#[derive(Debug, Default)]
pub(crate) struct CoinSearch {
    percent: AtomicU8,
    is_aborted: AtomicBool,
}

impl CoinSearch {
    /// How far it is, 0 to 100.
    pub(crate) fn percent(&self) -> u8 {
        self.percent.load(Ordering::Relaxed)
    }

    /// Says how much of all coins it has seen, from 0 to 1.
    pub(crate) fn set_progress(&self, done: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
        let percent = (done * 100.0).round().clamp(0.0, 100.0) as u8;
        self.percent.store(percent, Ordering::Relaxed);
    }

    /// Asks it to end early.
    pub(crate) fn abort(&self) {
        self.is_aborted.store(true, Ordering::Relaxed);
    }

    /// Whether it is to end early.
    pub(crate) fn is_aborted(&self) -> bool {
        self.is_aborted.load(Ordering::Relaxed)
    }
}

/// A search that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct RunningSearch {
    scans: Arc<CoinScans>,
    /// How far it is.
    pub(crate) search: Arc<CoinSearch>,
}

impl Drop for RunningSearch {
    fn drop(&mut self) {
        *self.scans.search.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
