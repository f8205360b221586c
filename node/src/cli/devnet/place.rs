//! Which devnet is meant.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;

use crate::cli::failure::Failure;
use crate::config::{ConfigError, Settings};
use crate::devnet::{Attachment, DevnetError, devnets_in};

/// Options of every command that is for a devnet.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Name of the devnet; needed only if several run.
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Folder of all data; those of devnets are in the folder 'devnets' in it [default: ~/.cairn].
    #[arg(long, value_name = "DIR")]
    #[allow(dead_code, reason = "read by its name, as it may also stand in the environment")]
    datadir: Option<PathBuf>,
}

impl Place {
    /// The folder of all devnets.
    pub(super) fn devnets(&self, settings: &Settings) -> Result<PathBuf, ConfigError> {
        Ok(devnets_in(&absolute(settings)?))
    }

    /// The devnet that runs.
    ///
    /// # Errors
    ///
    /// When none does, or several and it is not said which.
    pub(super) fn find(&self, settings: &Settings) -> Result<Attachment, Box<dyn Error>> {
        let is_option = settings.is_option("datadir");
        Attachment::chosen(&absolute(settings)?, self.name.as_deref(), is_option).map_err(|error| match error {
            error @ (DevnetError::NotRunning { .. } | DevnetError::Variable { .. }) => {
                Failure::NotThere(error.to_string()).into()
            }
            error => error.into(),
        })
    }
}

/// The folder of all data. Nodes are started elsewhere than here, and so are programs that are told of it.
fn absolute(settings: &Settings) -> Result<PathBuf, ConfigError> {
    let datadir = settings.datadir()?;
    Ok(std::path::absolute(&datadir).unwrap_or(datadir))
}
