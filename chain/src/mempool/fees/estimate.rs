//! Estimates that combine horizons.

use super::confirm_stats::TxConfirmStats;
use super::{EstimationResult, FeeEstimateHorizon, FeeEstimator};

/// The share of transactions that must be confirmed within half the target (Core: `HALF_SUCCESS_PCT`).
const HALF_SUCCESS: f64 = 0.6;
/// The share that must be confirmed within the target (Core: `SUCCESS_PCT`).
const SUCCESS: f64 = 0.85;
/// The share that must be confirmed within twice the target (Core: `DOUBLE_SUCCESS_PCT`).
const DOUBLE_SUCCESS: f64 = 0.95;

/// Which of the demands on an estimate decided it (Core: `FeeReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeeReason {
    /// 60 % within half the target.
    HalfEstimate,
    /// 85 % within the target.
    FullEstimate,
    /// 95 % within twice the target.
    DoubleEstimate,
    /// 95 % within twice the target over longer horizons.
    Conservative,
}

/// An estimate (Core: `FeeCalculation`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeeCalculation {
    /// The fee rate, in satoshis per 1000 virtual bytes, unless too little is known.
    pub fee_rate: Option<u64>,
    /// The target that was asked for, in blocks.
    pub desired_target: u32,
    /// The target that the answer holds for: at least 2, and no more than there is history for. Where that is less than 2
    /// there is no answer.
    pub returned_target: u32,
    /// What decided it, when anything was estimated.
    pub reason: Option<FeeReason>,
    /// How what decided it came about.
    pub estimation: Option<EstimationResult>,
    /// Height of the best block the estimator knows.
    pub best_height: u32,
}

impl FeeCalculation {
    /// What RPC clients are told when there is no fee rate, in Core's words (RPC `estimatesmartfee`, `rpc/fees.cpp`).
    #[must_use]
    pub fn errors(&self) -> &'static [&'static str] {
        if self.fee_rate.is_some() { &[] } else { &["Insufficient data or no feerate found"] }
    }
}

/// An estimate of one horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawFee {
    /// The fee rate, in satoshis per 1000 virtual bytes, unless too little is known.
    pub fee_rate: Option<u64>,
    /// How it came about. When there is no fee rate, the range that failed is there.
    pub estimation: EstimationResult,
}

impl RawFee {
    /// What RPC clients are told when there is no fee rate, in Core's words (RPC `estimaterawfee`, `rpc/fees.cpp`).
    #[must_use]
    pub fn errors(&self) -> &'static [&'static str] {
        if self.fee_rate.is_some() { &[] } else { &["Insufficient data or no feerate found which meets threshold"] }
    }
}

/// A fee rate in satoshis per 1000 virtual bytes, not rounded, if any is high enough, and how it came about.
type Estimate = (Option<f64>, EstimationResult);

impl FeeEstimator {
    /// The fee rate at which a transaction should be confirmed within `target` blocks, or within the nearest target that
    /// there is an answer for (Core: `estimateSmartFee`).
    ///
    /// It is the highest of three: where 60 % were confirmed within half the target, 85 % within the target, and 95 % within
    /// twice the target, each over the shortest horizon that tracks the target. A conservative estimate demands the last over
    /// longer horizons too, and so does not fall as fast when blocks become emptier.
    #[must_use]
    pub fn estimate_smart_fee(&self, target: u32, conservative: bool) -> FeeCalculation {
        let mut calculation = FeeCalculation {
            fee_rate: None,
            desired_target: target,
            returned_target: target,
            reason: None,
            estimation: None,
            best_height: self.best_seen_height,
        };
        if target == 0 || target > self.long.horizon.max_confirms() {
            return calculation;
        }
        // No estimate for the next block is reasonable.
        let target = target.max(2).min(self.max_usable_estimate());
        calculation.returned_target = target;
        if target <= 1 {
            return calculation;
        }

        // Lower targets of shorter horizons are looked at too, to let estimates fall as targets rise. A conservative one
        // does not for twice the target: it takes the highest over all horizons anyway.
        let (mut median, estimation) = self.estimate_combined(target / 2, HALF_SUCCESS, true);
        calculation.reason = Some(FeeReason::HalfEstimate);
        calculation.estimation = estimation;
        let mut raise = |(estimate, estimation): (Option<f64>, Option<EstimationResult>), reason| {
            // Nothing is less than any fee rate.
            if estimate > median {
                median = estimate;
                calculation.reason = Some(reason);
                calculation.estimation = estimation;
            }
            median
        };
        raise(self.estimate_combined(target, SUCCESS, true), FeeReason::FullEstimate);
        let so_far =
            raise(self.estimate_combined(2 * target, DOUBLE_SUCCESS, !conservative), FeeReason::DoubleEstimate);
        if conservative || so_far.is_none() {
            raise(self.estimate_conservative(2 * target), FeeReason::Conservative);
        }
        calculation.fee_rate = median.and_then(rounded);
        calculation
    }

