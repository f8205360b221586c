use bitcoin::TxMerkleNode;
use bitcoin::block::Version;
use bitcoin::hex::DisplayHex;
use proptest::prelude::*;

use super::*;
use crate::header_chain::HeaderChain;
use crate::params::{ChainParams, RegtestOptions};
use crate::primitives::{hash_header, header_bytes};

fn genesis() -> ChainParams {
    ChainParams::regtest(RegtestOptions::default())
}

fn new_index() -> BlockIndex {
    let genesis = genesis().genesis;
    BlockIndex::new(&genesis.header, genesis.hash)
}

fn add(index: &mut BlockIndex, parent: BlockId, nonce: u32) -> BlockId {
    let header = Header {
        version: Version::from_consensus(4),
        prev_blockhash: index[parent].hash,
        merkle_root: TxMerkleNode::all_zeros(),
        time: nonce,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce,
    };
    index.insert(&header, hash_header(&header_bytes(&header)), parent)
}

/// A tree: block `i + 1` stands on the block that `parents[i]` chooses among those before.
fn tree(parents: &[prop::sample::Index]) -> BlockIndex {
    let mut index = new_index();
    for (number, parent) in (1u32..).zip(parents) {
        let parent = BlockId(u32::try_from(parent.index(number as usize)).unwrap());
        add(&mut index, parent, number);
    }
    index
}

fn slow_ancestor(index: &BlockIndex, mut id: BlockId, height: u32) -> BlockId {
    while index[id].height > height {
        id = index[id].parent;
    }
    id
}

#[test]
fn ancestors_of_a_long_chain() {
    let mut index = new_index();
    let mut tip = BlockId::GENESIS;
    for nonce in 1..=3_000 {
        tip = add(&mut index, tip, nonce);
    }
    for height in 0..=3_000 {
        assert_eq!(index[index.ancestor(tip, height)].height, height);
    }
    let chain = ActiveChain::to(tip, &index);
    assert_eq!((chain.height(), chain.tip()), (3_000, tip));
}

#[test]
fn invalidity_goes_up_and_validity_both_ways() {
    let mut index = new_index();
    let first = add(&mut index, BlockId::GENESIS, 1);
    let second = add(&mut index, first, 2);
    let third = add(&mut index, second, 3);
    let beside = add(&mut index, first, 4);
    assert_eq!(index.best_header(), third);
    assert_eq!(index.mark_failed(second), [second, third]);
    assert_eq!(index.best_header(), beside, "of two headers of equal work the first");
    assert_eq!(index.mark_failed(first), [first, beside]);
    assert_eq!(index.best_header(), BlockId::GENESIS);
    index.unmark_failed(second);
    let failed = |id: BlockId| index[id].status.contains(BlockStatus::FAILED);
    assert_eq!([first, second, third, beside].map(failed), [false, false, false, true]);
    assert_eq!(index.best_header(), third);
}

/// What is on disks today must be read for ever.
#[test]
fn golden_chunk() {
    let mut index = new_index();
    let entry = index.entry_mut(BlockId::GENESIS);
    entry.status = BlockStatus::VALID_TRANSACTIONS | BlockStatus::HAVE_DATA;
    entry.transactions = 1;
    entry.body = RecordPosition { file: 2, offset: 8, length: 285, checksum: 0x0102_0304 };
    entry.undo = UndoPosition { offset: 5, length: 6, checksum: 7 };
    let [(key, bytes)] = &index.take_dirty()[..] else { panic!("one chunk") };
    assert_eq!(key.as_hex().to_string(), "6200000000");
    assert_eq!(
        bytes.as_hex().to_string(),
        "01\
         0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3\
         888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000\
         05010000000200000008000000\
         1d01000004030201050000000600000007000000"
    );
    assert!(index.take_dirty().is_empty());
}

use super::entry::UndoPosition;

proptest! {
    #[test]
    fn trees_survive_and_know_their_ancestors(parents in prop::collection::vec(any::<prop::sample::Index>(), 0..400)) {
        let mut index = tree(&parents);
        let chunks = index.take_dirty();
        // Genesis is written by whoever makes the index.
        let chunks = if chunks.is_empty() { vec![(records::chunk_key(0), index.encode_chunk(0))] } else { chunks };
        prop_assert!(chunks.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut loaded = None;
        for (_, chunk) in chunks {
            BlockIndex::read_chunk(&mut loaded, &chunk, index[BlockId::GENESIS].hash, 0).unwrap();
        }
        let mut loaded = loaded.unwrap();
        loaded.recompute_best_header();
        prop_assert_eq!(loaded.len(), index.len());
        prop_assert_eq!(loaded.best_header(), index.best_header());
        for (id, entry) in index.iter() {
            prop_assert_eq!(loaded.header(id), index.header(id));
            prop_assert_eq!(loaded.find(&entry.hash), Some(id));
            prop_assert_eq!((loaded[id].work, loaded[id].height), (entry.work, entry.height));
            for height in 0..=entry.height {
                prop_assert_eq!(index.ancestor(id, height), slow_ancestor(&index, id, height));
            }
        }
        let last = BlockId(u32::try_from(index.len() - 1).unwrap());
        let active = ActiveChain::to(index.best_header(), &index);
        let view = ChainView::new(&index, &active, last);
        for height in 0..=index[last].height {
            prop_assert_eq!(view.header_at(height), index[slow_ancestor(&index, last, height)].facts());
        }
        prop_assert_eq!(active.find_fork(last, &index), index.last_common_ancestor(last, active.tip()));
    }
}
