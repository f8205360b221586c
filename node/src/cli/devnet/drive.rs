//! What is asked of a devnet that runs.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use super::place::Place;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::{Answer, to_json};
use crate::config::Settings;
use crate::devnet::{Attachment, BlockTime, DevnetError, Outcome, Request, ask, parse_duration};

/// Time between two looks of `status --watch`.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);
/// How long nodes may take to stop.
const DOWN_LIMIT: Duration = Duration::from_secs(60);
/// Moves the cursor of a terminal to the upper left corner, and clears what is there (ECMA-48: CUP, ED).
const CLEAR: &str = "\x1b[H\x1b[2J";

#[derive(Debug, Subcommand)]
pub(super) enum DriveCommand {
    /// Show all nodes: height, tip, peers, pool.
    #[command(
        before_help = "Examples:\n  cairn devnet status\n  cairn devnet status --watch\n  cairn devnet status --json"
    )]
    Status {
        /// Show it again and again, until Ctrl-C.
        #[arg(long, conflicts_with = "json")]
        watch: bool,
        #[command(flatten)]
        to: To,
    },
    /// Mine blocks now, and wait until all nodes have them.
    #[command(
        before_help = "Examples:\n  cairn devnet mine\n  cairn devnet mine 10\n  cairn devnet mine --node bob --to @carol"
    )]
    Mine {
        /// How many.
        #[arg(default_value_t = 1)]
        blocks: u32,
        /// Node that mines them [default: whoever is next].
        #[arg(long)]
        node: Option<String>,
        /// Address that they pay, or @NAME of an account [default: the account of the node].
        #[arg(long = "to", value_name = "ADDRESS")]
        payee: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// Show when blocks are mined, or change it.
    #[command(before_help = "Examples:\n  cairn devnet mining\n  cairn devnet mining --block-time poisson:10s\n  \
        cairn devnet mining --block-time off --mine-on-tx=true")]
    Mining {
        /// Time between blocks, such as 5s or poisson:10s; or off.
        #[arg(long, value_name = "TIME")]
        block_time: Option<BlockTime>,
        /// Whether a transaction is mined at once.
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        mine_on_tx: Option<bool>,
        #[command(flatten)]
        to: To,
    },
    /// Show the time of all nodes, or move it ahead.
    #[command(before_help = "Examples:\n  cairn devnet time\n  cairn devnet time +2h")]
    Time {
        /// How far, such as +2h.
        #[arg(value_parser = parse_step)]
        step: Option<Duration>,
        #[command(flatten)]
        to: To,
    },
    /// End a node at once, as a power cut does.
    #[command(before_help = "Examples:\n  cairn devnet kill bob")]
    Kill {
        /// The node.
        node: String,
        #[command(flatten)]
        to: To,
    },
    /// Start a node that was killed; stop one that runs in order, and start it again.
    #[command(before_help = "Examples:\n  cairn devnet restart bob")]
    Restart {
        /// The node.
        node: String,
        #[command(flatten)]
        to: To,
    },
    /// Add a node.
    #[command(before_help = "Examples:\n  cairn devnet add\n  cairn devnet add zoe --peer alice --peer bob")]
    Add {
        /// Its name [default: the next of alice, bob, carol, …].
        node: Option<String>,
        /// Node that it connects with; again for each [default: as the topology has it].
        #[arg(long = "peer", value_name = "NODE")]
        peers: Vec<String>,
        #[command(flatten)]
        to: To,
    },
    /// End the devnet, and wait until nothing of it runs.
    #[command(before_help = "Examples:\n  cairn devnet down\n  cairn devnet down --name demo")]
    Down {
        #[command(flatten)]
        to: To,
    },
}

/// Which devnet, and how the answer is printed.
#[derive(Debug, Args)]
pub(super) struct To {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs a command that drives a devnet.
pub(super) fn run(command: &DriveCommand, settings: &Settings) -> Answer {
    let (request, to) = command.request();
    let devnet = to.place.find(settings)?;
    if let DriveCommand::Status { watch: true, .. } = command {
        return watch(&devnet);
    }
    let outcome = ask_now(&devnet, &request)?;
    if request == Request::Down {
        wait_for_end(&devnet)?;
        return Ok(format!("the devnet {} has ended\n", devnet.name));
    }
    if to.json { to_json(&outcome) } else { Ok(format!("{outcome}\n")) }
}

/// Asks, and waits for the answer.
fn ask_now(devnet: &Attachment, request: &Request) -> Result<Outcome, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(ask(devnet, request)).map_err(|error| match error {
        error @ DevnetError::Silent { .. } => Failure::NotThere(error.to_string()).into(),
        error => error.into(),
    })
}

fn watch(devnet: &Attachment) -> Answer {
    let interruption = Interruption::watch()?;
    let before = if io::stdout().is_terminal() { CLEAR } else { "" };
    while !interruption.is_requested() {
        let outcome = ask_now(devnet, &Request::Status)?;
        let mut stdout = io::stdout().lock();
        match stdout.write_all(format!("{before}{outcome}\n").as_bytes()).and_then(|()| stdout.flush()) {
            // A reader that has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written?,
        }
        thread::sleep(WATCH_INTERVAL);
    }
    Ok(String::new())
}

/// Waits until nobody answers at the socket any more, which is the last to go.
fn wait_for_end(devnet: &Attachment) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    while devnet.is_there() {
        if start.elapsed() > DOWN_LIMIT {
            return Err(format!(
                "the devnet {} was told to end, and has not within {} s",
                devnet.name,
                DOWN_LIMIT.as_secs()
            )
            .into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Reads how far the clock is to go.
fn parse_step(text: &str) -> Result<Duration, String> {
    let step = text.strip_prefix('+').ok_or_else(|| format!("expected a step ahead, such as +2h, got {text:?}"))?;
    parse_duration(step)
}

impl DriveCommand {
    fn request(&self) -> (Request, &To) {
        match self {
            Self::Status { to, .. } => (Request::Status, to),
            Self::Mine { blocks, node, payee, to } => {
                (Request::Mine { blocks: *blocks, node: node.clone(), to: payee.clone() }, to)
            }
            Self::Mining { block_time, mine_on_tx, to } => {
                (Request::Mining { block_time: *block_time, on_transactions: *mine_on_tx }, to)
            }
            Self::Time { step, to } => (Request::Time { seconds: step.map_or(0, |step| step.as_secs()) }, to),
            Self::Kill { node, to } => (Request::Kill { node: node.clone() }, to),
            Self::Restart { node, to } => (Request::Restart { node: node.clone() }, to),
            Self::Add { node, peers, to } => {
                let peers = Some(peers.clone()).filter(|peers| !peers.is_empty());
                (Request::Add { node: node.clone(), peers }, to)
            }
            Self::Down { to } => (Request::Down, to),
        }
    }
}
