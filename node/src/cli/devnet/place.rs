//! Which devnet is meant.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::failure::Failure;
use crate::config::{ConfigError, Settings, default_datadir};
use crate::devnet::{Attachment, DevnetError, VARIABLE, devnets_in};

/// Options of every command that is for a devnet.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Name of the devnet; needed only if several run.
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    #[command(flatten)]
    datadir: DatadirOption,
}

/// The key of the folder of all data.
#[derive(Debug, Args)]
struct DatadirOption {
    /// Folder of all data; those of devnets are in the folder 'devnet' in it [default: ~/.cairn].
    #[arg(long, value_name = "DIR")]
    datadir: Option<PathBuf>,
}

impl Place {
    /// The folder of all devnets.
    pub(super) fn devnets(&self, settings: &Settings) -> Result<PathBuf, ConfigError> {
        let DatadirOption { datadir } = settings.resolve()?;
        let datadir = datadir.or_else(default_datadir).ok_or(ConfigError::NoHome)?;
        // Nodes are started elsewhere than here.
        let datadir = std::path::absolute(&datadir).unwrap_or(datadir);
        Ok(devnets_in(&datadir))
    }

    /// The devnet that runs.
    ///
    /// # Errors
    ///
    /// When none does, or several and it is not said which.
    pub(super) fn find(&self, settings: &Settings) -> Result<Attachment, Box<dyn Error>> {
        let chosen = std::env::var_os(VARIABLE).filter(|path| !path.is_empty() && self.name.is_none());
        if let Some(path) = chosen {
            let found = Attachment::read_live(Path::new(&path));
            return found.ok_or_else(|| not_running(DevnetError::NotRunning { name: None }).into());
        }
        let found = Attachment::find(&self.devnets(settings)?, self.name.as_deref());
        found.map_err(|error| match error {
            error @ DevnetError::NotRunning { .. } => not_running(error).into(),
            error => error.into(),
        })
    }
}

fn not_running(error: DevnetError) -> Failure {
    Failure::NotThere(error.to_string())
}
