//! ASERT: after every block the target is set from how far the chain is ahead of or behind an ideal schedule.
//!
//! The schedule starts at an anchor block and asks for one block every spacing. The target is the anchor's times
//! 2^(delay / half-life), where the delay is negative when blocks came too fast. It depends on the anchor and the parent
//! alone, so no window of blocks can be gamed and no error accumulates. This is the integer form aserti3-2d of the
//! specification "2020-11-15-asert" (bitcoincashorg, `spec/2020-11-15-asert.md`), with half-life, spacing and limit as
//! parameters.

use bitcoin::CompactTarget;
use ruint::Uint;
use ruint::aliases::U256;

use super::{AsertRetarget, PowParams};
use crate::header_chain::HeaderChain;
use crate::pow::target::{decode_compact, encode_compact};

/// Bits behind the binary point of the exponent and of the power of two (specification: "rbits").
const FRACTION_BITS: u32 = 16;

/// The cubic that approximates 2^x on 0 ≤ x < 1: coefficients of x, x² and x³, scaled by 2^48, 2^32 and 2^16 for an x
/// that is itself scaled by 2^16 (specification: "target calculation").
const CUBIC: [u64; 3] = [195_766_423_245_049, 971_821_376, 5127];

/// Half of the unit the cubic is rounded to.
const ROUNDING: u64 = 1 << 47;

/// Wide enough for a 256-bit target times a factor below 2^17.
type Product = Uint<320, 5>;

/// The compact target of the block after the last one of `chain`.
///
/// Up to and including the anchor's height blocks have the easiest target. The specification's anchor is judged by its
/// parent's timestamp; our anchor may be genesis, which has no parent, so a parent exactly one spacing older is assumed
/// for every anchor.
pub(super) fn next_work_required(
    chain: &(impl HeaderChain + ?Sized),
    params: &PowParams,
    rule: &AsertRetarget,
) -> CompactTarget {
    let height = chain.height();
    let anchor_time = (height >= rule.anchor_height).then(|| chain.header_at(rule.anchor_height).time);
    asert_work_required(anchor_time, height, chain.tip().time, params, rule)
}

/// The compact target of the block after one at `height` with the timestamp `time`, in a chain whose anchor has the timestamp
/// `anchor_time`, both in seconds since 1970: all that the rule asks of a chain. Without an anchor the blocks are easiest.
pub(crate) fn asert_work_required(
    anchor_time: Option<u32>,
    height: u32,
    time: u32,
    params: &PowParams,
    rule: &AsertRetarget,
) -> CompactTarget {
    let height_delta = height.checked_sub(rule.anchor_height);
    let (Some(anchor_time), Some(height_delta)) = (anchor_time, height_delta) else {
        return params.limit_bits();
    };
    let schedule_start = i64::from(anchor_time) - i64::from(params.target_spacing);
    encode_compact(asert_target(
        decode_compact(rule.anchor_bits).value,
        params.target_spacing,
        rule.half_life,
        i64::from(time) - schedule_start,
        i64::from(height_delta),
        params.limit,
    ))
}

/// The target of a block from its parent's place on the schedule.
///
/// - `anchor`: the anchor block's target.
/// - `target_spacing`, `half_life`: seconds. A half-life of zero counts as one second.
/// - `time_delta`: the parent's timestamp minus the timestamp of the anchor's parent, in seconds.
/// - `height_delta`: the parent's height minus the anchor's.
/// - `limit`: the easiest target; the result is at most that, and at least 1.
///
/// Defined for all arguments, and neither a later parent nor a lower one ever makes the target harder.
#[must_use]
pub fn asert_target(
    anchor: U256,
    target_spacing: u32,
    half_life: u32,
    time_delta: i64,
    height_delta: i64,
    limit: U256,
) -> U256 {
    // Below 2^97 in magnitude, so 128 bits have room for the fraction. The block to come is one above its parent.
    let delay = i128::from(time_delta) - i128::from(target_spacing) * (i128::from(height_delta) + 1);
    // The specification divides as C++ does, towards zero.
    let exponent = (delay << FRACTION_BITS) / i128::from(half_life.max(1));

    // The exponent is a whole number of doublings, rounded down, plus a fraction of one.
    let doublings = exponent >> FRACTION_BITS;
    let fraction = exponent - (doublings << FRACTION_BITS);
    let fraction = u64::try_from(fraction).expect("rounding down leaves a fraction in 0..65536");

    let product = Product::from(anchor) * Product::from(power_of_two(fraction));
    let target = shift(product, doublings - i128::from(FRACTION_BITS));
    match target {
        Some(target) if target <= Product::from(limit) => U256::from(target).max(U256::from(1)),
        _ => limit.max(U256::from(1)),
    }
}

/// 2^(`fraction` / 65536) · 65536, approximately, for a `fraction` below 65536.
///
/// The sum stays just below 2^64: the specification chose the coefficients so.
fn power_of_two(fraction: u64) -> u64 {
    let [linear, square, cube] = CUBIC;
    let sum = linear * fraction + square * fraction.pow(2) + cube * fraction.pow(3) + ROUNDING;
    (1 << FRACTION_BITS) + (sum >> 48)
}

