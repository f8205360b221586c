//! `cairn metrics`: files for the programs that watch a node.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Answer;
use crate::metrics::export;

/// Write what Prometheus and Grafana need to watch nodes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn metrics export --dir monitoring\n  \
    cairn metrics export --dir monitoring --target 127.0.0.1:9332 --target 10.0.0.2:9332")]
pub(super) struct MetricsArgs {
    #[command(subcommand)]
    command: MetricsCommand,
}

#[derive(Debug, Subcommand)]
enum MetricsCommand {
    /// Write a configuration for Prometheus, rules for alerts, and a dashboard for Grafana.
    #[command(before_help = "Examples:\n  cairn metrics export --dir monitoring\n  \
        prometheus --config.file=monitoring/prometheus.yml")]
    Export {
        /// Folder to write to; it is made if it is not there.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Where a node serves metrics; again for each node.
        #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9332")]
        target: Vec<String>,
        /// Replace files that are there.
        #[arg(long)]
        force: bool,
    },
}

/// Runs a `cairn metrics` command.
pub(super) fn run(args: &MetricsArgs) -> Answer {
    let MetricsCommand::Export { dir, target, force } = &args.command;
    export_to(dir, target, *force)
}

fn export_to(directory: &Path, targets: &[String], force: bool) -> Answer {
    fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    let files = export::files(targets);
    let there = files.iter().map(|file| directory.join(file.name)).find(|path| path.exists());
    if let Some(path) = there.filter(|_| !force) {
        return Err(format!("{} exists; --force replaces it", path.display()).into());
    }
    let mut text = String::new();
    for file in files {
        let path = directory.join(file.name);
        fs::write(&path, file.content).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        text += &format!("wrote {}\n", path.display());
    }
    Ok(text)
}
