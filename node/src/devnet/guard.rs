//! A program that is not ours and ends with the devnet all the same: a process of ours holds the pipe for it.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::DevnetError;
use super::own_program::own_program;

/// The hidden command that guards a program.
pub(crate) const COMMAND: &str = "guard";
/// Time between two looks at whether the program has ended.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long it may take to end in order.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A program that runs. It is told to end when this is dropped, however that happens.
#[derive(Debug)]
pub(crate) struct GuardedProgram {
    /// Its standard input is the pipe.
    guard: tokio::process::Child,
}

impl GuardedProgram {
    /// Starts a program with a guard.
    ///
    /// # Errors
    ///
    /// When that cannot be.
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> Result<Self, DevnetError> {
        let file = OpenOptions::new().create(true).append(true).open(log).map_err(DevnetError::file("open", log))?;
        let errors = file.try_clone().map_err(DevnetError::file("open", log))?;
        let ours = own_program()?;
        let guard = tokio::process::Command::new(&ours.path)
            .arg0(&ours.name)
            .args(["devnet", COMMAND, "--"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(errors)
            .process_group(0)
            .spawn();
        let failed = |source| DevnetError::Spawn { program: program.display().to_string(), source };
        Ok(Self { guard: guard.map_err(failed)? })
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.guard.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Tells it to end, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.guard.stdin.take());
        // The guard kills what does not end. One that does not come to that is itself killed.
        if tokio::time::timeout(END_LIMIT * 2, self.guard.wait()).await.is_err() {
            let _ = self.guard.start_kill();
        }
    }
}

/// Runs a program until it ends, or until standard input does; then it is told to end, and killed if it does not.
///
/// # Errors
///
/// When it cannot be started.
pub(crate) fn guard(program: &str, arguments: &[String]) -> io::Result<ExitStatus> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::null()).spawn()?;
    let (sender, parent_is_gone) = sync_channel(1);
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        // If nobody listens, the program has ended.
        let _ = sender.send(());
    });
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if parent_is_gone.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let deadline = Instant::now() + END_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(INTERVAL);
    }
    child.kill()?;
    child.wait()
}

/// Where a program is, among the folders of PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}