/// `value` · 2^`places`, rounded down; `None` when that is more than a [`Product`] holds.
fn shift(value: Product, places: i128) -> Option<Product> {
    // Past the width of the number more places change nothing.
    let count = usize::try_from(places.unsigned_abs()).unwrap_or(Product::BITS).min(Product::BITS);
    if places < 0 { Some(value.wrapping_shr(count)) } else { value.checked_shl(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_chain::HeaderFacts;
    use crate::pow::retarget::{self, Retarget};
    use bitcoin::BlockHash;
    use bitcoin::block::Version;
    use bitcoin::hashes::Hash;
    use proptest::prelude::*;

    const SPACING: u32 = 600;
    const HALF_LIFE: u32 = 2 * 24 * 60 * 60;

    fn limit() -> U256 {
        U256::MAX >> 32
    }

    /// A target far from both limits.
    fn anchor() -> U256 {
        U256::from(0x2b_3c4d) << 184
    }

    /// The target when the parent is `delay` seconds behind schedule.
    fn target_after(delay: i64) -> U256 {
        asert_target(anchor(), SPACING, HALF_LIFE, i64::from(SPACING) + delay, 0, limit())
    }

    fn params(anchor_height: u32) -> PowParams {
        let anchor_bits = encode_compact(anchor());
        let rule = AsertRetarget { anchor_height, anchor_bits, half_life: HALF_LIFE };
        PowParams { limit: limit(), target_spacing: SPACING, retarget: Retarget::Asert(rule) }
    }

    fn chain(times: impl IntoIterator<Item = u32>) -> Vec<HeaderFacts> {
        let bits = CompactTarget::from_consensus(0x1d00_ffff);
        times
            .into_iter()
            .map(|time| HeaderFacts { hash: BlockHash::all_zeros(), time, bits, version: Version::ONE })
            .collect()
    }

    #[test]
    fn whole_half_lives_are_exact_powers_of_two() {
        let half_life = i64::from(HALF_LIFE);
        assert_eq!(target_after(0), anchor());
        assert_eq!(target_after(half_life), anchor() << 1);
        assert_eq!(target_after(-half_life), anchor() >> 1);
        assert_eq!(target_after(3 * half_life), anchor() << 3);
    }

    #[test]
    fn targets_end_at_the_limit_and_at_one() {
        assert_eq!(target_after(i64::from(u32::MAX)), limit());
        assert_eq!(target_after(-1000 * i64::from(HALF_LIFE)), U256::from(1));
        assert_eq!(target_after(i64::MIN), U256::from(1));
        assert_eq!(target_after(i64::MAX - i64::from(SPACING)), limit());
        assert_eq!(asert_target(U256::ZERO, SPACING, HALF_LIFE, i64::MAX, 0, limit()), U256::from(1));
        assert_eq!(asert_target(U256::MAX, SPACING, HALF_LIFE, i64::MAX, 0, U256::MAX), U256::MAX);
    }

    #[test]
    fn the_cubic_fits_its_word_and_joins_up() {
        assert_eq!(power_of_two(0), 1 << 16);
        assert!(power_of_two(0xffff) <= 2 << 16);
        assert!((1..=0xffff).all(|fraction| power_of_two(fraction) >= power_of_two(fraction - 1)));
    }

    #[test]
    fn up_to_the_anchor_blocks_are_easy() {
        let times: Vec<u32> = (0..6).map(|height| 1_000_000_000 + SPACING * height).collect();
        let next = |count| retarget::next_work_required(chain(times[..count].to_vec()).as_slice(), 0, &params(3));
        // Three headers reach height 2; the block to come is the anchor, and the one behind it follows the schedule.
        assert_eq!(next(1), params(3).limit_bits());
        assert_eq!(next(3), params(3).limit_bits());
        assert_eq!(next(4), encode_compact(anchor()));
        assert_eq!(next(6), encode_compact(anchor()));
    }

    #[test]
    fn genesis_can_be_the_anchor() {
        let next = |times: &[u32]| retarget::next_work_required(chain(times.to_vec()).as_slice(), 0, &params(0));
        let start = 1_700_000_000;
        assert_eq!(next(&[start]), encode_compact(anchor()));
        assert_eq!(next(&[start, start + SPACING + HALF_LIFE]), encode_compact(anchor() << 1));
        // A genesis at the very start of time: the assumed parent lies before 1970.
        assert_eq!(next(&[0]), encode_compact(anchor()));
    }

    proptest! {
        #[test]
        fn every_input_has_a_target_in_range(anchor: [u8; 32], limit: [u8; 32], spacing: u32, half_life: u32,
                                             time_delta: i64, height_delta: i64) {
            let (anchor, limit) = (U256::from_be_bytes(anchor), U256::from_be_bytes(limit));
            let target = asert_target(anchor, spacing, half_life, time_delta, height_delta, limit);
            prop_assert!(!target.is_zero() && (target <= limit || limit.is_zero()));
        }

        #[test]
        fn later_parents_never_make_it_harder(anchor: [u8; 32], bits in 0_usize..256, spacing: u32, half_life: u32,
                                              time in -(1_i64 << 40)..1 << 40, more in 0_i64..1 << 24,
                                              height in 0_i64..1 << 20) {
            let anchor = U256::from_be_bytes(anchor) >> bits;
            let target = |time, height| asert_target(anchor, spacing, half_life, time, height, U256::MAX);
            prop_assert!(target(time + more, height) >= target(time, height));
            prop_assert!(target(time, height + more) <= target(time, height));
        }

        #[test]
        fn close_to_the_exponential(delay in -18 * i64::from(HALF_LIFE)..18 * i64::from(HALF_LIFE)) {
            // The specification states an error below 0.013 % for the cubic; rounding the exponent adds 0.001 %.
            let exponent = f64::from(i32::try_from(delay).unwrap()) / f64::from(HALF_LIFE);
            let ratio = f64::from(target_after(delay)) / f64::from(anchor());
            prop_assert!((ratio / exponent.exp2() - 1.0).abs() < 0.000_14);
        }
    }
}
