//! Core's own cases of the rule, the variations of the test networks, and the arithmetic.

use super::*;
use crate::pow::retarget::{self, Retarget};
use bitcoin::BlockHash;
use bitcoin::block::Version;
use bitcoin::hashes::Hash;
use proptest::prelude::*;
use ruint::Uint;

const LIMIT_BITS: u32 = 0x1d00_ffff;

/// Mainnet's parameters (Core: `kernel/chainparams.cpp`).
fn mainnet() -> (PowParams, BitcoinRetarget) {
    let rule = BitcoinRetarget {
        target_timespan: 14 * 24 * 60 * 60,
        allow_min_difficulty_blocks: false,
        enforce_bip94: false,
        no_retargeting: false,
    };
    (with_rule(rule.clone()), rule)
}

fn with_rule(rule: BitcoinRetarget) -> PowParams {
    PowParams { limit: U256::MAX >> 32, target_spacing: 600, retarget: Retarget::Bitcoin(rule) }
}

fn compact(bits: u32) -> CompactTarget {
    CompactTarget::from_consensus(bits)
}

fn facts(time: u32, bits: u32) -> HeaderFacts {
    HeaderFacts { hash: BlockHash::all_zeros(), time, bits: compact(bits), version: Version::ONE }
}

/// `count` blocks, 600 seconds apart, all with `bits`.
fn steady_chain(count: u32, bits: u32) -> Vec<HeaderFacts> {
    (0..count).map(|height| facts(1_000_000_000 + 600 * height, bits)).collect()
}

#[test]
fn retargets_of_core() {
    // Core, pow_tests.cpp, the get_next_work… cases: times of the first and last block, height of the last, old and new
    // bits.
    let (params, rule) = mainnet();
    for (first_time, last_time, height, old, new) in [
        (1_261_130_161, 1_262_152_739, 32_255, 0x1d00_ffff, 0x1d00_d86a),
        (1_231_006_505, 1_233_061_996, 2_015, 0x1d00_ffff, 0x1d00_ffff),
        (1_279_008_237, 1_279_297_671, 68_543, 0x1c05_a3f4, 0x1c01_68fd),
        (1_263_163_443, 1_269_211_443, 46_367, 0x1c38_7f6f, 0x1d00_e1fd),
    ] {
        let got = calculate_next_work_required(&facts(first_time, old), &facts(last_time, old), &params, &rule);
        assert_eq!(got, compact(new));
        assert!(permitted_difficulty_transition(height + 1, compact(old), got, &params, &rule));
    }
}

#[test]
fn transitions_beyond_a_factor_of_four_are_not_permitted() {
    // Core, pow_tests.cpp: one step past either limit.
    let (params, rule) = mainnet();
    let permitted = |old, new| permitted_difficulty_transition(2016, compact(old), compact(new), &params, &rule);
    assert!(permitted(0x1c05_a3f4, 0x1c01_68fd));
    assert!(!permitted(0x1c05_a3f4, 0x1c01_68fc));
    assert!(permitted(0x1c38_7f6f, 0x1d00_e1fd));
    assert!(!permitted(0x1c38_7f6f, 0x1d00_e1fe));
}

#[test]
fn within_a_period_only_no_change_is_permitted() {
    let (params, mut rule) = mainnet();
    assert!(permitted_difficulty_transition(2017, compact(LIMIT_BITS), compact(LIMIT_BITS), &params, &rule));
    assert!(!permitted_difficulty_transition(2017, compact(LIMIT_BITS), compact(0x1d00_fffe), &params, &rule));
    rule.allow_min_difficulty_blocks = true;
    assert!(permitted_difficulty_transition(2017, compact(0x1c05_a3f4), compact(LIMIT_BITS), &params, &rule));
}

#[test]
fn the_target_changes_only_at_the_start_of_a_period() {
    let (params, _) = mainnet();
    let next = |chain: &[HeaderFacts]| retarget::next_work_required(chain, 0, &params);
    assert_eq!(next(&steady_chain(1, 0x1c05_a3f4)), compact(0x1c05_a3f4));
    assert_eq!(next(&steady_chain(2015, 0x1c05_a3f4)), compact(0x1c05_a3f4));
    // 2016 blocks span 2015 spacings, so a chain exactly on schedule gets slightly harder.
    assert_eq!(next(&steady_chain(2016, 0x1c05_a3f4)), compact(0x1c05_a33c));
    assert_eq!(next(&steady_chain(2017, 0x1c05_a3f4)), compact(0x1c05_a3f4));
}

