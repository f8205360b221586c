//! How many headers there can be, whoever made them.

use super::received_chain::ReceivedChain;
use crate::params::MAX_BLOCKS_PER_SECOND;
use crate::pow::{AsertRetarget, PowParams, Retarget};
use crate::validation::MAX_FUTURE_BLOCK_TIME;

/// Half-lives ahead of schedule after which no target is left: the anchor's has 256 bits.
const TARGET_BITS: u64 = 256;

/// The most headers that a chain can have after `start`, whose median time is `median_time_past`, both in seconds since 1970
/// (Core: the bound behind `m_max_commitments`, `headerssync.cpp`). None when the clock is that far behind.
///
/// The median of eleven timestamps has to grow, so each second has room for six blocks at most.
///
/// Under ASERT there is a narrower bound: a target at most halves with each half-life the chain is ahead of its schedule, and a
/// target of no bits is met by no hash.
pub(super) fn longest_chain(start: &ReceivedChain, median_time_past: u32, pow: &PowParams, now: u64) -> u64 {
    let latest = now.saturating_add(MAX_FUTURE_BLOCK_TIME);
    let by_median = latest.saturating_sub(median_time_past.into()).saturating_mul(MAX_BLOCKS_PER_SECOND);
    match &pow.retarget {
        Retarget::Bitcoin(_) => by_median,
        Retarget::Asert(rule) => by_median.min(by_schedule(start, median_time_past, pow, rule, latest)),
    }
}

/// The most headers that the schedule has room for until `latest`, in seconds since 1970.
fn by_schedule(
    start: &ReceivedChain,
    median_time_past: u32,
    pow: &PowParams,
    rule: &AsertRetarget,
    latest: u64,
) -> u64 {
    // An anchor that is still to come is later than the median.
    let anchor_time = start.anchor_time().unwrap_or(median_time_past);
    let seconds = latest.saturating_sub(anchor_time.into()).saturating_add(TARGET_BITS * u64::from(rule.half_life));
    // The block after the last one on schedule, which is judged by its parent's time, and one for rounding.
    let above_anchor = seconds / u64::from(pow.target_spacing.max(1)) + 2;
    u64::from(rule.anchor_height).saturating_add(above_anchor).saturating_sub(start.height().into())
}
