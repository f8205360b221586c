//! Chains from and to files.

use std::fs;

use super::{Example, run};
use crate::harness::node_process::chain;
use crate::stage::Stage;

pub(super) const EXAMPLES: &[Example] = &[
    Example::Ends("cairn chain import --network main ~/.bitcoin/blocks/blk*.dat"),
    Example::Ends("cairn chain import --network main --prune 2000 --cache 2000 ~/.bitcoin/blocks/blk*.dat"),
    Example::Ends("cairn chain status"),
    Example::Ends("cairn chain status --network main"),
    Example::Ends("cairn chain status --network main --json"),
    Example::Ends("cairn chain verify --network main"),
    Example::Ends("cairn chain verify --network main --blocks 100"),
    Example::Ends("cairn chain verify --network main --level 4 --blocks 0 --json"),
    Example::Ends("cairn chain utxo-stats --network main"),
    Example::Ends("cairn chain utxo-stats --network main --hash muhash --json"),
    Example::Ends("cairn chain export --network main --output main.blocks"),
    Example::Ends("cairn chain export --network main | zstd > main.blocks.zst"),
    Example::Ends("cairn chain export --network main --from 800000 --to 800999 | zstd > thousand.blocks.zst"),
    Example::Ends("zstd -dc main.blocks.zst | cairn chain import --network main --json -"),
    Example::Ends("cairn chain reindex --network main"),
    Example::Ends("cairn chain reindex --network main --chainstate"),
];

pub(super) const PRUNE: &[Example] = &[Example::Ends("cairn chain prune --network main 800000")];

/// A chain on regtest stands for the one that a reader has of Bitcoin, and its heights for those of that.
#[test]
fn chains() {
    let mut stage = Stage::new();
    for (written, meant) in
        [("--network main", "--network regtest"), ("--cache 2000", "--cache 8"), ("800000", "100"), ("800999", "110")]
    {
        stage.let_mean(written, meant);
    }
    stage.write(".bitcoin/blocks/blk00000.dat", fs::read(chain().block_file()).unwrap());
    stage.install("zstd", "[ \"$1\" = -dc ] && exec cat \"$2\"\nexec cat\n");
    run(&stage, EXAMPLES);
    // The newest 288 blocks always stay, so that nothing of this chain can go.
    stage.let_mean("800000", "0");
    run(&stage, PRUNE);
}
