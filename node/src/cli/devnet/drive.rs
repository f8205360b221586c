//! Asking a devnet that runs.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use super::commands::DriveCommand;
use crate::cli::failure::Failure;
use crate::cli::interruption::Interruption;
use crate::cli::wallet::in_devnet;
use crate::cli::{Answer, print, to_json};
use crate::config::Settings;
use crate::devnet::{Attachment, DevnetError, Outcome, Request, ask};

/// Time between two looks of `status --watch`.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);
/// Time between two looks at whether the user has seen enough.
const STEP: Duration = Duration::from_millis(50);
/// How long nodes may take to stop.
const DOWN_LIMIT: Duration = Duration::from_secs(60);
/// Moves the cursor of a terminal to the upper left corner, and clears what is there (ECMA-48: CUP, ED).
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Runs a command that drives a devnet.
pub(super) fn run(command: &DriveCommand, settings: &Settings) -> Answer {
    let (mut request, to) = command.request();
    let devnet = to.place.find(settings)?;
    if let Request::Faucet { to: payee, .. } = &mut request
        && let Some(address) = in_devnet::receive(&devnet, payee)?
    {
        *payee = address;
    }
    if let DriveCommand::Status { watch: true, .. } = command {
        return watch(&devnet);
    }
    let outcome = ask_now(&devnet, &request)?;
    if let Outcome::Parted { number, seconds: Some(seconds), .. } = outcome {
        say(&outcome, to.json)?;
        return heal_after(&devnet, number, Duration::from_secs(seconds), to.json);
    }
    if request == Request::Down {
        wait_for_end(&devnet)?;
        return Ok(format!("the devnet {} has ended\n", devnet.name));
    }
    shown(&outcome, to.json)
}

fn shown(outcome: &Outcome, as_json: bool) -> Answer {
    if as_json { to_json(outcome) } else { Ok(format!("{outcome}\n")) }
}

fn say(outcome: &Outcome, as_json: bool) -> Result<(), Box<dyn Error>> {
    print(&shown(outcome, as_json)?)
}

/// Waits as long as a partition is to last, or until the user has seen enough, and heals it. If this command is killed, the devnet
/// heals it by itself; if it or somebody else was faster, this tells what became of it.
fn heal_after(devnet: &Attachment, number: u64, time: Duration, as_json: bool) -> Answer {
    let interruption = Interruption::watch()?;
    let start = Instant::now();
    // A little earlier than the devnet would.
    let time = time.saturating_sub(STEP * 2);
    while start.elapsed() < time && !interruption.is_requested() {
        thread::sleep(STEP);
    }
    shown(&ask_now(devnet, &Request::Heal { number: Some(number) })?, as_json)
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
        let start = Instant::now();
        while start.elapsed() < WATCH_INTERVAL && !interruption.is_requested() {
            thread::sleep(STEP);
        }
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
