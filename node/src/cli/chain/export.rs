//! `cairn chain export`.

mod partial_file;

use std::error::Error;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use cairn_chain::chainstate::{Chainstate, ChainstateError, ExportRange};
use clap::Args;
use serde::Serialize;

use super::options::ChainOptions;
use crate::cli::advice::with_advice;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::progress::{Position, Progress, Unit};
use crate::cli::{Answer, to_json};
use partial_file::PartialFile;

/// Bytes that are written at once.
const BUFFER_SIZE: usize = 1 << 20;

/// Export blocks of the active chain to a file or standard output.
///
/// The framing is that of Bitcoin Core's blk*.dat: magic, length, block. A file is written under another name until it is
/// complete. What was exported is told on standard output, or on standard error if that is where the blocks go.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn chain export --network main --output main.blocks\n  \
    cairn chain export --network main --from 800000 --to 800999 | zstd > thousand.blocks.zst")]
pub(super) struct ExportArgs {
    /// Height of the first block.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    from: u32,
    /// Height of the last block [default: the tip's].
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u32>,
    /// File to write, instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    pub(super) options: ChainOptions,
}

#[derive(Debug, Serialize)]
struct ExportView {
    blocks: u32,
    from: u32,
    to: u32,
}

/// Runs `cairn chain export`.
pub(super) fn run(args: &ExportArgs) -> Answer {
    if args.to.is_some_and(|to| to < args.from) {
        return Err(Failure::Usage("--to must not be lower than --from".to_owned()).into());
    }
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    match file {
        Some(path) if path.exists() && !args.force => {
            return Err(format!("{} exists; --force replaces it", path.display()).into());
        }
        None if io::stdout().is_terminal() => {
            return Err("a terminal cannot show blocks; name a file with --output, or pipe them elsewhere".into());
        }
        _ => {}
    }
    let chainstate = args.options.open_existing()?;
    let tip = chainstate.tip().height;
    if let Some(height) = [Some(args.from), args.to].into_iter().flatten().find(|height| *height > tip) {
        return Err(format!("there is no block at height {height} yet: the tip is at height {tip}").into());
    }
    match file {
        Some(path) => args.export_to_file(&chainstate, path),
        None => args.export_to_standard_output(&chainstate),
    }
}

impl ExportArgs {
    fn export_to_file(&self, chainstate: &Chainstate, path: &Path) -> Answer {
        let mut file = PartialFile::create(path)?;
        let blocks = self.export(chainstate, file.writer()).map_err(|error| match error {
            ChainstateError::Interrupted => {
                Failure::Interrupted { outcome: format!("{} was not written", path.display()) }.into()
            }
            error => with_advice(error),
        })?;
        file.finish()?;
        self.answer(blocks)
    }

    fn export_to_standard_output(&self, chainstate: &Chainstate) -> Answer {
        let mut stdout = BufWriter::with_capacity(BUFFER_SIZE, io::stdout().lock());
        match self.export(chainstate, &mut stdout) {
            Ok(blocks) => {
                // If standard error is closed there is nobody left to tell.
                let _ = io::stderr().write_all(self.answer(blocks)?.as_bytes());
                Ok(String::new())
            }
            Err(ChainstateError::Stream { source, .. }) if source.kind() == ErrorKind::BrokenPipe => Ok(String::new()),
            Err(ChainstateError::Interrupted) => {
                Err(Failure::Interrupted { outcome: "the blocks are not complete".to_owned() }.into())
            }
            Err(error) => Err(with_advice(error)),
        }
    }

    fn export(&self, chainstate: &Chainstate, stream: &mut dyn Write) -> Result<u32, ChainstateError> {
        let interruption = Interruption::watch()
            .map_err(|error| ChainstateError::Stream { action: "write", source: std::sync::Arc::new(error) })?;
        let mut progress = Progress::new("exporting", Unit::Things("blocks"), interruption);
        chainstate.export(ExportRange { from: self.from, to: self.to }, stream, &mut |done, total| {
            let height = Some(self.from.saturating_add(done.saturating_sub(1)));
            progress.report(Position { done: done.into(), total: Some(total.into()), height, transactions: None })
        })
    }

    fn answer(&self, blocks: u32) -> Result<String, Box<dyn Error>> {
        let view = ExportView { blocks, from: self.from, to: self.from.saturating_add(blocks.saturating_sub(1)) };
        if self.options.json {
            return to_json(&view);
        }
        Ok(format!("exported {} blocks, height {} to {}\n", view.blocks, view.from, view.to))
    }
}
