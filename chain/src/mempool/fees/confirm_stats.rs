//! What one horizon remembers.

use super::FeeEstimateHorizon;
use super::buckets::BUCKET_COUNT;

/// A number for each bucket.
pub(super) type PerBucket<T> = [T; BUCKET_COUNT];

/// Counts of the transactions in each bucket: those that were confirmed or left, as averages that decay with each block, and
/// those that wait (Core: `TxConfirmStats`, `policy/fees/block_policy_estimator.cpp`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TxConfirmStats {
    pub(super) horizon: FeeEstimateHorizon,
    /// Transactions that were confirmed (Core: `txCtAvg`).
    pub(super) confirmed: PerBucket<f64>,
    /// Sum of their fee rates, in satoshis per 1000 virtual bytes (Core: `m_feerate_avg`).
    pub(super) fee_rates: PerBucket<f64>,
    /// For each number of periods, less one: transactions that were confirmed within so many (Core: `confAvg`).
    pub(super) confirmed_within: Vec<PerBucket<f64>>,
    /// For each number of periods, less one: transactions that left the pool, not in a block, after so many (Core: `failAvg`).
    pub(super) failed_after: Vec<PerBucket<f64>>,
    /// Transactions that wait, by the height they entered at, modulo the highest target (Core: `unconfTxs`).
    unconfirmed: Vec<PerBucket<u32>>,
    /// Transactions that have been waiting for longer (Core: `oldUnconfTxs`).
    old_unconfirmed: PerBucket<u32>,
}

impl TxConfirmStats {
    pub(super) fn new(horizon: FeeEstimateHorizon) -> Self {
        let (periods, max_confirms) = (horizon.periods() as usize, horizon.max_confirms() as usize);
        Self {
            horizon,
            confirmed: [0.0; BUCKET_COUNT],
            fee_rates: [0.0; BUCKET_COUNT],
            confirmed_within: vec![[0.0; BUCKET_COUNT]; periods],
            failed_after: vec![[0.0; BUCKET_COUNT]; periods],
            unconfirmed: vec![[0; BUCKET_COUNT]; max_confirms],
            old_unconfirmed: [0; BUCKET_COUNT],
        }
    }

    /// Makes room for what will enter at `height`: what entered so long ago counts as old from now on (Core: `ClearCurrent`).
    pub(super) fn clear_current(&mut self, height: u32) {
        let row = self.row(height);
        for (old, current) in self.old_unconfirmed.iter_mut().zip(&mut self.unconfirmed[row]) {
            *old += std::mem::take(current);
        }
    }

    /// Lets one block's worth of the past be forgotten (Core: `UpdateMovingAverages`).
    pub(super) fn update_moving_averages(&mut self) {
        let decay = self.horizon.decay();
        let rows = self.confirmed_within.iter_mut().chain(&mut self.failed_after);
        for average in rows.chain([&mut self.confirmed, &mut self.fee_rates]).flatten() {
            *average *= decay;
        }
    }

    /// Counts a transaction that was confirmed, after at least one block (Core: `Record`).
    pub(super) fn record(&mut self, blocks_to_confirm: u32, fee_rate: f64, bucket: usize) {
        let periods = blocks_to_confirm.div_ceil(self.horizon.scale()) as usize;
        for within in self.confirmed_within.iter_mut().skip(periods.saturating_sub(1)) {
            within[bucket] += 1.0;
        }
        self.confirmed[bucket] += 1.0;
        self.fee_rates[bucket] += fee_rate;
    }

    /// Counts a transaction that entered the pool at `height` (Core: `NewTx`).
    pub(super) fn new_transaction(&mut self, height: u32, bucket: usize) {
        let row = self.row(height);
        self.unconfirmed[row][bucket] += 1;
    }

    /// Counts a transaction out that entered the pool at `entry_height` and leaves it at `best_height`; as failed when it
    /// leaves for another reason than a block (Core: `removeTx`).
    pub(super) fn remove_transaction(&mut self, entry_height: u32, best_height: u32, bucket: usize, in_block: bool) {
        let blocks_ago = best_height.saturating_sub(entry_height);
        let waiting = if blocks_ago >= self.horizon.max_confirms() {
            &mut self.old_unconfirmed[bucket]
        } else {
            let row = self.row(entry_height);
            &mut self.unconfirmed[row][bucket]
        };
        *waiting = waiting.saturating_sub(1);
        if !in_block {
            // Only a whole period without a confirmation is a failure.
            let periods_ago = (blocks_ago / self.horizon.scale()) as usize;
            for after in self.failed_after.iter_mut().take(periods_ago) {
                after[bucket] += 1.0;
            }
        }
    }

    /// Transactions of each bucket that have been waiting for at least `target` blocks when the best block is at `height`.
    pub(super) fn waiting_for(&self, target: u32, height: u32) -> PerBucket<u64> {
        let mut waiting = self.old_unconfirmed.map(u64::from);
        for age in target..self.horizon.max_confirms() {
            // Heights below the age wrap around as they do in Core, whose numbers have 32 bits too.
            let entered = &self.unconfirmed[self.row(height.wrapping_sub(age))];
            for (waiting, entered) in waiting.iter_mut().zip(entered) {
                *waiting += u64::from(*entered);
            }
        }
        waiting
    }

    fn row(&self, height: u32) -> usize {
        (height % self.horizon.max_confirms()) as usize
    }

    /// Transactions that wait, in all buckets.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> u64 {
        self.unconfirmed.iter().chain([&self.old_unconfirmed]).flatten().map(|count| u64::from(*count)).sum()
    }
}
