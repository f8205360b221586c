//! What the chain state may use.

use cairn_chain::chainstate::ChainstateOptions;
use clap::Args;

use super::NetworkConfig;

/// Keys that every command has which opens a chain.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chain")]
pub(crate) struct ChainConfig {
    /// Which chain, and where it lies.
    #[command(flatten)]
    pub(crate) network: NetworkConfig,
    /// Memory for coins, in MiB.
    #[arg(long, value_name = "MB", default_value_t = 450, value_parser = clap::value_parser!(u32).range(4..))]
    pub(crate) cache: u32,
    /// Threads that verify [default: one on each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl ChainConfig {
    /// Memory for coins, in bytes.
    pub(crate) fn cache_bytes(&self) -> usize {
        usize::try_from(u64::from(self.cache) << 20).unwrap_or(usize::MAX)
    }

    /// How the chain state is to be run, as far as these keys say.
    pub(crate) fn chainstate_options(&self) -> ChainstateOptions {
        ChainstateOptions {
            cache_bytes: self.cache_bytes(),
            threads: self.threads.map_or(0, usize::from),
            ..ChainstateOptions::default()
        }
    }
}
