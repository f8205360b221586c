//! What a transaction must pay to be confirmed soon (Core: `CBlockPolicyEstimator`, `policy/fees/block_policy_estimator.h`).
//!
//! Transactions are put into buckets by fee rate when they enter the pool, and when a block confirms them it is counted how
//! many blocks that took. Three *horizons* keep these counts at different resolutions and forget them at different speeds.
//! An estimate for a target walks down from the highest bucket as long as enough of a bucket's transactions were confirmed
//! within the target, and answers with the fee rate of the lowest that passes.
//!
//! The averages are floating-point numbers, and every operation on them is Core's, in Core's order: the same events give the
//! same estimates to the last bit. Fee rates are in satoshis per 1000 virtual bytes, targets in blocks.
//!
//! | file | holds |
//! |---|---|
//! | `buckets` | the fee rates that buckets end at |
//! | `horizon` | the three horizons |
//! | `confirm_stats` | what one horizon remembers |
//! | `median` | one estimate of one horizon |
//! | `estimate` | estimates that combine horizons |
//! | `fallback` | an answer even where nothing was learned yet |
//! | `codec` | how all this is written |

mod buckets;
mod codec;
mod confirm_stats;
mod estimate;
mod fallback;
mod horizon;
mod median;

use std::collections::HashMap;
use std::time::Duration;

use bitcoin::{Amount, Txid};

pub use codec::FeeEstimatesError;
pub use estimate::{FeeCalculation, FeeReason, RawFee};
pub use fallback::{FallbackFee, FallbackSource, FeeFallback};
pub use horizon::FeeEstimateHorizon;
pub use median::{EstimationResult, EstimatorBucket};

use buckets::bucket_index;
use confirm_stats::TxConfirmStats;

/// How often the estimates should be written while the node runs (Core: `FEE_FLUSH_INTERVAL`).
pub const FEE_FLUSH_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Estimates that were written longer ago should not be read: fees may be others by now (Core: `MAX_FILE_AGE`).
pub const MAX_FILE_AGE: Duration = Duration::from_secs(60 * 60 * 60);

/// Blocks after which estimates of an earlier run say nothing any more (Core: `OLDEST_ESTIMATE_HISTORY`).
const OLDEST_ESTIMATE_HISTORY: u32 = 6 * 1008;

/// Learns from pool and blocks, and estimates fee rates.
#[derive(Debug, Clone)]
pub struct FeeEstimator {
    /// Height of the best block seen.
    best_seen_height: u32,
    /// Height of the first block of this run that confirmed a tracked transaction; zero when there was none.
    first_recorded_height: u32,
    /// The heights between which an earlier run recorded what was read; zero when there was none.
    historical_first: u32,
    historical_best: u32,
    /// The transactions of the pool that count.
    tracked: HashMap<Txid, TrackedTransaction>,
    short: TxConfirmStats,
    medium: TxConfirmStats,
    long: TxConfirmStats,
}

/// What is remembered of a transaction that may be confirmed.
#[derive(Debug, Clone, Copy)]
struct TrackedTransaction {
    /// Height of the best block when it entered the pool.
    height: u32,
    /// Satoshis per 1000 virtual bytes.
    fee_rate: f64,
    /// The bucket of its fee rate.
    bucket: usize,
}

impl Default for FeeEstimator {
    fn default() -> Self {
        Self::new()
    }
}

