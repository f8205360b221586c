//! `cairn chain import`.

mod standard_input;
mod view;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cairn_chain::chainstate::{BlockSource, Chainstate, ChainstateError};
use clap::Args;

use super::options::ChainOptions;
use crate::cli::advice::with_advice;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::progress::{Position, Progress, Unit};
use crate::cli::{Answer, to_json};
use crate::config::BlocksConfig;
use standard_input::StandardInput;
use view::ImportView;

/// Import blocks from files or standard input.
///
/// Files have the framing of Bitcoin Core's blk*.dat: magic, length, block. Gaps, zero padding, blocks in any order and
/// blocks of other networks are passed over or put in order; files that Core obfuscated are read with the xor.dat beside
/// them. Every rule is checked. Blocks that break one are counted and left out; the command fails only if no block was
/// accepted and none was known.
///
/// An import that was interrupted, by whatever, goes on where it was when the same command is run again. Ctrl-C stops
/// cleanly with exit code 5, a second Ctrl-C at once.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn chain import --network main ~/.bitcoin/blocks/blk*.dat\n  \
    cairn chain import --network main --prune 2000 --cache 2000 ~/.bitcoin/blocks/blk*.dat\n  \
    zstd -dc main.blocks.zst | cairn chain import --network main --json -")]
pub(super) struct ImportArgs {
    /// Files, or - for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) blocks: BlocksConfig,
    #[command(flatten)]
    pub(super) options: ChainOptions,
}

/// Runs `cairn chain import`.
pub(super) fn run(args: &ImportArgs) -> Answer {
    let start = Instant::now();
    let params = args.options.params()?;
    let interruption = Interruption::watch()?;
    let mut source = open_source(&args.files, params.magic, &interruption)?;
    let directory = args.options.directory(&params)?;
    let network = params.name.clone();
    let options = args.blocks.apply(args.options.chainstate_options());
    let mut chainstate = Chainstate::open(&directory, params, options).map_err(with_advice)?;

    let mut progress = Progress::new("importing", Unit::Bytes, interruption.clone());
    let imported = chainstate.import(&mut source, &mut |at| {
        progress.report(Position {
            done: at.bytes_read,
            total: at.total_bytes,
            height: Some(at.height),
            transactions: Some(at.transactions),
        })
    });
    drop(progress);

    let was_cut_short = source.total_bytes().is_none() && interruption.is_requested();
    let summary = match imported {
        Ok(summary) if !was_cut_short => summary,
        Ok(_) | Err(ChainstateError::Interrupted) => {
            let tip = chainstate.tip();
            let outcome = format!("all up to height {} is kept, and the same command goes on from there", tip.height);
            return Err(Failure::Interrupted { outcome }.into());
        }
        Err(error) => return Err(with_advice(error)),
    };
    let view = ImportView::new(chainstate.tip(), &summary, start.elapsed());
    let json = args.options.json.then(|| to_json(&view)).transpose()?;
    match view.failure(&network) {
        Some(message) => Err(Failure::Found { answer: json.unwrap_or_default(), message }.into()),
        None => Ok(json.unwrap_or_else(|| view.to_string())),
    }
}

fn open_source(files: &[PathBuf], magic: [u8; 4], interruption: &Interruption) -> Result<BlockSource, Box<dyn Error>> {
    match files {
        [file] if file == Path::new("-") => Ok(BlockSource::stream(StandardInput::new(interruption.clone()), magic)),
        files if files.iter().any(|file| file == Path::new("-")) => {
            let message = "standard input (-) cannot be imported together with files";
            Err(Failure::Usage(message.to_owned()).into())
        }
        files => Ok(BlockSource::files(files.to_vec(), magic).map_err(|error| format!("cannot read {error}"))?),
    }
}
