//! `cairn config`: what a node is told to do, and where that stands.

mod show;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};

use clap::{Args, Subcommand};

use super::Answer;
use crate::config::{Config, FileOption, Given, Settings, template};

/// Write a configuration file, check it, and show what holds.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn config init\n  \
    cairn config show --origin\n  \
    cairn config check --config /etc/cairn.toml")]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Write a file with all keys, what they mean and their defaults, in comments.
    ///
    /// The file is cairn.toml in --datadir, or the one that --config names. It must not be there yet.
    #[command(before_help = "Examples:\n  cairn config init\n  cairn config init --config /etc/cairn.toml")]
    Init {
        #[command(flatten)]
        keys: Box<Keys>,
    },
    /// Show the values of all keys, as the file would have them.
    #[command(before_help = "Examples:\n  \
        cairn config show\n  cairn config show --origin --network signet\n  cairn config show --json")]
    Show {
        /// Show where each value comes from.
        #[arg(long, help_heading = None)]
        origin: bool,
        /// Print JSON instead of TOML.
        #[arg(long, help_heading = None)]
        json: bool,
        #[command(flatten)]
        keys: Box<Keys>,
    },
    /// Check all values, wherever they stand; the exit code is 0 if they are good.
    #[command(before_help = "Examples:\n  cairn config check\n  cairn config check --config /etc/cairn.toml")]
    Check {
        #[command(flatten)]
        keys: Box<Keys>,
    },
}

/// Everything `cairn run` takes.
#[derive(Debug, Args)]
struct Keys {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    file: FileOption,
}

/// Runs a `cairn config` command.
pub(super) fn run(args: &ConfigArgs, given: &Given) -> Answer {
    match &args.command {
        ConfigCommand::Init { .. } => init(given),
        ConfigCommand::Show { origin, json, .. } => show::run(&Settings::gather(given)?, *origin, *json),
        ConfigCommand::Check { .. } => check(given),
    }
}

fn init(given: &Given) -> Answer {
    let path = Settings::file_to_write(given)?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| format!("cannot make {}: {error}", parent.display()))?;
    }
    let written = File::create_new(&path).and_then(|mut file| file.write_all(template().as_bytes()));
    match written {
        Ok(()) => Ok(format!("wrote {}\n", path.display())),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(format!("{} exists already and is left as it is; 'cairn config show' says what holds", path.display())
                .into())
        }
        Err(error) => Err(format!("cannot write {}: {error}", path.display()).into()),
    }
}

fn check(given: &Given) -> Answer {
    let settings = Settings::gather(given)?;
    let params = settings.resolve::<Config>()?.check()?;
    let file = settings.file();
    let read =
        if file.exists() { format!("{} and the environment", file.display()) } else { "the environment".to_owned() };
    Ok(format!("network {}: {read} are good\n", params.name))
}
