//! Headers from peers: which are worth the memory, and how they are asked for.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use cairn_chain::chainstate::ChainstateOptions;
use cairn_chain::headers_sync::{HeadersSyncPhase, NextStep};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::pow::{U256, Work};
use cairn_chain::primitives::Block;

use crate::own_chain::{Fault, Tip};
use crate::submit::Node;

fn node(minimum_chain_work: Option<u64>) -> Node {
    let minimum_chain_work = minimum_chain_work.map(work);
    let options = ChainstateOptions { threads: 1, minimum_chain_work, ..Default::default() };
    Node::new(ChainParams::regtest(RegtestOptions::default()), options)
}

fn work(hashes: u64) -> Work {
    Work::new(U256::from(hashes))
}

/// Blocks on top of one, without spends.
fn extend(mut tip: Tip, blocks: u32, salt: u64) -> (Tip, Vec<Vec<u8>>) {
    let mut bodies = Vec::new();
    for _ in 0..blocks {
        let (next, body) = tip.extend(0, salt, Fault::None);
        bodies.push(body);
        tip = next;
    }
    (tip, bodies)
}

fn headers(bodies: &[Vec<u8>]) -> Vec<Header> {
    bodies.iter().map(|body| *Block::decode(body.clone()).unwrap().header()).collect()
}

#[test]
fn the_threshold_is_a_day_of_blocks_below_the_tip() {
    let mut node = node(None);
    assert_eq!(node.chainstate().anti_dos_work_threshold(), Work::ZERO);
    // Two hashes a block, genesis included; 144 blocks are not counted.
    let (tip, bodies) = extend(Tip::genesis(), 143, 0);
    bodies.into_iter().for_each(|body| assert_eq!(node.submit(body).submitted, None));
    assert_eq!(node.chainstate().anti_dos_work_threshold(), Work::ZERO);
    let (_, bodies) = extend(tip, 2, 0);
    for (above, body) in (1_u64..).zip(bodies) {
        assert_eq!(node.submit(body).submitted, None);
        assert_eq!(node.chainstate().anti_dos_work_threshold(), work(2 * above));
    }
}

#[test]
fn the_threshold_is_no_less_than_what_the_chain_is_known_to_have() {
    let mut node = node(Some(10));
    assert_eq!(node.chainstate().anti_dos_work_threshold(), work(10));
    let (_, bodies) = extend(Tip::genesis(), 150, 0);
    bodies.into_iter().for_each(|body| assert_eq!(node.submit(body).submitted, None));
    assert_eq!(node.chainstate().anti_dos_work_threshold(), work(14));
}

#[test]
fn a_locator_follows_the_branch_it_is_asked_for() {
    let mut node = node(None);
    let (trunk, bodies) = extend(Tip::genesis(), 20, 0);
    bodies.into_iter().for_each(|body| assert_eq!(node.submit(body).submitted, None));
    let (active, bodies) = extend(trunk.clone(), 3, 1);
    bodies.into_iter().for_each(|body| assert_eq!(node.submit(body).submitted, None));
    // Only its headers came.
    let (beside, bodies) = extend(trunk, 4, 2);
    node.chainstate().accept_headers(&headers(&bodies), true).unwrap().unwrap();
    let beside_hashes: Vec<BlockHash> = headers(&bodies).iter().map(Header::block_hash).collect();

    let heights = |node: &mut Node, tip: &Tip| -> Vec<u32> {
        let locator = node.chainstate().locator(&tip.hash).unwrap();
        locator.iter().map(|hash| node.chainstate().lookup(hash).unwrap().height).collect()
    };
    assert_eq!(heights(&mut node, &active), [23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 10, 6, 0]);
    assert_eq!(heights(&mut node, &beside), [24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 11, 7, 0]);
    let locator = node.chainstate().locator(&beside.hash).unwrap();
    assert!(locator[..4].iter().eq(beside_hashes.iter().rev()));
    assert_eq!(node.chainstate().locator(&bitcoin::hashes::Hash::all_zeros()), None);
}

/// A chain fetched twice is accepted; one with too little work leaves nothing.
#[test]
fn a_chain_of_unknown_work_is_fetched_twice() {
    let (tip, bodies) = extend(Tip::genesis(), 60, 0);
    let headers = headers(&bodies);
    for (minimum_chain_work, enough) in [(2 * 61, true), (2 * 61 + 1, false)] {
        let mut node = node(Some(minimum_chain_work));
        let genesis = node.tip();
        let mut sync = node.chainstate().headers_sync(&genesis).unwrap();
        let now = node.chainstate().adjusted_time();
        assert!(node.chainstate().accept_headers(&headers, false).unwrap().is_err());

        assert!(sync.process_next_headers(&headers[..40], true, now).unwrap().pow_validated_headers.is_empty());
        assert_eq!(sync.next_headers_request_locator()[..2], [headers[39].block_hash(), genesis]);
        let first = sync.process_next_headers(&headers[40..], false, now).unwrap();
        assert!(first.pow_validated_headers.is_empty());
        if !enough {
            assert_eq!((first.next, sync.phase()), (NextStep::TooLittleWork, HeadersSyncPhase::Final));
            assert_eq!(node.chainstate().best_header().hash, genesis);
            continue;
        }
        assert_eq!((first.next, sync.next_headers_request_locator()[0]), (NextStep::RequestMore, genesis));
        let second = sync.process_next_headers(&headers, false, now).unwrap();
        assert_eq!(second.next, NextStep::Complete);
        node.chainstate().accept_headers(&second.pow_validated_headers, true).unwrap().unwrap();
        assert_eq!(node.chainstate().best_header().hash, tip.hash);
    }
    let mut node = node(None);
    assert!(node.chainstate().headers_sync(&tip.hash).is_none());
}