impl FeeEstimator {
    /// An estimator that has learned nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            best_seen_height: 0,
            first_recorded_height: 0,
            historical_first: 0,
            historical_best: 0,
            tracked: HashMap::new(),
            short: TxConfirmStats::new(FeeEstimateHorizon::Short),
            medium: TxConfirmStats::new(FeeEstimateHorizon::Medium),
            long: TxConfirmStats::new(FeeEstimateHorizon::Long),
        }
    }

    /// Hears of a transaction that entered the pool when the best block was at `height`, with its own fee (not the one that
    /// prioritisation makes of it) and its size in virtual bytes.
    ///
    /// It is valid for estimation when the usual limits of the pool held for it, it came alone and not in a package, the chain
    /// is current, and none of its parents is in the pool (Core: `processTransaction`). It is ignored when `height` is not
    /// that of the last block processed, as in a reorganisation.
    pub fn process_transaction(
        &mut self,
        txid: Txid,
        height: u32,
        fee: Amount,
        vsize: u64,
        valid_for_estimation: bool,
    ) {
        if height != self.best_seen_height || !valid_for_estimation || self.tracked.contains_key(&txid) {
            return;
        }
        let fee_rate = fee_rate(fee, vsize);
        let bucket = bucket_index(fee_rate);
        self.tracked.insert(txid, TrackedTransaction { height, fee_rate, bucket });
        self.each_horizon(|stats| stats.new_transaction(height, bucket));
    }

    /// Hears of a block at `height` that extends the best chain, and of the transactions that left the pool because they are
    /// in it, in the block's order (Core: `processBlock`). Transactions that left because they conflict with it should have
    /// been removed before.
    ///
    /// Ignored when a block at that height or above was seen: in a reorganisation.
    pub fn process_block(&mut self, height: u32, confirmed: &[Txid]) {
        if height <= self.best_seen_height {
            return;
        }
        // First, because the age of what is removed counts from here.
        self.best_seen_height = height;
        self.each_horizon(|stats| stats.clear_current(height));
        self.each_horizon(TxConfirmStats::update_moving_averages);
        let mut counted = false;
        for txid in confirmed {
            let Some(transaction) = self.untrack(txid, true) else { continue };
            // At least one: what is tracked entered at a height that was the best before this block.
            let blocks_to_confirm = height - transaction.height;
            self.each_horizon(|stats| stats.record(blocks_to_confirm, transaction.fee_rate, transaction.bucket));
            counted = true;
        }
        if self.first_recorded_height == 0 && counted {
            self.first_recorded_height = height;
        }
    }

    /// Hears that a transaction left the pool for another reason than a block, and tells whether it was tracked (Core:
    /// `removeTx`).
    pub fn remove_transaction(&mut self, txid: &Txid) -> bool {
        self.untrack(txid, false).is_some()
    }

    /// Counts what is still in the pool as not confirmed: to be called before the estimates are written for the last time
    /// (Core: `FlushUnconfirmed`).
    pub fn flush_unconfirmed(&mut self) {
        let tracked: Vec<Txid> = self.tracked.keys().copied().collect();
        for txid in tracked {
            self.untrack(&txid, false);
        }
    }

    /// Height of the best block processed; zero before the first.
    #[must_use]
    pub fn best_seen_height(&self) -> u32 {
        self.best_seen_height
    }

    /// Number of transactions of the pool that count.
    #[must_use]
    pub fn tracked_transactions(&self) -> usize {
        self.tracked.len()
    }

    /// The highest target a horizon can estimate for, in blocks (Core: `HighestTargetTracked`).
    #[must_use]
    pub fn highest_target_tracked(&self, horizon: FeeEstimateHorizon) -> u32 {
        horizon.max_confirms()
    }

    fn untrack(&mut self, txid: &Txid, in_block: bool) -> Option<TrackedTransaction> {
        let transaction = self.tracked.remove(txid)?;
        let best = self.best_seen_height;
        self.each_horizon(|stats| stats.remove_transaction(transaction.height, best, transaction.bucket, in_block));
        Some(transaction)
    }

    fn each_horizon(&mut self, mut change: impl FnMut(&mut TxConfirmStats)) {
        change(&mut self.medium);
        change(&mut self.short);
        change(&mut self.long);
    }

    fn stats(&self, horizon: FeeEstimateHorizon) -> &TxConfirmStats {
        match horizon {
            FeeEstimateHorizon::Short => &self.short,
            FeeEstimateHorizon::Medium => &self.medium,
            FeeEstimateHorizon::Long => &self.long,
        }
    }

    /// Blocks this run has recorded (Core: `BlockSpan`).
    fn block_span(&self) -> u32 {
        match self.first_recorded_height {
            0 => 0,
            first => self.best_seen_height - first,
        }
    }

    /// Blocks an earlier run had recorded, unless that is too long ago (Core: `HistoricalBlockSpan`).
    fn historical_block_span(&self) -> u32 {
        if self.historical_first == 0 || self.best_seen_height - self.historical_best > OLDEST_ESTIMATE_HISTORY {
            return 0;
        }
        self.historical_best - self.historical_first
    }

    /// The highest target that there is enough history for: half of it, so that failures had time to happen (Core:
    /// `MaxUsableEstimate`).
    fn max_usable_estimate(&self) -> u32 {
        let span = self.block_span().max(self.historical_block_span());
        FeeEstimateHorizon::Long.max_confirms().min(span / 2)
    }
}

/// Satoshis per 1000 virtual bytes, rounded down, as a number that averages are made of (Core: `CFeeRate::GetFeePerK`). A
/// size of zero gives a fee rate of zero.
fn fee_rate(fee: Amount, vsize: u64) -> f64 {
    let rate = (u128::from(fee.to_sat()) * 1000).checked_div(u128::from(vsize));
    rate.unwrap_or(0) as f64
}

#[cfg(test)]
mod tests;
