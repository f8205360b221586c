//! Bitcoin's rule: once per period the target is scaled by the time the period took, within a factor of four.

use bitcoin::CompactTarget;
use ruint::aliases::U256;

use super::{BitcoinRetarget, PowParams};
use crate::header_chain::{HeaderChain, HeaderFacts};
use crate::pow::target::{decode_compact, encode_compact};

/// Largest factor by which one period changes the target, either way (Core: `CalculateNextWorkRequired`, `pow.cpp`).
const MAX_ADJUSTMENT: u32 = 4;

/// Blocks of one period (Core: `Consensus::Params::DifficultyAdjustmentInterval`), at least one.
pub(super) fn adjustment_interval(params: &PowParams, rule: &BitcoinRetarget) -> u32 {
    rule.target_timespan.checked_div(params.target_spacing).unwrap_or(1).max(1)
}

/// The compact target of the block after the last one of `chain`, which has the timestamp `block_time` in seconds
/// (Core: `GetNextWorkRequired`, `pow.cpp`).
pub(super) fn next_work_required(
    chain: &(impl HeaderChain + ?Sized),
    block_time: u32,
    params: &PowParams,
    rule: &BitcoinRetarget,
) -> CompactTarget {
    let interval = adjustment_interval(params, rule);
    let last = chain.tip();
    let last_of_period = interval - 1;
    if chain.height() % interval == last_of_period {
        let first = chain.header_at(chain.height() - last_of_period);
        return calculate_next_work_required(&first, &last, params, rule);
    }
    let Some(last_regular_time) = params.last_regular_time(last.time) else { return last.bits };
    if u64::from(block_time) > last_regular_time {
        return params.limit_bits();
    }
    last_regular_bits(chain, interval, params.limit_bits())
}

/// The compact target of the last block that is not one of the easiest ones, looking no further back than the first
/// block of the period.
fn last_regular_bits(chain: &(impl HeaderChain + ?Sized), interval: u32, limit_bits: CompactTarget) -> CompactTarget {
    let mut height = chain.height();
    loop {
        let bits = chain.header_at(height).bits;
        if height.is_multiple_of(interval) || bits != limit_bits {
            return bits;
        }
        height -= 1;
    }
}

/// The compact target of the period after the one from `first` to `last` (Core: `CalculateNextWorkRequired`, `pow.cpp`).
///
/// A period of n blocks is measured over n − 1 intervals, Bitcoin's oldest off-by-one.
pub(super) fn calculate_next_work_required(
    first: &HeaderFacts,
    last: &HeaderFacts,
    params: &PowParams,
    rule: &BitcoinRetarget,
) -> CompactTarget {
    if rule.no_retargeting {
        return last.bits;
    }
    // Timestamps may run backwards; a negative time counts as the shortest.
    let shortest = rule.target_timespan / MAX_ADJUSTMENT;
    let longest = rule.target_timespan.saturating_mul(MAX_ADJUSTMENT);
    let timespan = last.time.saturating_sub(first.time).clamp(shortest, longest);

    // BIP94: the last block may be one of the easiest ones, the first never is.
    let old_bits = if rule.enforce_bip94 { first.bits } else { last.bits };
    encode_compact(scale(old_bits, timespan, params, rule))
}

/// The target `bits` scaled by `timespan` over the intended timespan, in seconds, and not above the limit.
fn scale(bits: CompactTarget, timespan: u32, params: &PowParams, rule: &BitcoinRetarget) -> U256 {
    // Core multiplies modulo 2^256. That matters only where the limit is so easy that targets reach 2^231, but there it
    // is consensus.
    let scaled = decode_compact(bits).value.wrapping_mul(U256::from(timespan));
    (scaled / U256::from(rule.target_timespan.max(1))).min(params.limit)
}

/// Whether a block at `height` may carry `new_bits` after a block with `old_bits`, whatever the timestamps are
/// (Core: `PermittedDifficultyTransition`, `pow.cpp`).
pub(super) fn permitted_difficulty_transition(
    height: u32,
    old_bits: CompactTarget,
    new_bits: CompactTarget,
    params: &PowParams,
    rule: &BitcoinRetarget,
) -> bool {
    if rule.allow_min_difficulty_blocks {
        return true;
    }
    if !height.is_multiple_of(adjustment_interval(params, rule)) {
        return old_bits == new_bits;
    }
    // The bounds are rounded as a header would round them.
    let bound = |timespan| decode_compact(encode_compact(scale(old_bits, timespan, params, rule))).value;
    let smallest = bound(rule.target_timespan / MAX_ADJUSTMENT);
    let largest = bound(rule.target_timespan.saturating_mul(MAX_ADJUSTMENT));
    let observed = decode_compact(new_bits).value;
    smallest <= observed && observed <= largest
}

#[cfg(test)]
mod tests;
