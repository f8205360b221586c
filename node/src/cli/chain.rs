//! `cairn chain`: blocks in, blocks out, and what the chain state holds.

mod export;
mod import;
mod options;
mod prune;
mod reindex;
mod status;
mod utxo_stats;
mod verify;

use std::fmt::{self, Formatter};

use clap::{Args, Subcommand};

use super::Answer;
use crate::config::{Given, Settings};
use options::ChainOptions;

/// Import, export and check blocks, and ask what the chain state holds.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn chain import --network main ~/.bitcoin/blocks/blk*.dat\n  \
    cairn chain status --network main\n  \
    cairn chain verify --network main --blocks 100\n  \
    cairn chain export --network main | zstd > main.blocks.zst")]
pub(super) struct ChainArgs {
    #[command(subcommand)]
    command: ChainCommand,
}

#[derive(Debug, Subcommand)]
enum ChainCommand {
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Verify(verify::VerifyArgs),
    Status(status::StatusArgs),
    UtxoStats(utxo_stats::UtxoStatsArgs),
    Prune(prune::PruneArgs),
    Reindex(reindex::ReindexArgs),
}

/// Runs a `cairn chain` command.
pub(super) fn run(args: ChainArgs, given: &Given) -> Answer {
    let mut command = args.command;
    let settings = Settings::gather(given)?;
    command.options().take(&settings)?;
    match command {
        ChainCommand::Import(mut args) => {
            args.blocks = settings.resolve()?;
            import::run(&args)
        }
        ChainCommand::Export(args) => export::run(&args),
        ChainCommand::Verify(args) => verify::run(&args),
        ChainCommand::Status(args) => status::run(&args),
        ChainCommand::UtxoStats(args) => utxo_stats::run(&args),
        ChainCommand::Prune(args) => prune::run(&args),
        ChainCommand::Reindex(args) => reindex::run(&args),
    }
}

impl ChainCommand {
    fn options(&mut self) -> &mut ChainOptions {
        match self {
            Self::Import(args) => &mut args.options,
            Self::Export(args) => &mut args.options,
            Self::Verify(args) => &mut args.options,
            Self::Status(args) => &mut args.options,
            Self::UtxoStats(args) => &mut args.options,
            Self::Prune(args) => &mut args.options,
            Self::Reindex(args) => &mut args.options,
        }
    }
}

/// Labels and values, one pair a line.
fn write_rows(f: &mut Formatter<'_>, rows: &[(&str, String)]) -> fmt::Result {
    rows.iter().try_for_each(|(label, value)| writeln!(f, "{label:<18} {value}"))
}
