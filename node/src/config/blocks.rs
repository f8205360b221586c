//! Which blocks are kept, and how they are checked.

use cairn_chain::chainstate::{AssumeValid, ChainstateOptions};
use clap::Args;

/// Keys about blocks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Blocks")]
pub(crate) struct BlocksConfig {
    /// Remove old blocks, so that files of blocks take this many MiB; at least 550 [default: keep all].
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(550..))]
    pub(crate) prune: Option<u32>,
    /// Block whose ancestors' scripts need no check; 0 checks all [default: the one the network knows].
    #[arg(long, value_name = "HASH|0", value_parser = parse_assume_valid)]
    pub(crate) assume_valid: Option<AssumeValid>,
}

impl BlocksConfig {
    /// The options with what these keys say.
    pub(crate) fn apply(&self, options: ChainstateOptions) -> ChainstateOptions {
        ChainstateOptions {
            assume_valid: self.assume_valid.unwrap_or_default(),
            prune_target: self.prune.map(|mebibytes| u64::from(mebibytes) << 20),
            ..options
        }
    }
}

fn parse_assume_valid(text: &str) -> Result<AssumeValid, String> {
    match text {
        "0" => Ok(AssumeValid::Nothing),
        hash => hash.parse().map(AssumeValid::Block).map_err(|_| "expected a block hash or 0".to_owned()),
    }
}
