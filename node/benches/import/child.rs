//! Time and memory of a child process.
//!
//! Linux counts the memory of the process that starts a child in the child's peak: `exec` records it (`exec_mmap`,
//! `fs/exec.c`). A bench that has just made a chain would add all it held to the figure, so it runs itself once more as a
//! small launcher, which starts the child, waits for it and prints its usage as the last line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// First argument of the launcher; the child's program and arguments follow.
pub(crate) const LAUNCH: &str = "launch";

/// What a process used from start to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Largest resident set, in bytes.
    pub(crate) peak: u64,
}

/// Runs a program to its end through a launcher. Gives its usage and what it wrote to standard output.
pub(crate) fn measure(program: &OsStr, arguments: &[OsString]) -> Result<(Usage, String)> {
    let output =
        Command::new(env::current_exe()?).arg(LAUNCH).arg(program).args(arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed", program.display()).into());
    }
    let output = String::from_utf8(output.stdout)?;
    let output = output.trim_end();
    let (written, line) = output.rsplit_once('\n').unwrap_or(("", output));
    let usage = decode(line).ok_or_else(|| format!("the launcher's last line should be three numbers, is {line:?}"))?;
    Ok((usage, written.to_owned()))
}

fn decode(line: &str) -> Option<Usage> {
    let mut numbers = line.split(' ').map(str::parse);
    let (wall, cpu, peak) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(Usage { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), peak })
}

/// Runs a command to its end and prints its usage: the launcher.
pub(crate) fn launch(command: &[OsString]) -> Result<()> {
    let (program, arguments) = command.split_first().ok_or("a program to launch was expected")?;
    let start = Instant::now();
    let child = Command::new(program).args(arguments).stdin(Stdio::null()).spawn()?;
    let (status, cpu, peak) = wait(&child)?;
    let wall = start.elapsed();
    if !status.success() {
        return Err(format!("{} ended with {status}", program.display()).into());
    }
    // On a line of its own, whether or not the child ended its last one.
    println!("\n{} {} {peak}", wall.as_micros(), cpu.as_micros());
    Ok(())
}

/// Status, CPU time, and peak in bytes of a child, which is gone afterwards.
#[allow(unsafe_code, reason = "the standard library waits without asking for the usage")]
fn wait(child: &Child) -> Result<(ExitStatus, Duration, u64)> {
    let pid = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    // SAFETY: a rusage is plain numbers, for which zero is a value; wait4 writes to the two places, which outlive the call.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    if waited != pid {
        return Err(io::Error::last_os_error().into());
    }
    let cpu = duration(usage.ru_utime)? + duration(usage.ru_stime)?;
    // Kibibytes on Linux (getrusage(2)).
    let peak = u64::try_from(usage.ru_maxrss)? * 1024;
    Ok((ExitStatus::from_raw(status), cpu, peak))
}

fn duration(time: libc::timeval) -> Result<Duration> {
    Ok(Duration::from_secs(time.tv_sec.try_into()?) + Duration::from_micros(time.tv_usec.try_into()?))
}
