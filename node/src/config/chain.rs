//! Which chain, where it lies, and what it may use.

use std::path::PathBuf;

use cairn_chain::chainstate::ChainstateOptions;
use cairn_chain::params::{ActivationOverride, BUILTIN_NETWORKS, ChainParams, RegtestOptions};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::ConfigError;

/// Keys that every command has which opens a chain.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chain")]
pub(crate) struct ChainConfig {
    /// Network whose chain it is.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "cairn",
        value_parser = PossibleValuesParser::new(BUILTIN_NETWORKS),
        conflicts_with = "spec"
    )]
    pub(crate) network: String,
    /// Spec file of a private network, instead of a network's name.
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Option<PathBuf>,
    /// Let a rule hold from another height on; for regtest, and again for each rule.
    #[arg(long, value_name = "RULE@HEIGHT", conflicts_with = "spec")]
    pub(crate) test_activation_height: Vec<ActivationOverride>,
    /// Folder of all data; each network has its own folder in it [default: ~/.cairn].
    #[arg(long, value_name = "DIR")]
    pub(crate) datadir: Option<PathBuf>,
    /// Memory for coins, in MiB.
    #[arg(long, value_name = "MB", default_value_t = 450, value_parser = clap::value_parser!(u32).range(4..))]
    pub(crate) cache: u32,
    /// Threads that verify [default: one on each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl ChainConfig {
    /// The network.
    ///
    /// # Errors
    ///
    /// When the spec file is wrong, or rules are to be changed that this network fixes.
    pub(crate) fn params(&self) -> Result<ChainParams, ConfigError> {
        let activation_heights = self.test_activation_height.clone();
        match &self.spec {
            Some(_) if !activation_heights.is_empty() => {
                Err(ConfigError::Excludes { first: "spec", second: "test-activation-height" })
            }
            Some(file) => Ok(ChainParams::from_spec_file(file)?),
            None => {
                let options = RegtestOptions { activation_heights, ..RegtestOptions::default() };
                Ok(ChainParams::select(&self.network, options)?)
            }
        }
    }

    /// Whether the network is one of those that a single person runs, where an old tip says nothing.
    pub(crate) fn may_rest(&self) -> bool {
        self.spec.is_none() && matches!(self.network.as_str(), "regtest" | "devnet")
    }

    /// Folder of all data.
    ///
    /// # Errors
    ///
    /// When none was chosen and the user has no home directory.
    pub(crate) fn datadir(&self) -> Result<PathBuf, ConfigError> {
        self.datadir.clone().or_else(default_datadir).ok_or(ConfigError::NoHome)
    }

    /// Where the network's data are.
    ///
    /// # Errors
    ///
    /// As [`Self::datadir`].
    pub(crate) fn directory(&self, params: &ChainParams) -> Result<PathBuf, ConfigError> {
        Ok(self.datadir()?.join(&params.name))
    }

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

/// Folder of all data unless another is chosen.
pub(super) fn default_datadir() -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?;
    Some(home.join(".cairn"))
}
