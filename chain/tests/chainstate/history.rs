//! Chains that go forth and back.

use cairn_chain::chainstate::{ChainEvent, Chainstate, ChainstateError, ChainstateOptions, ReindexScope, VerifyLevel};
use cairn_chain::params::{ChainParams, RegtestOptions};
use std::ops::ControlFlow;

use crate::own_chain::{Fault, Tip};
use crate::submit::Node;

fn regtest() -> ChainParams {
    ChainParams::regtest(RegtestOptions::default())
}

fn node(cache_bytes: usize) -> Node {
    Node::new(regtest(), ChainstateOptions { cache_bytes, threads: 2, block_file_size: 20_000, ..Default::default() })
}

fn accept(node: &mut Node, block: Vec<u8>) {
    assert_eq!(node.submit(block).submitted, None);
}

/// A trunk of blocks with spends, and its last block.
fn grow(node: &mut Node, mut tip: Tip, blocks: u32, salt: u64) -> Tip {
    for _ in 0..blocks {
        let (next, block) = tip.extend(5, salt, Fault::None);
        accept(node, block);
        tip = next;
    }
    tip
}

/// Connecting and then disconnecting gives the coins of before, whether they were in memory, frozen or on disk.
#[test]
fn what_is_connected_can_be_taken_back() {
    for cache_bytes in [0, 20 << 10, 200 << 10, 64 << 20] {
        let mut node = node(cache_bytes);
        let trunk = grow(&mut node, Tip::genesis(), 120, 0);
        let before = node.coins();
        let first = node.chainstate().tip().height + 1;
        grow(&mut node, trunk, 60, 1);
        let after = node.coins();
        assert_ne!(before, after);
        let hash = node.chainstate().block_hash(first).unwrap();
        node.chainstate().invalidate_block(&hash).unwrap();
        assert_eq!(node.coins(), before, "cache of {cache_bytes}");
        node.reopen(true);
        assert_eq!(node.coins(), before, "cache of {cache_bytes}");
        node.chainstate().reconsider_block(&hash).unwrap();
        assert_eq!(node.coins(), after, "cache of {cache_bytes}");
        let all = node.chainstate().verify(VerifyLevel::Reconnect, 0, &mut |_, _| ControlFlow::Continue(())).unwrap();
        assert_eq!((all.blocks, all.pruned, all.failure), (180, 0, None));
    }
}

/// A better chain with a bad block in it: the node ends where it was, and says nothing but that the block is bad.
#[test]
fn a_reorganisation_that_fails_returns_to_the_old_tip() {
    for fault in [Fault::Script, Fault::MissingCoin] {
        let mut node = node(0);
        let trunk = grow(&mut node, Tip::genesis(), 110, 0);
        let old = grow(&mut node, trunk.clone(), 3, 1);
        let before = node.coins();
        let mut fork = trunk;
        for (number, fault) in [Fault::None, Fault::None, fault, Fault::None].into_iter().enumerate() {
            let (next, block) = fork.extend(5, 2, fault);
            let answer = node.submit(block);
            if number == 3 {
                assert_eq!(answer.found_invalid.len(), 1, "{answer:?}");
            }
            fork = next;
        }
        assert_eq!(node.tip(), old.hash);
        assert_eq!(node.coins(), before);
        // Nobody may build on the bad block.
        let (_, block) = fork.extend(0, 2, Fault::None);
        assert_eq!(node.submit(block).submitted.as_deref(), Some("bad-prevblk"));
        node.reopen(true);
        assert_eq!((node.tip(), node.coins()), (old.hash, before));
    }
}

#[test]
fn a_reorganisation_is_one_event() {
    let mut node = node(0);
    let trunk = grow(&mut node, Tip::genesis(), 105, 0);
    grow(&mut node, trunk.clone(), 2, 1);
    node.chainstate().take_events();
    let mut tip = trunk.clone();
    for _ in 0..3 {
        let (next, block) = tip.extend(1, 2, Fault::None);
        node.chainstate()
            .process_new_block(std::sync::Arc::new(cairn_chain::primitives::Block::decode(block).unwrap()), true)
            .unwrap()
            .unwrap();
        tip = next;
    }
    let events = node.chainstate().take_events();
    let [ChainEvent::TipChanged { fork, disconnected, connected }] = &events[..] else {
        panic!("one event: {events:?}")
    };
    assert_eq!((fork.hash, disconnected.len(), connected.len()), (trunk.hash, 2, 3));
    assert_eq!(connected.last().unwrap().hash, tip.hash);
    assert_eq!(disconnected[0].height, trunk.height + 2, "the old tip first");
}

