//! `cairn devnet exec`: any command of ours, for one of the nodes.

use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;

use super::place::Place;
use crate::cli::Answer;
use crate::config::Settings;

/// Run a command for a node: it finds the node's data, ports and cookie by itself.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  cairn devnet exec alice -- rpc getblockcount\n  cairn devnet exec bob -- peers\n  \
    cairn devnet exec carol -- health"
)]
pub(super) struct ExecArgs {
    /// The node.
    node: String,
    #[command(flatten)]
    place: Place,
    /// The command, as it stands after 'cairn'.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Runs `cairn devnet exec`. The command takes the place of this process.
pub(super) fn run(args: &ExecArgs, settings: &Settings) -> Answer {
    let devnet = args.place.find(settings)?;
    let node = devnet.node(&args.node)?;
    let mut command = Command::new(std::env::current_exe()?);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CAIRN_")) {
        command.env_remove(name);
    }
    match &devnet.spec {
        Some(spec) => command.env("CAIRN_SPEC", spec),
        None => command.env("CAIRN_NETWORK", &devnet.network),
    };
    command
        .args(&args.command)
        .env("CAIRN_DATADIR", &node.datadir)
        .env("CAIRN_RPC_PORT", node.rpc.port().to_string())
        .env("CAIRN_METRICS_PORT", node.metrics.port().to_string());
    Err(format!("cannot run the command: {}", command.exec()).into())
}