    /// The fee rate at which, over one horizon, transactions were confirmed within `target` blocks with a frequency of at
    /// least `threshold`, between 0 and 1 (Core: `estimateRawFee`).
    ///
    /// Nothing when the horizon does not track the target or the threshold is above 1.
    #[must_use]
    pub fn estimate_raw_fee(&self, target: u32, threshold: f64, horizon: FeeEstimateHorizon) -> Option<RawFee> {
        let stats = self.stats(horizon);
        if target == 0 || target > horizon.max_confirms() || threshold.is_nan() || threshold > 1.0 {
            return None;
        }
        let (median, estimation) = self.estimate(stats, target, threshold);
        Some(RawFee { fee_rate: median.and_then(rounded), estimation })
    }

    fn estimate(&self, stats: &TxConfirmStats, target: u32, threshold: f64) -> Estimate {
        stats.estimate_median(target, threshold, self.best_seen_height)
    }

    /// An estimate over the shortest horizon that tracks `target`; on request also over shorter ones for their highest
    /// target, when that is lower (Core: `estimateCombinedFee`).
    fn estimate_combined(
        &self,
        target: u32,
        threshold: f64,
        check_shorter_horizons: bool,
    ) -> (Option<f64>, Option<EstimationResult>) {
        let horizons = [&self.short, &self.medium, &self.long];
        let Some(shortest) = horizons.iter().position(|stats| target <= stats.horizon.max_confirms()) else {
            return (None, None);
        };
        let (mut estimate, mut estimation) = self.estimate(horizons[shortest], target, threshold);
        if check_shorter_horizons {
            // From the longer to the shorter.
            for stats in horizons[..shortest].iter().rev() {
                let (most, result) = self.estimate(stats, stats.horizon.max_confirms(), threshold);
                let lower = most.filter(|most| *most > 0.0 && estimate.is_none_or(|estimate| *most < estimate));
                if lower.is_some() {
                    (estimate, estimation) = (lower, result);
                }
            }
        }
        (estimate, Some(estimation))
    }

    /// The highest estimate over the horizons that are longer than needed (Core: `estimateConservativeFee`).
    fn estimate_conservative(&self, double_target: u32) -> (Option<f64>, Option<EstimationResult>) {
        let mut highest = (None, None);
        for (tracking, longer) in [(&self.short, &self.medium), (&self.medium, &self.long)] {
            if double_target <= tracking.horizon.max_confirms() {
                let (estimate, estimation) = self.estimate(longer, double_target, DOUBLE_SUCCESS);
                if estimate > highest.0 {
                    highest = (estimate, Some(estimation));
                }
            }
        }
        highest
    }
}

/// The nearest whole number, if it is not zero: to Core a fee rate of zero is none (`llround`, `CFeeRate(0)`).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast stops at the ends of the range")]
fn rounded(fee_rate: f64) -> Option<u64> {
    Some(fee_rate.round() as u64).filter(|fee_rate| *fee_rate != 0)
}
