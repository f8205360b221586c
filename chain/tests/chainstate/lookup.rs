//! What is asked about single blocks and branches.

use std::sync::Arc;

use cairn_chain::chainstate::{ChainTip, ChainTipStatus, ChainstateError, ChainstateOptions};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;

use crate::own_chain::{Fault, Tip};
use crate::submit::Node;

fn node() -> Node {
    let options = ChainstateOptions { threads: 1, block_file_size: 4_000, ..Default::default() };
    Node::new(ChainParams::regtest(RegtestOptions::default()), options)
}

fn grow(node: &mut Node, mut tip: Tip, blocks: u32, salt: u64) -> Tip {
    for _ in 0..blocks {
        let (next, block) = tip.extend(5, salt, Fault::None);
        node.submit(block);
        tip = next;
    }
    tip
}

#[test]
fn a_block_and_what_it_spent_are_read_from_another_thread() {
    let mut node = node();
    let trunk = grow(&mut node, Tip::genesis(), 110, 0);
    let (next, bytes) = trunk.extend(5, 0, Fault::None);
    node.submit(bytes.clone());
    let stored = node.chainstate().stored_block(&next.hash).unwrap();
    assert_eq!((stored.reference.height, stored.has_body(), stored.has_undo()), (111, true, true));
    std::thread::spawn(move || {
        assert_eq!(stored.bytes().unwrap(), bytes);
        let (block, spent) = (stored.block().unwrap(), stored.spent().unwrap());
        let inputs: usize = block.transactions().skip(1).map(|transaction| transaction.input_count()).sum();
        assert!(inputs > 0);
        assert_eq!(spent.len(), inputs);
        let created: i64 = block
            .transactions()
            .skip(1)
            .flat_map(|transaction| transaction.outputs())
            .map(|output| output.value())
            .sum();
        let spent: u64 = spent.iter().map(|coin| coin.amount.to_sat()).sum();
        assert!(i64::try_from(spent).unwrap() >= created);
    })
    .join()
    .unwrap();
    let genesis = node.chainstate().block_hash(0).unwrap();
    let stored = node.chainstate().stored_block(&genesis).unwrap();
    assert_eq!((stored.block().unwrap().hash(), stored.spent().unwrap()), (genesis, vec![]));
}

#[test]
fn a_header_alone_has_no_body_and_a_block_beside_the_chain_no_undo() {
    let mut node = node();
    let trunk = grow(&mut node, Tip::genesis(), 3, 0);
    let (beside, block) = Tip::genesis().extend(0, 7, Fault::None);
    node.submit(block);
    let stored = node.chainstate().stored_block(&beside.hash).unwrap();
    assert!(stored.has_body() && !stored.has_undo());
    assert!(matches!(stored.spent(), Err(ChainstateError::NotAvailable { .. })));
    assert_eq!(node.chainstate().chain_transactions(&beside.hash), Some(2));

    let (above, block) = trunk.extend(0, 0, Fault::None);
    let header = *Block::decode(block).unwrap().header();
    node.chainstate().accept_headers(&[header], true).unwrap().unwrap();
    let stored = node.chainstate().stored_block(&above.hash).unwrap();
    assert!(!stored.has_body() && !stored.has_undo());
    assert!(matches!(stored.bytes(), Err(ChainstateError::NotAvailable { .. })));
    assert_eq!(node.chainstate().chain_transactions(&above.hash), None);
    assert!(!node.chainstate().was_pruned(&above.hash));
    assert_eq!(node.chainstate().chain_transactions(&trunk.hash), Some(4));
}

#[test]
fn a_pruned_body_was_there_once() {
    let mut node = node();
    grow(&mut node, Tip::genesis(), 320, 0);
    let (first, last) = (node.chainstate().block_hash(1).unwrap(), node.chainstate().block_hash(320).unwrap());
    let kept = node.chainstate().stored_block(&first).unwrap();
    node.chainstate().prune_to_height(20).unwrap();
    assert!(node.chainstate().was_pruned(&first) && !node.chainstate().was_pruned(&last));
    assert!(!node.chainstate().stored_block(&first).unwrap().has_body());
    assert!(kept.bytes().is_err(), "the file went between looking it up and reading it");
    assert_eq!(node.chainstate().chain_transactions(&first), Some(2), "counts outlive bodies");
}

#[test]
fn each_branch_has_its_tip_and_status() {
    let mut node = node();
    let trunk = grow(&mut node, Tip::genesis(), 105, 0);
    let status = |node: &mut Node, tip: &Tip, branch_length, status| {
        let tips = node.chainstate().chain_tips();
        let expected = ChainTip {
            block: tips.iter().find(|found| found.block.hash == tip.hash).unwrap().block,
            branch_length,
            status,
        };
        assert!(tips.contains(&expected), "{expected:?} in {tips:?}");
        assert_eq!(expected.block.height, tip.height);
        tips.len()
    };
    assert_eq!(status(&mut node, &trunk, 0, ChainTipStatus::Active), 1);

    // Connected once, then left for a longer branch.
    let old = grow(&mut node, trunk.clone(), 1, 1);
    let active = grow(&mut node, trunk.clone(), 2, 2);
    // Shorter from the start.
    let short = grow(&mut node, Tip::genesis(), 2, 3);
    // A script that fails.
    let (one, block) = active.extend(1, 4, Fault::Script);
    node.submit(block);
    // A header without its body.
    let (header_only, block) = trunk.extend(0, 5, Fault::None);
    let header = *Block::decode(block).unwrap().header();
    node.chainstate().accept_headers(&[header], true).unwrap().unwrap();

    status(&mut node, &active, 0, ChainTipStatus::Active);
    status(&mut node, &old, 1, ChainTipStatus::ValidFork);
    status(&mut node, &short, 2, ChainTipStatus::ValidHeaders);
    status(&mut node, &one, 1, ChainTipStatus::Invalid);
    assert_eq!(status(&mut node, &header_only, 1, ChainTipStatus::HeadersOnly), 5);
    let heights: Vec<u32> = node.chainstate().chain_tips().iter().map(|tip| tip.block.height).collect();
    assert!(heights.is_sorted_by(|one, next| one >= next), "{heights:?}");

    // Every tip but the first of genesis is active, and is one whatever is on top of it.
    node.chainstate().invalidate_block(&one.hash).unwrap();
    let block = node.chainstate().stored_block(&active.hash).unwrap().block().unwrap();
    assert!(node.chainstate().process_new_block(Arc::new(block), true).unwrap().is_ok());
    status(&mut node, &active, 0, ChainTipStatus::Active);
}
