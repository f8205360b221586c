//! `cairn devnet exec`: any command of ours, for one of the nodes.

use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;

use super::place::Place;
use crate::cli::Answer;
use crate::config::Settings;
use crate::devnet::own_program;

/// Run a command of cairn for a node: it finds the node's data, ports and cookie by itself.
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
    /// The command of cairn, with or without the word 'cairn' before it.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Runs `cairn devnet exec`. The command takes the place of this process.
pub(super) fn run(args: &ExecArgs, settings: &Settings) -> Answer {
    let devnet = args.place.find(settings)?;
    let node = devnet.node(&args.node)?;
    let program = own_program()?;
    let mut command = Command::new(&program.path);
    command.arg0(&program.name);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CAIRN_")) {
        command.env_remove(name);
    }
    match &devnet.spec {
        Some(spec) => command.env("CAIRN_SPEC", spec),
        None => command.env("CAIRN_NETWORK", &devnet.network),
    };
    command
        .args(without_program(&args.command))
        .env("CAIRN_DATADIR", &node.datadir)
        .env("CAIRN_RPC_PORT", node.rpc.port().to_string())
        .env("CAIRN_METRICS_PORT", node.metrics.port().to_string());
    Err(format!("cannot run the command: {}", command.exec()).into())
}

/// A command without the name of the program, which most people type first. None of ours is called that.
fn without_program(command: &[String]) -> &[String] {
    match command {
        [program, rest @ ..] if program == "cairn" => rest,
        command => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_may_stand_before_a_command() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for text in ["rpc getblockcount", "cairn rpc getblockcount"] {
            assert_eq!(without_program(&words(text)), words("rpc getblockcount"));
        }
    }
}
