//! `cairn chain prune`.

use clap::Args;
use serde::Serialize;

use super::options::ChainOptions;
use crate::cli::advice::with_advice;
use crate::cli::{Answer, to_json};

/// Remove old blocks from disk.
///
/// A file goes when all its blocks lie at or below the height, so some may stay. The newest 288 blocks always stay, and so do
/// the coins: the chain can still grow, but what was removed can no longer be exported or checked again.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn chain prune --network main 800000")]
pub(super) struct PruneArgs {
    /// Height of the last block that may go.
    height: u32,
    #[command(flatten)]
    pub(super) options: ChainOptions,
}

#[derive(Debug, Serialize)]
struct PruneView {
    /// The lowest height from which on all blocks are there.
    first_block: u32,
    freed_bytes: u64,
    size_on_disk: u64,
}

/// Runs `cairn chain prune`.
pub(super) fn run(args: &PruneArgs) -> Answer {
    let mut chainstate = args.options.open_existing()?;
    let before = chainstate.status().map_err(with_advice)?.block_bytes;
    let first_block = chainstate.prune_to_height(args.height).map_err(with_advice)?;
    let after = chainstate.status().map_err(with_advice)?.block_bytes;
    let view = PruneView { first_block, freed_bytes: before.saturating_sub(after), size_on_disk: after };
    if args.options.json {
        return to_json(&view);
    }
    let (freed, rest) = (indicatif::DecimalBytes(view.freed_bytes), indicatif::DecimalBytes(view.size_on_disk));
    Ok(format!("freed {freed}, kept {rest}: all blocks from height {} on\n", view.first_block))
}
