//! Which chain, and where it lies.

use std::path::PathBuf;

use cairn_chain::params::{ActivationOverride, BUILTIN_NETWORKS, ChainParams, RegtestOptions};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::ConfigError;

/// Keys that every command has which asks for a node or its data.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chain")]
pub(crate) struct NetworkConfig {
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
}

impl NetworkConfig {
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
}

/// Folder of all data unless another is chosen.
pub(super) fn default_datadir() -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?;
    Some(home.join(".cairn"))
}
