//! Which chain, where it lies, and what it may use.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use cairn_chain::chainstate::{Chainstate, ChainstateOptions};
use cairn_chain::params::{ActivationOverride, BUILTIN_NETWORKS, ChainParams, RegtestOptions};
use cairn_chain::store::DataDirectory;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::advice::with_advice;

/// What all `cairn chain` commands have in common.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(super) struct ChainOptions {
    /// Network whose chain it is.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "cairn",
        value_parser = PossibleValuesParser::new(BUILTIN_NETWORKS),
        conflicts_with = "spec"
    )]
    network: String,
    /// Spec file of a private network.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Let a rule hold from another height on; for regtest, and again for each rule.
    #[arg(long, value_name = "RULE@HEIGHT", conflicts_with = "spec")]
    test_activation_height: Vec<ActivationOverride>,
    /// Folder of all data; each network has its own folder in it [default: ~/.cairn].
    #[arg(long, value_name = "DIR", env = "CAIRN_DATADIR")]
    datadir: Option<PathBuf>,
    /// Memory for coins, in MiB.
    #[arg(long, value_name = "MB", default_value_t = 450, value_parser = clap::value_parser!(u32).range(4..))]
    cache: u32,
    /// Threads that verify [default: one on each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

impl ChainOptions {
    pub(super) fn params(&self) -> Result<ChainParams, Box<dyn Error>> {
        if let Some(file) = &self.spec {
            return Ok(ChainParams::from_spec_file(file)?);
        }
        let activation_heights = self.test_activation_height.clone();
        Ok(ChainParams::select(&self.network, RegtestOptions { activation_heights, ..RegtestOptions::default() })?)
    }

    /// Where the network's data are.
    pub(super) fn directory(&self, params: &ChainParams) -> Result<PathBuf, Box<dyn Error>> {
        let datadir = match &self.datadir {
            Some(datadir) => datadir.clone(),
            None => env::home_dir()
                .filter(|home| !home.as_os_str().is_empty())
                .ok_or("there is no home directory to keep data in; choose a directory with --datadir")?
                .join(".cairn"),
        };
        Ok(datadir.join(&params.name))
    }

    /// Memory for coins, in bytes.
    pub(super) fn cache_bytes(&self) -> usize {
        usize::try_from(u64::from(self.cache) << 20).unwrap_or(usize::MAX)
    }

    pub(super) fn chainstate_options(&self) -> ChainstateOptions {
        ChainstateOptions {
            cache_bytes: self.cache_bytes(),
            threads: self.threads.map_or(0, usize::from),
            ..ChainstateOptions::default()
        }
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
