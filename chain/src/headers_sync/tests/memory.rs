//! The bounds the module promises.

use super::*;

/// The most headers of a message (Core: `MAX_HEADERS_RESULTS`, `net_processing.h`).
const MESSAGE: usize = 2_000;

/// What the module promises for `headers`, of which the second pass has some in its buffer.
fn bound(params: HeadersSyncParams, headers: u64, is_redownload: bool) -> usize {
    let bits = usize::try_from(headers / u64::from(params.commitment_period)).unwrap();
    let buffer = if is_redownload { 48 * (params.redownload_buffer_size + MESSAGE) } else { 0 };
    (bits / 8 + 4_096) / 4_096 * 4_096 + buffer + 2_048
}

/// Bytes that the bits of so many headers take.
fn commitments_memory(params: HeadersSyncParams, headers: u64) -> usize {
    let mut commitments = Commitments::new([1; 16], params.commitment_period, 0);
    for _ in 0..headers / u64::from(params.commitment_period) {
        commitments.add(0, &BlockHash::all_zeros());
    }
    commitments.memory()
}

/// The most headers on top of genesis, `years` after it.
fn longest(params: &ChainParams, years: u64) -> u64 {
    let genesis = [facts(&params.genesis.header)];
    let pow = &params.consensus.pow;
    let start = ReceivedChain::new(&genesis[..], Work::ZERO, pow);
    longest_chain(&start, genesis[0].time, pow, u64::from(genesis[0].time) + years * 31_557_600)
}

#[test]
fn the_longest_chain_costs_little() {
    // The longest chain, and all bits of it: within what the two first lines of the module's table say.
    for (params, years, headers, bytes) in [
        (ChainParams::main(), 20, 3_786_955_200, 741_376),
        (ChainParams::cairn(), 20, 10_593_050, 49_152),
        // A devnet's genesis is regtest's, of 2011.
        (ChainParams::devnet(), 20, 210_396_782, 204_800),
    ] {
        assert_eq!(longest(&params, years), headers, "{}", params.name);
        let memory = commitments_memory(params.headers_sync, headers);
        assert_eq!(memory, bytes, "{}", params.name);
        assert!(memory <= bound(params.headers_sync, headers, false));
    }
}

#[test]
fn a_chain_ahead_of_schedule_has_no_targets_left() {
    // Where the schedule's room ends, a header has the hardest target there is.
    let params = ChainParams::cairn();
    let pow = &params.consensus.pow;
    let Retarget::Asert(rule) = &pow.retarget else { panic!("cairn has a schedule") };
    let genesis = params.genesis.header.time;
    let last = u32::try_from(longest(&params, 1)).unwrap();
    let latest = genesis + 31_557_600 + 7_200;
    let bits = |parent| crate::pow::asert_work_required(Some(genesis), parent, latest, pow, rule);
    assert_eq!(bits(last).to_consensus(), 0x0101_0000);
    // Within the schedule targets are easy: that is what the bits are kept for.
    assert_eq!(bits(500_000), pow.limit_bits());
}

#[test]
fn before_the_anchor_and_with_a_slow_clock_there_is_a_bound_too() {
    let mut params = ChainParams::cairn();
    let Retarget::Asert(rule) = &mut params.consensus.pow.retarget else { panic!("cairn has a schedule") };
    rule.anchor_height = 10_000_000;
    // The easiest blocks up to the anchor come at six a second.
    assert_eq!(longest(&params, 0), 6 * 7_200);
    assert_eq!(longest(&params, 20), 20_593_050);
    let genesis = [facts(&params.genesis.header)];
    let start = ReceivedChain::new(&genesis[..], Work::ZERO, &params.consensus.pow);
    assert_eq!(longest_chain(&start, genesis[0].time, &params.consensus.pow, 0), 0);
    // Times at the end of all numbers overflow nowhere.
    assert!(longest_chain(&start, 0, &params.consensus.pow, u64::MAX) > 0);
}

#[test]
fn both_passes_stay_within_their_bounds() {
    for params in [regtest as fn(_) -> _, asert]
        .map(|network| network(HeadersSyncParams { commitment_period: 2, redownload_buffer_size: 3_000 }))
    {
        let chain = Miner::new(&params, 1).mine([60; 9_000]);
        let mut sync = sync(&params, chain.chain_work(), 0);
        let mut largest = 0;
        for pass in [HeadersSyncPhase::Presync, HeadersSyncPhase::Redownload] {
            for (messages, headers) in (1_u64..).zip(chain.headers.chunks(MESSAGE)) {
                assert_eq!(sync.phase(), pass);
                sync.process_next_headers(headers, true, NOW).unwrap();
                let shown = if pass == HeadersSyncPhase::Presync { messages * 2_000 } else { 9_000 };
                let bound = bound(params.headers_sync, shown, sync.phase() == HeadersSyncPhase::Redownload);
                assert!(sync.memory() <= bound, "{} of {bound}", sync.memory());
                largest = largest.max(sync.memory());
            }
        }
        // The bound is not idle: a full buffer and a message were there.
        assert!(largest > 48 * 5_000);
        assert_eq!(sync.phase(), HeadersSyncPhase::Final);
        assert!(sync.memory() <= 2_048);
    }
}
