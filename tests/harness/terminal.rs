//! Commands in terminals of their own.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::node_process::{PATIENCE, run_by};

/// Runs a command, as it is meant to run with its arguments and its environment, in a terminal.
pub(crate) fn run_in_terminal(template: &Command) -> PtySession {
    let mut command = run_by(&[], template);
    command.env("TERM", "xterm");
    let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
    spawn_command(command, Some(patience)).unwrap()
}
