//! `cairn devnet`: a network of nodes on this machine, and everything that drives it.
//!
//! | file | holds |
//! |---|---|
//! | `up` | the devnet itself, in the foreground |
//! | `banner` | what it says when it is ready |
//! | `live` | what it says while it runs |
//! | `place` | which devnet is meant |
//! | `commands` | what can be asked of one that runs |
//! | `drive` | asking it |
//! | `environment` | variables for programs that use it |
//! | `exec` | commands of ours for one of its nodes |
//! | `scenario` | steps that drive one, and what must be so |
//! | `logs` | what its nodes say |

mod banner;
mod commands;
mod drive;
mod environment;
mod exec;
mod live;
mod logs;
mod place;
mod scenario;
mod up;

use clap::{Args, Subcommand};

use super::Answer;
use crate::config::{Given, Settings};
use crate::devnet::{GUARD_COMMAND, guard};

/// Run a network of nodes on this machine, with coins to spend, and drive it.
///
/// Without a command it starts one, as 'cairn devnet up' does.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  \
        cairn devnet\n  \
        cairn devnet up -n 6 --topology ring --block-time poisson:10s\n  \
        cairn devnet status\n  \
        cairn devnet mine 3 --node bob\n  \
        cairn devnet faucet @bob 2btc\n  \
        cairn devnet partition alice,bob / carol,dave --for 20s\n  \
        cairn devnet exec alice -- rpc getblockcount\n  \
        eval \"$(cairn devnet env)\"\n  \
        cairn devnet down",
    args_conflicts_with_subcommands = true
)]
pub(super) struct DevnetArgs {
    #[command(subcommand)]
    command: Option<DevnetCommand>,
    #[command(flatten)]
    up: up::UpArgs,
}

#[derive(Debug, Subcommand)]
enum DevnetCommand {
    Up(Box<up::UpArgs>),
    #[command(flatten)]
    Drive(commands::DriveCommand),
    Env(environment::EnvArgs),
    Exec(exec::ExecArgs),
    Logs(logs::LogsArgs),
    Test(scenario::TestArgs),
    /// Run a program until standard input ends.
    #[command(name = GUARD_COMMAND, hide = true)]
    Guard {
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

/// Runs a `cairn devnet` command.
pub(super) fn run(args: &DevnetArgs, given: &Given) -> Answer {
    let settings = Settings::gather(given)?;
    match &args.command {
        None => up::run(&args.up, &settings),
        Some(DevnetCommand::Up(up)) => up::run(up, &settings),
        Some(DevnetCommand::Drive(command)) => drive::run(command, &settings),
        Some(DevnetCommand::Env(args)) => environment::run(args, &settings),
        Some(DevnetCommand::Exec(args)) => exec::run(args, &settings),
        Some(DevnetCommand::Logs(args)) => logs::run(args, &settings),
        Some(DevnetCommand::Test(args)) => scenario::run(args, &settings),
        Some(DevnetCommand::Guard { command }) => {
            let (program, arguments) = command.split_first().ok_or("there is no program to run")?;
            guard(program, arguments)?;
            Ok(String::new())
        }
    }
}
