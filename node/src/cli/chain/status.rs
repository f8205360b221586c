//! `cairn chain status`.

use std::fmt;

use cairn_chain::chainstate::ChainStatus;
use clap::Args;
use indicatif::DecimalBytes;
use serde::Serialize;

use super::options::ChainOptions;
use super::write_rows;
use crate::cli::advice::with_advice;
use crate::cli::{Answer, to_json};

/// Show where the chain stands.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn chain status\n  cairn chain status --network main --json")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) options: ChainOptions,
}

/// Where the chain stands. Times are in seconds since 1970, work in expected hashes, sizes in bytes.
#[derive(Debug, Serialize)]
struct StatusView {
    network: String,
    height: u32,
    tip: String,
    time: u32,
    median_time: u32,
    transactions: u64,
    headers: u32,
    best_header: String,
    work: String,
    initial_block_download: bool,
    size_on_disk: u64,
    pruned: bool,
    /// The lowest height from which on all blocks are there.
    prune_height: Option<u32>,
}

/// Runs `cairn chain status`.
pub(super) fn run(args: &StatusArgs) -> Answer {
    let chainstate = args.options.open_existing()?;
    let status = chainstate.status().map_err(with_advice)?;
    let view = StatusView::new(&chainstate.params().name, &status);
    if args.options.json { to_json(&view) } else { Ok(view.to_string()) }
}

impl StatusView {
    fn new(network: &str, status: &ChainStatus) -> Self {
        let prune_height = Some(status.first_body).filter(|height| *height > 0);
        Self {
            network: network.to_owned(),
            height: status.tip.height,
            tip: status.tip.hash.to_string(),
            time: status.time,
            median_time: status.median_time_past,
            transactions: status.transactions,
            headers: status.best_header.height,
            best_header: status.best_header.hash.to_string(),
            work: status.work.to_string(),
            initial_block_download: status.is_initial_block_download,
            size_on_disk: status.block_bytes + status.database_bytes,
            pruned: prune_height.is_some(),
            prune_height,
        }
    }
}

impl fmt::Display for StatusView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = match self.prune_height {
            Some(height) => format!("from height {height} on; those below are pruned"),
            None => "all there".to_owned(),
        };
        let rows = [
            ("network", self.network.clone()),
            ("height", self.height.to_string()),
            ("tip", self.tip.clone()),
            ("time", format!("{} (seconds since 1970), median {}", self.time, self.median_time)),
            ("transactions", self.transactions.to_string()),
            ("headers", format!("up to height {}", self.headers)),
            ("work", self.work.clone()),
            ("up to date", if self.initial_block_download { "no" } else { "yes" }.to_owned()),
            ("size on disk", DecimalBytes(self.size_on_disk).to_string()),
            ("blocks", blocks),
        ];
        write_rows(f, &rows)
    }
}
