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

use std::env;
use std::time::Instant;

use cairn_tests::block_tree::{Tally, compare};
use cairn_tests::reference::Reference;

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
        tally.add(&compare(&mut Reference::new(), &mut core, seed, blocks));
        println!("seed {seed}: {blocks} blocks, no disagreement, {:.1} s", start.elapsed().as_secs_f64());
    }
    println!("{tally}");
}
