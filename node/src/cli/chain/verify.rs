//! `cairn chain verify`.

use cairn_chain::chainstate::{VerifyLevel, VerifySummary};
use clap::Args;
use serde::Serialize;

use super::options::ChainOptions;
use crate::cli::advice::with_advice;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::progress::{Position, Progress, Unit};
use crate::cli::{Answer, to_json};

/// Check the newest blocks on disk again, without changing anything.
///
/// Levels are those of Bitcoin Core's verifychain, each with what the lower ones check: 0 reads blocks, 1 checks them, 2
/// reads undo data, 3 takes the blocks off the coins in memory, 4 connects them again, scripts included. The exit code is 1
/// if anything is wrong.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn chain verify --network main\n  \
    cairn chain verify --network main --level 4 --blocks 0 --json")]
pub(super) struct VerifyArgs {
    /// How thoroughly.
    #[arg(long, value_name = "0-4", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=4))]
    level: u8,
    /// How many blocks; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 6)]
    blocks: u32,
    #[command(flatten)]
    pub(super) options: ChainOptions,
}

#[derive(Debug, Serialize)]
struct VerifyView {
    level: u8,
    blocks: u32,
    pruned: u32,
    failure: Option<FailureView>,
}

#[derive(Debug, Serialize)]
struct FailureView {
    height: u32,
    reason: String,
}

/// Runs `cairn chain verify`.
pub(super) fn run(args: &VerifyArgs) -> Answer {
    let mut chainstate = args.options.open_existing()?;
    let mut progress = Progress::new("verifying", Unit::Things("steps"), Interruption::watch()?);
    let verified = chainstate.verify(level(args.level), args.blocks, &mut |done, total| {
        progress.report(Position { done: done.into(), total: Some(total.into()), ..Position::default() })
    });
    drop(progress);
    let VerifySummary { blocks, pruned, failure } = verified.map_err(with_advice)?;
    let failure = failure.map(|(height, reason)| FailureView { height, reason });
    let view = VerifyView { level: args.level, blocks, pruned, failure };
    let json = args.options.json.then(|| to_json(&view)).transpose()?;
    match &view.failure {
        Some(FailureView { height, reason }) => {
            let message = format!("block at height {height}: {reason}");
            Err(Failure::Found { answer: json.unwrap_or_default(), message }.into())
        }
        None => Ok(json.unwrap_or_else(|| view.good())),
    }
}

impl VerifyView {
    fn good(&self) -> String {
        let pruned = match self.pruned {
            0 => String::new(),
            pruned => format!("; {pruned} more are pruned and were not checked"),
        };
        format!("{} blocks are good at level {}{pruned}\n", self.blocks, self.level)
    }
}

fn level(number: u8) -> VerifyLevel {
    match number {
        0 => VerifyLevel::Read,
        1 => VerifyLevel::Blocks,
        2 => VerifyLevel::Undo,
        3 => VerifyLevel::Disconnect,
        _ => VerifyLevel::Reconnect,
    }
}
