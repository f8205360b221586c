//! The table, again and again.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use super::{Node, table};
use crate::cli::Answer;
use crate::cli::interruption::Interruption;

/// How often the user is asked whether it is enough, and how often between two tables.
const STEP: Duration = Duration::from_millis(100);
const STEPS: u32 = 10;

/// Moves the cursor of a terminal to the upper left corner, and clears what is there (ECMA-48: CUP, ED).
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Shows who is connected, each second, until the user has seen enough. Where there is no terminal, the tables follow one
/// another.
pub(super) fn run(node: &Node) -> Answer {
    let interruption = Interruption::watch()?;
    let before = if io::stdout().is_terminal() { CLEAR } else { "" };
    while !interruption.is_requested() {
        let table = table::of_peers(&node.peers()?, crate::penalty::unix_time());
        let mut stdout = io::stdout().lock();
        match stdout.write_all(format!("{before}{table}").as_bytes()).and_then(|()| stdout.flush()) {
            // A reader that has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            written => written?,
        }
        for _ in 0..STEPS {
            if interruption.is_requested() {
                break;
            }
            thread::sleep(STEP);
        }
    }
    Ok(String::new())
}
