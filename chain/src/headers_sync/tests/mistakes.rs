//! One case for each error, and for each way to end without one.

use super::*;
use crate::pow::BitcoinRetarget;

const PARAMS: HeadersSyncParams = HeadersSyncParams { commitment_period: 3, redownload_buffer_size: 6 };

/// Two chains of a hundred headers on each network.
fn setups() -> [(ChainParams, Miner, Miner); 2] {
    [regtest(PARAMS), asert(PARAMS)].map(|params| {
        let mine = |root| Miner::new(&params, root).mine([50; 100]);
        let (one, other) = (mine(1), mine(2));
        (params, one, other)
    })
}

/// The error that a message ends in, and that nothing is left afterwards.
#[track_caller]
fn error(sync: &mut HeadersSyncState, headers: &[Header]) -> HeadersSyncError {
    let error = sync.process_next_headers(headers, true, NOW).unwrap_err();
    assert_eq!(sync.phase(), HeadersSyncPhase::Final);
    assert_eq!(sync.process_next_headers(headers, true, NOW), Err(HeadersSyncError::Finished));
    error
}

/// A sync whose first pass is over.
fn redownload(params: &ChainParams, chain: &Miner) -> HeadersSyncState {
    let mut sync = sync(params, chain.chain_work(), 1);
    assert_eq!(sync.process_next_headers(&chain.headers, true, NOW).unwrap().next, NextStep::RequestMore);
    assert_eq!(sync.phase(), HeadersSyncPhase::Redownload);
    sync
}

#[test]
fn headers_that_do_not_follow() {
    for (params, chain, other) in setups() {
        let headers = &chain.headers;
        let mut with_gap = headers[..20].to_vec();
        with_gap.remove(10);
        let gap = HeadersSyncError::NonContinuous { height: 11, expected: hash(&headers[9]), got: hash(&headers[10]) };
        let unconnecting =
            HeadersSyncError::Unconnecting { expected: params.genesis.hash, got: headers[1].prev_blockhash };
        let first_pass = || sync(&params, chain.chain_work(), 1);
        let second_pass = || redownload(&params, &chain);
        for mut sync in [first_pass(), second_pass()] {
            assert_eq!(error(&mut sync, &with_gap), gap);
        }
        for mut sync in [first_pass(), second_pass()] {
            assert_eq!(error(&mut sync, &headers[1..]), unconnecting);
        }
        for mut sync in [first_pass(), second_pass()] {
            sync.process_next_headers(&headers[..10], true, NOW).unwrap();
            let error = error(&mut sync, &other.headers[10..]);
            assert!(matches!(error, HeadersSyncError::Unconnecting { expected, .. } if expected == hash(&headers[9])));
        }
    }
}

#[test]
fn headers_without_work() {
    for (params, chain, _) in setups() {
        let mut unproven = chain.headers[5];
        while check_proof_of_work(&hash(&unproven), unproven.bits, params.consensus.pow.limit).is_ok() {
            unproven.nonce += 1;
        }
        let mut too_easy = chain.headers[5];
        too_easy.bits = CompactTarget::from_consensus(0x2100_ffff);
        for bad in [unproven, too_easy] {
            let message = [&chain.headers[..5], &[bad]].concat();
            for mut sync in [sync(&params, chain.chain_work(), 1), redownload(&params, &chain)] {
                assert!(matches!(error(&mut sync, &message), HeadersSyncError::ProofOfWork { height: 6, .. }));
            }
        }
    }
}