#[test]
fn of_two_tips_with_the_same_work_the_precious_one_leads() {
    let mut node = node(0);
    let trunk = grow(&mut node, Tip::genesis(), 3, 0);
    let first = grow(&mut node, trunk.clone(), 1, 1);
    let (second, block) = trunk.extend(0, 2, Fault::None);
    assert_eq!(node.submit(block).submitted.as_deref(), Some("inconclusive"));
    for tip in [&second, &first, &second] {
        node.chainstate().precious_block(&tip.hash).unwrap();
        assert_eq!(node.tip(), tip.hash);
    }
    node.reopen(true);
    node.chainstate().activate().unwrap();
    assert_eq!(node.tip(), second.hash, "the active tip stays active");
}

/// Bodies that waited for their parent take their turns in the order in which they came.
#[test]
fn of_siblings_that_waited_the_first_leads() {
    let mut node = node(0);
    let (one, block_one) = Tip::genesis().extend(0, 0, Fault::None);
    let siblings = [1, 2].map(|salt| one.extend(0, salt, Fault::None));
    let headers: Vec<_> = [&block_one, &siblings[0].1, &siblings[1].1]
        .map(|block| *cairn_chain::primitives::Block::decode(block.clone()).unwrap().header())
        .into();
    node.chainstate().accept_headers(&headers, true).unwrap().unwrap();
    for (_, block) in &siblings {
        assert_eq!(node.submit(block.clone()).submitted.as_deref(), Some("inconclusive"));
    }
    accept(&mut node, block_one);
    assert_eq!(node.tip(), siblings[0].0.hash);
}

/// A pruned chain goes on, and refuses what would need the bodies that are gone.
#[test]
fn a_pruned_chain_refuses_what_it_cannot_do() {
    let mut node = node(0);
    let mut tip = Tip::genesis();
    let mut blocks = Vec::new();
    for _ in 0..450 {
        let (next, block) = tip.extend(1, 0, Fault::None);
        accept(&mut node, block.clone());
        blocks.push((next.hash, block));
        tip = next;
    }
    let first = node.chainstate().prune_to_height(150).unwrap();
    assert!(first > 10, "{first}");
    assert!(node.chainstate().block(&blocks[5].0).is_err());
    let expected = node.coins();
    node.reopen(true);
    assert_eq!((node.tip(), node.coins()), (tip.hash, expected));
    let refused = node.chainstate().invalidate_block(&blocks[5].0);
    assert!(matches!(refused, Err(ChainstateError::NotAvailable { .. })), "{refused:?}");
    assert_eq!(node.tip(), tip.hash);
    let refused = node.chainstate().prune_to_height(200);
    assert!(matches!(refused, Err(ChainstateError::PruneTooHigh { limit: 162, got: 200 })), "{refused:?}");
}

#[test]
fn everything_but_the_blocks_can_be_computed_again() {
    let mut node = node(0);
    let trunk = grow(&mut node, Tip::genesis(), 130, 0);
    let short = grow(&mut node, trunk.clone(), 2, 1);
    let mut fork = trunk;
    for _ in 0..3 {
        let (next, block) = fork.extend(2, 2, Fault::None);
        node.submit(block);
        fork = next;
    }
    let expected = (node.tip(), node.coins());
    assert_ne!(expected.0, short.hash);
    for scope in [ReindexScope::Everything, ReindexScope::Coins] {
        node.reindex(scope, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!((node.tip(), node.coins()), expected);
        node.reopen(false);
        assert_eq!((node.tip(), node.coins()), expected);
    }
    // One that is interrupted has to be begun again.
    let interrupted = node.reindex(ReindexScope::Everything, &mut |_| ControlFlow::Break(()));
    assert!(matches!(interrupted, Err(ChainstateError::Interrupted)));
    let refused = Chainstate::open(node.path(), regtest(), ChainstateOptions::default());
    assert!(matches!(refused, Err(ChainstateError::ReindexUnfinished)));
    node.reindex(ReindexScope::Everything, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((node.tip(), node.coins()), expected);
}

#[test]
fn blocks_without_an_index_are_not_taken_for_garbage() {
    let mut node = node(0);
    grow(&mut node, Tip::genesis(), 5, 0);
    node.chainstate().flush().unwrap();
    let expected = node.coins();
    node.chainstate = None;
    std::fs::remove_dir_all(node.path().join("database")).unwrap();
    let refused = Chainstate::open(node.path(), regtest(), ChainstateOptions::default());
    assert!(matches!(refused, Err(ChainstateError::IndexMissing { .. })), "{refused:?}");
    node.reindex(ReindexScope::Everything, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(node.coins(), expected);
}