#[test]
fn a_late_block_of_a_test_network_may_be_easy() {
    let (_, mut rule) = mainnet();
    rule.allow_min_difficulty_blocks = true;
    let params = with_rule(rule);
    let chain = steady_chain(100, 0x1c05_a3f4);
    let last_time = HeaderChain::tip(chain.as_slice()).time;
    let next = |time| retarget::next_work_required(chain.as_slice(), time, &params);
    assert_eq!(next(last_time + 1200), compact(0x1c05_a3f4));
    assert_eq!(next(last_time + 1201), compact(LIMIT_BITS));
    // The comparison does not wrap around in the year 2106.
    let late = [facts(u32::MAX - 600, 0x1c05_a3f4), facts(u32::MAX, 0x1c05_a3f4)];
    assert_eq!(retarget::next_work_required(late.as_slice(), 1000, &params), compact(0x1c05_a3f4));
}

#[test]
fn after_easy_blocks_the_regular_target_returns() {
    let (_, mut rule) = mainnet();
    rule.allow_min_difficulty_blocks = true;
    let params = with_rule(rule);
    let mut chain = steady_chain(100, 0x1c05_a3f4);
    for easy in &mut chain[90..] {
        easy.bits = compact(LIMIT_BITS);
    }
    let next = |chain: &[HeaderFacts]| retarget::next_work_required(chain, HeaderChain::tip(chain).time, &params);
    assert_eq!(next(&chain), compact(0x1c05_a3f4));
    // The walk back ends at genesis and at the first block of the period, easy or not.
    assert_eq!(next(&steady_chain(50, LIMIT_BITS)), compact(LIMIT_BITS));
    let mut chain = steady_chain(2020, 0x1c05_a3f4);
    for easy in &mut chain[2016..] {
        easy.bits = compact(LIMIT_BITS);
    }
    assert_eq!(next(&chain), compact(LIMIT_BITS));
}

#[test]
fn bip94_retargets_from_the_first_block_of_the_period() {
    let (_, mut rule) = mainnet();
    rule.allow_min_difficulty_blocks = true;
    let mut chain = steady_chain(2016, 0x1c05_a3f4);
    chain[2015].bits = compact(LIMIT_BITS);
    let next = |rule: &BitcoinRetarget| retarget::next_work_required(chain.as_slice(), 0, &with_rule(rule.clone()));
    assert_eq!(next(&rule), compact(0x1d00_ffde));
    rule.enforce_bip94 = true;
    assert_eq!(next(&rule), compact(0x1c05_a33c));
}

#[test]
fn without_retargeting_the_last_target_stays() {
    let (_, mut rule) = mainnet();
    rule.no_retargeting = true;
    let mut chain = steady_chain(2016, 0x1c05_a3f4);
    chain[0].time = 0;
    assert_eq!(retarget::next_work_required(chain.as_slice(), 0, &with_rule(rule)), compact(0x1c05_a3f4));
}

#[test]
fn mainnet_s_limit_cannot_wrap_around() {
    // Core, pow_tests.cpp, sanity_check_chainparams.
    let (params, rule) = mainnet();
    assert!(params.limit < U256::MAX / U256::from(rule.target_timespan * MAX_ADJUSTMENT));
}

proptest! {
    #[test]
    fn products_are_taken_modulo_2_to_the_256(bits: u32, first_time: u32, last_time: u32) {
        // The same computation with 320 bits, cut back to 256.
        let (mut params, rule) = mainnet();
        params.limit = U256::MAX;
        let timespan = (i64::from(last_time) - i64::from(first_time)).clamp(302_400, 4_838_400);
        let wide = Uint::<320, 5>::from(decode_compact(compact(bits)).value) * Uint::<320, 5>::from(timespan);
        let expected = (wide % (Uint::<320, 5>::from(1) << 256)) / Uint::<320, 5>::from(1_209_600);
        let got = calculate_next_work_required(&facts(first_time, bits), &facts(last_time, bits), &params, &rule);
        prop_assert_eq!(got, encode_compact(U256::from(expected)));
    }

    #[test]
    fn every_retarget_is_a_permitted_transition(mantissa in 0x8000_u32..0x80_0000, length in 4_u32..0x1d,
                                                first_time: u32, last_time: u32) {
        let (params, rule) = mainnet();
        let bits = length << 24 | mantissa;
        let new = calculate_next_work_required(&facts(first_time, bits), &facts(last_time, bits), &params, &rule);
        prop_assert!(permitted_difficulty_transition(2016, compact(bits), new, &params, &rule));
    }

    #[test]
    fn no_parameters_panic(timespan: u32, spacing: u32, bits: u32, times: [u32; 2], flags: [bool; 3]) {
        let rule = BitcoinRetarget {
            target_timespan: timespan,
            allow_min_difficulty_blocks: flags[0],
            enforce_bip94: flags[1],
            no_retargeting: flags[2],
        };
        let params = PowParams { target_spacing: spacing, ..with_rule(rule) };
        let chain = [facts(times[0], bits), facts(times[1], bits)];
        let next = retarget::next_work_required(chain.as_slice(), times[0], &params);
        let _ = retarget::permitted_difficulty_transition(2, compact(bits), next, &params);
    }
}