#[test]
fn targets_that_bitcoins_rule_never_allows() {
    let mut params = regtest(PARAMS);
    // Periods of four blocks, at a target that can be multiplied without overflow.
    let bits = CompactTarget::from_consensus(0x1f7f_ffff);
    params.genesis.header.bits = bits;
    params.consensus.pow = PowParams {
        limit: crate::pow::decode_compact(bits).value,
        target_spacing: 1,
        retarget: Retarget::Bitcoin(BitcoinRetarget {
            target_timespan: 4,
            allow_min_difficulty_blocks: false,
            enforce_bip94: false,
            no_retargeting: true,
        }),
    };
    let chain = Miner::new(&params, 1).mine([1; 20]);
    let with_bits = |index: usize, bits| {
        let header = Header { bits: CompactTarget::from_consensus(bits), ..chain.headers[index] };
        [&chain.headers[..index], &[chain.prove(header)]].concat()
    };
    for mut sync in [sync(&params, chain.chain_work(), 1), redownload(&params, &chain)] {
        assert!(matches!(
            error(&mut sync, &with_bits(5, 0x1f7f_fffe)),
            HeadersSyncError::DifficultyTransition { height: 6, .. }
        ));
    }
    // A new period may be harder, by a factor of four.
    let mut sync = sync(&params, chain.chain_work(), 1);
    assert!(sync.process_next_headers(&with_bits(7, 0x1f20_0000), true, NOW).is_ok());
    let mut sync = super::sync(&params, chain.chain_work(), 1);
    let too_hard = error(&mut sync, &with_bits(7, 0x1f1f_0000));
    assert!(matches!(too_hard, HeadersSyncError::DifficultyTransition { height: 8, .. }));
}

#[test]
fn targets_that_do_not_follow_from_the_schedule() {
    let params = asert(PARAMS);
    let chain = Miner::new(&params, 1).mine([50; 100]);
    // Before the anchor, at it, after it.
    for index in [2, 4, 5, 40] {
        let required = chain.headers[index].bits;
        let bits = CompactTarget::from_consensus(required.to_consensus() - 1);
        let message = [&chain.headers[..index], &[chain.prove(Header { bits, ..chain.headers[index] })]].concat();
        let height = u32::try_from(index + 1).unwrap();
        for mut sync in [sync(&params, chain.chain_work(), 1), redownload(&params, &chain)] {
            let expected = HeadersSyncError::DifficultyBits { height, expected: required, got: bits };
            assert_eq!(error(&mut sync, &message), expected);
        }
    }
}

#[test]
fn a_chain_from_the_next_century_is_not_easy() {
    let params = asert(PARAMS);
    let mut chain = Miner::new(&params, 1).mine([1; 50]);
    let regular = chain.headers[49].bits;
    chain.push(chain.next(2_000_000_000));
    chain.push(chain.next(1));
    assert!(Work::from_compact(chain.headers[51].bits) < Work::from_compact(regular));
    let mut sync = sync(&params, chain.chain_work(), 1);
    let latest = NOW + crate::validation::MAX_FUTURE_BLOCK_TIME;
    let got = chain.headers[50].time;
    assert_eq!(error(&mut sync, &chain.headers), HeadersSyncError::TimeTooNew { height: 51, latest, got });
}

#[test]
fn a_start_above_the_anchor_knows_the_schedule() {
    let params = asert(PARAMS);
    let chain = Miner::new(&params, 1).mine([7; 60]);
    for start in [3, 4, 5, 6, 30] {
        let (facts, headers) = (&chain.facts[..=start], &chain.headers[start..]);
        let start_work = work(&[params.genesis.header]) + work(&chain.headers[..start]);
        let mut sync = HeadersSyncState::new(&params, facts, start_work, chain.chain_work(), NOW);
        assert_eq!(sync.process_next_headers(headers, true, NOW).unwrap().next, NextStep::RequestMore);
        assert_eq!(sync.presync_height(), 60);
        let result = sync.process_next_headers(headers, false, NOW).unwrap();
        assert_eq!((result.next, result.pow_validated_headers.as_slice()), (NextStep::Complete, headers));
    }
}

#[test]
fn a_chain_that_is_longer_than_chains_can_be() {
    let params = regtest(PARAMS);
    let chain = Miner::new(&params, 1).mine([1; 100]);
    // Thirteen seconds of six blocks each: 78, which are 26 periods.
    let now = u64::from(params.genesis.header.time) - crate::validation::MAX_FUTURE_BLOCK_TIME + 13;
    let mut sync = sync_at(&params, chain.chain_work(), 2, now);
    assert!(sync.process_next_headers(&chain.headers[..79], true, now).is_ok());
    let result = sync.process_next_headers(&chain.headers[79..], true, now);
    // The first commitment is at height 2, the 27th at height 80.
    assert_eq!(result, Err(HeadersSyncError::TooManyCommitments { height: 80, maximum: 26 }));
    assert_eq!(sync.phase(), HeadersSyncPhase::Final);
}

#[test]
fn another_chain_in_the_second_pass() {
    for (params, chain, other) in setups() {
        let mut sync = redownload(&params, &chain);
        assert!(matches!(error(&mut sync, &other.headers), HeadersSyncError::CommitmentMismatch { .. }));
    }
}

