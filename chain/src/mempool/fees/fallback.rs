//! An answer even where nothing was learned yet.

use super::FeeEstimator;

/// What to answer from where the estimator cannot, in satoshis per 1000 virtual bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeFallback {
    /// A fee rate at which the pool suggests that the next block has room, if the pool has anything to suggest.
    pub next_block_fee_rate: Option<u64>,
    /// What any transaction must pay to enter the pool: the pool's minimum or the minimum relay fee, the higher of them.
    pub minimum_fee_rate: u64,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FallbackSource {
    /// What was learned from blocks.
    Estimator,
    /// What waits in the pool.
    NextBlock,
    /// The minimum, for want of anything better.
    Minimum,
}

/// An answer where one is always wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FallbackFee {
    /// The fee rate, in satoshis per 1000 virtual bytes.
    pub fee_rate: u64,
    /// The target the answer holds for, in blocks.
    pub returned_target: u32,
    /// Where the fee rate comes from.
    pub source: FallbackSource,
}

impl FeeEstimator {
    /// An estimate that there always is: for networks with too few transactions to learn from, where wallets want an answer
    /// all the same.
    ///
    /// It is [`FeeEstimator::estimate_smart_fee`]'s, else the pool's for the next block, else the minimum; never below the
    /// minimum (as RPC `estimatesmartfee` answers, `rpc/fees.cpp`). An answer that was not learned holds for the target that
    /// was asked for, brought within what is tracked.
    #[must_use]
    pub fn estimate_with_fallback(&self, target: u32, conservative: bool, fallback: &FeeFallback) -> FallbackFee {
        let calculation = self.estimate_smart_fee(target, conservative);
        let asked = target.clamp(1, self.long.horizon.max_confirms());
        let (fee_rate, returned_target, source) = match (calculation.fee_rate, fallback.next_block_fee_rate) {
            (Some(fee_rate), _) => (fee_rate, calculation.returned_target, FallbackSource::Estimator),
            (None, Some(fee_rate)) => (fee_rate, asked, FallbackSource::NextBlock),
            (None, None) => (fallback.minimum_fee_rate, asked, FallbackSource::Minimum),
        };
        FallbackFee { fee_rate: fee_rate.max(fallback.minimum_fee_rate), returned_target, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_an_answer() {
        let estimator = FeeEstimator::new();
        let answer = |target, next_block_fee_rate| {
            let fallback = FeeFallback { next_block_fee_rate, minimum_fee_rate: 100 };
            let fee = estimator.estimate_with_fallback(target, true, &fallback);
            (fee.fee_rate, fee.returned_target, fee.source)
        };
        assert_eq!(answer(6, None), (100, 6, FallbackSource::Minimum));
        assert_eq!(answer(6, Some(2500)), (2500, 6, FallbackSource::NextBlock));
        assert_eq!(answer(6, Some(99)), (100, 6, FallbackSource::NextBlock), "never below the minimum");
        assert_eq!(answer(0, None), (100, 1, FallbackSource::Minimum));
        assert_eq!(answer(u32::MAX, None), (100, 1008, FallbackSource::Minimum));
    }
}
