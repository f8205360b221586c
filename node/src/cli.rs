//! The command line: what can be asked, and how answers and errors are given.
//!
//! Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage.

mod network;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Cairn, a proof-of-work chain by Bitcoin's rules. So far: its networks.
#[derive(Debug, Parser)]
#[command(
    name = "cairn",
    version,
    before_help = "Examples:\n  cairn network list\n  cairn network show cairn --json",
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Network(network::NetworkArgs),
}

/// What a command answers with: the text for standard output.
type Answer = Result<String, Box<dyn Error>>;

/// Runs the command in the process's arguments.
pub(crate) fn run() -> ExitCode {
    let answer = match Cli::parse().command {
        Command::Network(args) => network::run(args),
    };
    match answer.and_then(|text| print(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
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
