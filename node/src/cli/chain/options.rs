//! Which chain, where it lies, and what it may use.

use std::error::Error;
use std::path::{Path, PathBuf};

use cairn_chain::chainstate::{Chainstate, ChainstateOptions};
use cairn_chain::params::ChainParams;
use cairn_chain::store::DataDirectory;
use clap::Args;

use crate::cli::advice::with_advice;
use crate::config::{ChainConfig, FileOption, Settings};

/// What all `cairn chain` commands have in common.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(super) struct ChainOptions {
    #[command(flatten)]
    config: ChainConfig,
    #[command(flatten)]
    file: FileOption,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

impl ChainOptions {
    /// Takes over what the environment and the file set and the command line does not.
    pub(super) fn take(&mut self, settings: &Settings) -> Result<(), Box<dyn Error>> {
        self.config = settings.resolve()?;
        Ok(())
    }

    pub(super) fn params(&self) -> Result<ChainParams, Box<dyn Error>> {
        Ok(self.config.network.params()?)
    }

    /// Where the network's data are.
    pub(super) fn directory(&self, params: &ChainParams) -> Result<PathBuf, Box<dyn Error>> {
        Ok(self.config.network.directory(params)?)
    }

    /// Memory for coins, in bytes.
    pub(super) fn cache_bytes(&self) -> usize {
        self.config.cache_bytes()
    }

    pub(super) fn chainstate_options(&self) -> ChainstateOptions {
        self.config.chainstate_options()
    }

    /// The network, and where its data are, which must be there already.
    pub(super) fn existing(&self) -> Result<(ChainParams, PathBuf), Box<dyn Error>> {
        let params = self.params()?;
        let directory = self.directory(&params)?;
        if !DataDirectory::exists(&directory) {
            return Err(no_data(&params, &directory).into());
        }
        Ok((params, directory))
    }

    /// Opens a chain state that is there already.
    pub(super) fn open_existing(&self) -> Result<Chainstate, Box<dyn Error>> {
        let (params, directory) = self.existing()?;
        Chainstate::open(&directory, params, self.chainstate_options()).map_err(with_advice)
    }
}

fn no_data(params: &ChainParams, directory: &Path) -> String {
    format!(
        "there is no chain of network {} in {}; choose where it is with --datadir and --network, or make it with \
         'cairn chain import'",
        params.name,
        directory.display()
    )
}
