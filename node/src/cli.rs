//! The command line: what can be asked, and how answers and errors are given.
//!
//! Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 3 nobody answers, 5 interrupted; of `cairn rpc` the numbers of the node's errors.

mod chain;
mod failure;
mod interruption;
mod network;
mod progress;
mod rpc;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Cairn, a proof-of-work chain by Bitcoin's rules. So far: its networks, and chains of blocks from files.
#[derive(Debug, Parser)]
#[command(
    name = "cairn",
    version,
    before_help = "Examples:\n  cairn network list\n  cairn network show cairn --json\n  \
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
    Chain(chain::ChainArgs),
    Network(network::NetworkArgs),
    Rpc(rpc::RpcArgs),
}

/// What a command answers with: the text for standard output.
type Answer = Result<String, Box<dyn Error>>;

/// Runs the command in the process's arguments.
pub(crate) fn run() -> ExitCode {
    let answer = match Cli::parse().command {
        Command::Chain(args) => chain::run(args),
        Command::Network(args) => network::run(args),
        Command::Rpc(args) => rpc::run(&args),
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
            failure.map_or(ExitCode::FAILURE, Failure::exit_code)
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
