//! The command line: what can be asked, and how answers and errors are given.
//!
//! Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 3 nobody answers, 4 not enough coins, 5 interrupted or declined, 6 not well; of `cairn rpc` the numbers of the node's errors.

mod advice;
mod bootnode;
mod chain;
mod completions;
mod config;
mod devnet;
mod failure;
mod health;
mod interruption;
mod man;
mod metrics;
mod network;
mod peers;
mod progress;
mod rpc;
mod run;
mod wallet;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{ConfigError, Given};
use failure::Failure;

/// Cairn, a proof-of-work chain by Bitcoin's rules.
#[derive(Debug, Parser)]
#[command(
    name = "cairn",
    version,
    before_help = "Examples:\n  cairn devnet\n  cairn run --network regtest\n  cairn rpc --network regtest getblockchaininfo\n  cairn wallet create alice\n  cairn config init\n  cairn network list\n  \
        cairn chain import --network main ~/.bitcoin/blocks/blk*.dat\n  cairn chain status --network main",
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    Bootnode(Box<bootnode::BootnodeArgs>),
    Health(health::HealthArgs),
    Chain(chain::ChainArgs),
    Network(network::NetworkArgs),
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Metrics(metrics::MetricsArgs),
    Peers(Box<peers::PeersArgs>),
    Rpc(rpc::RpcArgs),
    Wallet(Box<wallet::WalletCommand>),
    Devnet(Box<devnet::DevnetArgs>),
}

/// What a command answers with: the text for standard output.
type Answer = Result<String, Box<dyn Error>>;

/// All commands and their options.
fn command_line() -> clap::Command {
    wallet::with_options_everywhere(Cli::command())
}

/// Runs the command in the process's arguments.
pub(crate) fn run() -> ExitCode {
    let matches = command_line().get_matches();
    let given = Given::new(&matches);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let answer = match cli.command {
        Command::Run(args) => run::run(&args, &given),
        Command::Bootnode(args) => bootnode::run(&args, &given),
        Command::Health(args) => health::run(&args, &given),
        Command::Chain(args) => chain::run(args, &given),
        Command::Network(args) => network::run(args),
        Command::Config(args) => config::run(&args, &given),
        Command::Completions(args) => completions::run(&args, command_line()),
        Command::Man(args) => man::run(&args, command_line()),
        Command::Metrics(args) => metrics::run(&args),
        Command::Peers(args) => peers::run(&args, &given),
        Command::Rpc(args) => rpc::run(&args, &given),
        Command::Wallet(args) => wallet::run(&args, &given),
        Command::Devnet(args) => devnet::run(&args, &given),
    };
    match answer.and_then(|text| print(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = error.downcast_ref::<Failure>();
            if let Some(answer) = failure.and_then(Failure::answer) {
                // The failure is worse than that it cannot be printed.
                let _ = print(answer);
            }
            // If standard error is closed there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            let otherwise = if error.is::<ConfigError>() { failure::WRONG_USAGE.into() } else { ExitCode::FAILURE };
            failure.map_or(otherwise, Failure::exit_code)
        }
    }
}

/// Writes an answer. A reader that has read enough, such as `head`, is no error, so `println!` would not do.
fn print(text: &str) -> Result<(), Box<dyn Error>> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// An answer for programs.
fn to_json(value: &impl serde::Serialize) -> Answer {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