#[test]
fn a_longer_chain_of_less_work_in_the_second_pass() {
    // The first chain is far ahead of its schedule, so its blocks count for more. Secrets that do not tell headers apart would
    // let the second one through.
    let params = asert(HeadersSyncParams { commitment_period: 50, ..PARAMS });
    let fast = Miner::new(&params, 1).mine([1; 120]);
    let slow = Miner::new(&params, 2).mine([60; 160]);
    assert!(slow.chain_work() < fast.chain_work());
    let secrets_do_not_tell = |salt: &u8| {
        let mut commitments = Commitments::new([*salt; 16], 50, 0);
        [50, 100].iter().for_each(|&height| commitments.add(height, &fast.facts[height as usize].hash));
        [50, 100].iter().all(|&height| commitments.verify(height, &slow.facts[height as usize].hash).is_ok())
    };
    let salt = (0..=255).find(secrets_do_not_tell).unwrap();
    let start = [facts(&params.genesis.header)];
    let commitments = Commitments::new([salt; 16], 50, 0);
    let start_work = work(&[params.genesis.header]);
    let mut sync =
        HeadersSyncState::with_commitments(&params, &start[..], start_work, fast.chain_work(), NOW, commitments);
    assert_eq!(sync.process_next_headers(&fast.headers, true, NOW).unwrap().next, NextStep::RequestMore);
    assert_eq!(error(&mut sync, &slow.headers), HeadersSyncError::CommitmentOverrun { height: 150 });
}

#[test]
fn a_chain_that_grew_between_the_passes() {
    for (params, chain, _) in setups() {
        let mut sync = redownload(&params, &chain);
        let grown = Miner { headers: chain.headers.clone(), facts: chain.facts.clone(), ..chain }.mine([50; 30]);
        let result = sync.process_next_headers(&grown.headers, false, NOW).unwrap();
        assert_eq!((result.next, result.pow_validated_headers), (NextStep::Complete, grown.headers));
    }
}

#[test]
fn a_peer_that_does_not_send_its_chain_again() {
    for (params, chain, _) in setups() {
        // Those with the buffer's six on top leave it all the same.
        for (sent, validated) in [(0, 0), (6, 0), (7, 1), (99, 93)] {
            let mut sync = redownload(&params, &chain);
            let result = sync.process_next_headers(&chain.headers[..sent], false, NOW).unwrap();
            assert_eq!((result.next, sync.phase()), (NextStep::Incomplete, HeadersSyncPhase::Final));
            assert_eq!(result.pow_validated_headers, chain.headers[..validated]);
        }
    }
}

#[test]
fn a_message_without_headers_ends_it() {
    for (params, chain, _) in setups() {
        let mut sync = sync(&params, chain.chain_work(), 1);
        sync.process_next_headers(&chain.headers[..50], true, NOW).unwrap();
        let result = sync.process_next_headers(&[], true, NOW).unwrap();
        assert_eq!(result, ProcessingResult { pow_validated_headers: vec![], next: NextStep::TooLittleWork });
        assert_eq!(sync.phase(), HeadersSyncPhase::Final);
    }
}

#[test]
fn requests_begin_where_the_pass_is_and_end_with_what_both_have() {
    let params = regtest(PARAMS);
    let chain = Miner::new(&params, 1).mine([600; 40]);
    let start = &chain.facts[..=20];
    let start_work = work(&[params.genesis.header]) + work(&chain.headers[..20]);
    let mut sync = HeadersSyncState::new(&params, start, start_work, chain.chain_work(), NOW);
    let locator = |first: BlockHash| [vec![first], start.locator()].concat();
    assert_eq!(sync.next_headers_request_locator(), locator(start[20].hash));
    sync.process_next_headers(&chain.headers[20..30], true, NOW).unwrap();
    assert_eq!(sync.next_headers_request_locator(), locator(chain.facts[30].hash));
    sync.process_next_headers(&chain.headers[30..], false, NOW).unwrap();
    assert_eq!(sync.next_headers_request_locator(), locator(start[20].hash));
    sync.process_next_headers(&chain.headers[20..25], true, NOW).unwrap();
    assert_eq!(sync.next_headers_request_locator(), locator(chain.facts[25].hash));
}
