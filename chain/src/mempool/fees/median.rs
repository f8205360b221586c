//! One estimate of one horizon.

use super::buckets::{BUCKET_COUNT, BUCKET_ENDS, bucket_start};
use super::confirm_stats::TxConfirmStats;

/// A range of buckets that was looked at together, and what was counted there (Core: `EstimatorBucket`). Counts are moving
/// averages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EstimatorBucket {
    /// Where the range starts, in satoshis per 1000 virtual bytes.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// Transactions confirmed within the target.
    pub within_target: f64,
    /// Transactions confirmed at any time.
    pub total_confirmed: f64,
    /// Transactions that have been waiting for the target or longer.
    pub in_mempool: f64,
    /// Transactions that left the pool unconfirmed after the target.
    pub left_mempool: f64,
}

/// How an estimate came about (Core: `EstimationResult`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EstimationResult {
    /// The lowest range of fee rates that met the threshold, if one did.
    pub pass: Option<EstimatorBucket>,
    /// The highest range below it that failed to, if one did.
    pub fail: Option<EstimatorBucket>,
    /// What every average of the horizon is multiplied with at each block.
    pub decay: f64,
    /// Blocks that the horizon tells targets apart by.
    pub scale: u32,
}

/// What is counted in a range of buckets, from the highest down.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    within_target: f64,
    total_confirmed: f64,
    in_mempool: u64,
    left_mempool: f64,
}

impl Counts {
    /// The share that was confirmed within the target.
    fn success(&self) -> f64 {
        self.within_target / (self.total_confirmed + self.left_mempool + self.in_mempool as f64)
    }

    /// These counts for the buckets from `far` up to `near`.
    fn of_range(&self, far: usize, near: usize) -> EstimatorBucket {
        EstimatorBucket {
            start: bucket_start(far),
            end: BUCKET_ENDS[near],
            within_target: self.within_target,
            total_confirmed: self.total_confirmed,
            in_mempool: self.in_mempool as f64,
            left_mempool: self.left_mempool,
        }
    }
}

impl TxConfirmStats {
    /// The fee rate, in satoshis per 1000 virtual bytes, of the lowest buckets whose transactions were confirmed within
    /// `target` blocks with a frequency of at least `threshold`, and how that came about; `height` is that of the best block
    /// (Core: `EstimateMedianVal`).
    ///
    /// The target must be between 1 and the highest that the horizon tracks.
    pub(super) fn estimate_median(&self, target: u32, threshold: f64, height: u32) -> (Option<f64>, EstimationResult) {
        let period = target.div_ceil(self.horizon.scale()) as usize - 1;
        // Buckets are always grouped into ranges with so many confirmed transactions, whatever the target, so that targets
        // are compared by the same groups.
        let sufficient = self.horizon.sufficient_transactions() / (1.0 - self.horizon.decay());
        let waiting = self.waiting_for(target, height);
        let mut counts = Counts::default();
        // Confirmed transactions since the last look at the range; it goes on to grow after a failure.
        let mut partial = 0.0;
        let mut near = None;
        let mut passing = true;
        let mut best_range = None;
        let (mut pass, mut fail) = (None, None);
        for bucket in (0..BUCKET_COUNT).rev() {
            let range_near = *near.get_or_insert(bucket);
            counts.within_target += self.confirmed_within[period][bucket];
            partial += self.confirmed[bucket];
            counts.total_confirmed += self.confirmed[bucket];
            counts.left_mempool += self.failed_after[period][bucket];
            counts.in_mempool += waiting[bucket];
            if partial < sufficient {
                continue;
            }
            partial = 0.0;
            let range = counts.of_range(bucket, range_near);
            if counts.success() < threshold {
                if passing {
                    fail = Some(range);
                    passing = false;
                }
                continue;
            }
            fail = None;
            passing = true;
            pass = Some(range);
            best_range = Some((bucket, range_near));
            counts = Counts::default();
            near = None;
        }
        // The lowest buckets, which passed nothing for want of transactions, count as failed.
        if let Some(near) = near.filter(|_| passing) {
            fail = Some(counts.of_range(0, near));
        }
        let median = best_range.and_then(|(far, near)| self.median_in(far, near));
        (median, EstimationResult { pass, fail, decay: self.horizon.decay(), scale: self.horizon.scale() })
    }

    /// The average fee rate of the bucket that holds the median transaction of a range.
    fn median_in(&self, far: usize, near: usize) -> Option<f64> {
        let mut left = self.confirmed[far..=near].iter().sum::<f64>() / 2.0;
        if left == 0.0 {
            return None;
        }
        for bucket in far..=near {
            if self.confirmed[bucket] < left {
                left -= self.confirmed[bucket];
            } else {
                return Some(self.fee_rates[bucket] / self.confirmed[bucket]);
            }
        }
        None
    }
}
