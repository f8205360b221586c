//! `cairn run`.

use clap::{ArgAction, Args};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Answer;
use super::advice::with_advice;
use super::interruption::Interruption;
use crate::config::{Config, FileOption, Given, Settings};
use crate::logging::{self, Verbosity};
use crate::node::{self, NodeError};

/// Run a node until it is told to stop.
///
/// Options may also stand in cairn.toml in --datadir, without their dashes, and in the environment, as CAIRN_RPC_PORT for
/// --rpc-port. The command line counts most, then the environment, then the file. 'cairn config init' writes a file with all
/// of them; 'cairn config show --origin' says what holds, and why.
///
/// Ctrl-C, like SIGTERM, stops the node: everything is written, and the exit code is 0. A second signal stops it at once, with
/// exit code 5; what was not written by then is fetched again.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  \
    cairn run\n  \
    cairn run --network regtest --datadir /tmp/try\n  \
    cairn run --network devnet --mine bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\n  \
    cairn run --network main --prune 10000 --cache 2000\n  \
    cairn run --config /etc/cairn.toml --log-format json")]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    file: FileOption,
    /// Log more; twice for everything.
    #[arg(short, long, action = ArgAction::Count, help_heading = "Logs", conflicts_with = "quiet")]
    verbose: u8,
    /// Log warnings and errors only.
    #[arg(short, long, help_heading = "Logs")]
    quiet: bool,
    /// Stop when standard input ends, as it does when whoever started the node is gone.
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

/// Runs `cairn run`.
pub(super) fn run(args: &RunArgs, given: &Given) -> Answer {
    let settings = Settings::gather(given)?;
    let config: Config = settings.resolve()?;
    config.check()?;
    let verbosity = match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Everything,
    };
    logging::start(&config.log, verbosity)?;
    for variable in settings.ignored() {
        warn!(variable, "an environment variable begins like ours and is no key");
    }
    // A second signal ends the process even when the runtime does not get to run.
    let _interruption = Interruption::watch()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        tokio::spawn(cancel_on_signal(shutdown.clone())?);
        if args.until_stdin_closes {
            cancel_at_end_of_stdin(shutdown.clone())?;
        }
        Ok::<_, std::io::Error>(node::run(config, shutdown).await)
    })?;
    // What is still running was told to end and did not.
    runtime.shutdown_background();
    match ended {
        Ok(()) => Ok(String::new()),
        Err(NodeError::Chainstate(error)) => Err(with_advice(error)),
        // Errors of the configuration have an exit code of their own.
        Err(NodeError::Config(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the first signal that asks the process to end.
pub(super) fn cancel_on_signal(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        shutdown.cancel();
    })
}

/// Waits for the end of standard input, on a thread that nobody waits for: a read of standard input cannot be called off.
fn cancel_at_end_of_stdin(shutdown: CancellationToken) -> std::io::Result<()> {
    let wait = move || {
        // What is written there says nothing.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        shutdown.cancel();
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(wait).map(drop)
}
