//! Trees of blocks against Bitcoin Core's kernel, or, without the feature `oracle`, against what the generator expects alone.
//!
//! | variable | means | default |
//! |---|---|---|
//! | `CAIRN_SEED` | seed of the first tree; each other tree takes the next number | 1 |
//! | `CAIRN_SEEDS` | how many trees | 2 |
//! | `CAIRN_BLOCKS` | blocks of each; from 2,000 on, every lock, mutation and answer must occur | 300 |
//!
//! A long run: `CAIRN_SEEDS=20 CAIRN_BLOCKS=2000 cargo test -p cairn-tests --features oracle --test block_trees -- --nocapture`.
#![allow(clippy::print_stdout, reason = "a test prints what it did")]

use std::collections::HashSet;
use std::env;
use std::time::Instant;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use cairn_chain::hash::sha256d;
use cairn_tests::block_judge::{Answer, BlockJudge, Class, Failure, Judgement};
use cairn_tests::block_tree::{Tally, compare};
use cairn_tests::reference::Reference;
use cairn_tests::stored_node::StoredNode;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
fn judgements_and_tips_are_cores() {
    let first = number("CAIRN_SEED", 1);
    let blocks = usize::try_from(number("CAIRN_BLOCKS", 300)).expect("a number of blocks");
    let mut tally = Tally::default();
    for seed in first..first + number("CAIRN_SEEDS", 2) {
        let start = Instant::now();
        #[cfg(feature = "oracle")]
        let mut core = cairn_tests::kernel::Kernel::new();
        #[cfg(not(feature = "oracle"))]
        let mut core = Reference::new();
        // Nearly everything goes through the disk, and the node is closed and opened again now and then.
        let mut node = StoredNode::new(64 << 10, 97);
        tally.add(&compare(&mut node, &mut core, seed, blocks));
        println!("seed {seed}: {blocks} blocks, no disagreement, {:.1} s", start.elapsed().as_secs_f64());
    }
    println!("{tally}");
}

/// A node that holds a mutated body against the hash: it locks itself out of the real block.
struct Gullible {
    node: Reference,
    mutated: HashSet<[u8; 80]>,
}

impl BlockJudge for Gullible {
    fn submit(&mut self, bytes: &[u8]) -> Judgement {
        let header = bytes.first_chunk().copied();
        if header.is_some_and(|header| self.mutated.contains(&header)) {
            let failure = Failure { class: Class::CachedInvalid, reason: None };
            return Judgement { answer: Answer::Rejected(failure), failed: Vec::new() };
        }
        let judgement = self.node.submit(bytes);
        if matches!(&judgement.answer, Answer::Rejected(failure) if failure.class == Class::Mutated) {
            self.mutated.extend(header);
        }
        judgement
    }

    fn tip(&self) -> BlockHash {
        self.node.tip()
    }
}

/// A node that takes whatever came last for its tip, however little work it has.
struct LastSeen(Reference, Vec<BlockHash>);

impl BlockJudge for LastSeen {
    fn submit(&mut self, bytes: &[u8]) -> Judgement {
        let judgement = self.0.submit(bytes);
        if judgement.answer == Answer::Stored && judgement.failed.is_empty() {
            let header = bytes.first_chunk::<80>().expect("a stored block has a header");
            self.1.push(BlockHash::from_byte_array(sha256d(header)));
        }
        judgement
    }

    fn tip(&self) -> BlockHash {
        self.1.last().copied().unwrap_or_else(|| self.0.tip())
    }
}

#[test]
#[should_panic(expected = "the two disagree")]
fn a_node_that_condemns_mutated_blocks_is_found_out() {
    let mut gullible = Gullible { node: Reference::new(), mutated: HashSet::new() };
    compare(&mut gullible, &mut Reference::new(), 1, 300);
}

#[test]
#[should_panic(expected = "the two disagree")]
fn a_node_that_follows_whatever_came_last_is_found_out() {
    compare(&mut LastSeen(Reference::new(), Vec::new()), &mut Reference::new(), 1, 300);
}
