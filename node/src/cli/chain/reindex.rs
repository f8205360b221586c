//! `cairn chain reindex`.

use cairn_chain::chainstate::{Chainstate, ChainstateError, ReindexScope};
use clap::Args;
use serde::Serialize;

use super::options::ChainOptions;
use crate::cli::advice::with_advice;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::progress::{Position, Progress, Unit};
use crate::cli::{Answer, to_json};

/// Compute the block index and the coins again from the block files.
///
/// For data that are damaged. The block files are read where they are, and every block is checked again as if it came now.
/// A reindex that was interrupted has to be run again, from the beginning; until then no other command opens the directory.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn chain reindex --network main\n  \
    cairn chain reindex --network main --chainstate")]
pub(super) struct ReindexArgs {
    /// Keep the block index and compute only the coins again.
    #[arg(long)]
    chainstate: bool,
    #[command(flatten)]
    pub(super) options: ChainOptions,
}

#[derive(Debug, Serialize)]
struct ReindexView {
    height: u32,
    tip: String,
}

/// Runs `cairn chain reindex`.
pub(super) fn run(args: &ReindexArgs) -> Answer {
    let (params, directory) = args.options.existing()?;
    let interruption = Interruption::watch()?;
    let (scope, unit) = if args.chainstate {
        (ReindexScope::Coins, Unit::Things("blocks"))
    } else {
        (ReindexScope::Everything, Unit::Bytes)
    };
    let mut progress = Progress::new("reindexing", unit, interruption);
    let reindexed = Chainstate::reindex(&directory, params, args.options.chainstate_options(), scope, &mut |at| {
        progress.report(Position { done: at.done, total: Some(at.total), height: Some(at.height), transactions: None })
    });
    drop(progress);
    let chainstate = match reindexed {
        Ok(chainstate) => chainstate,
        Err(ChainstateError::Interrupted) => {
            let outcome = "the reindex has to be run again before the directory can be used".to_owned();
            return Err(Failure::Interrupted { outcome }.into());
        }
        Err(error) => return Err(with_advice(error)),
    };
    let tip = chainstate.tip();
    let view = ReindexView { height: tip.height, tip: tip.hash.to_string() };
    if args.options.json { to_json(&view) } else { Ok(format!("tip: height {}, {}\n", view.height, view.tip)) }
}
