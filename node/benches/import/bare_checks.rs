//! What the signatures alone cost.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use cairn_tests::chain_generator::SignatureCheck;

use crate::Result;
use crate::child::{self, Usage};

/// First argument of the process that runs the checks; the name of a workload follows.
pub(crate) const BARE_CHECKS: &str = "bare-checks";

/// Runs the checks of a chain in a process of their own. What counts of its wall time is only the checks'.
pub(crate) fn measure(workload: &str) -> Result<Usage> {
    let arguments = [BARE_CHECKS, workload].map(OsString::from);
    let (usage, output) = child::measure(env::current_exe()?.as_os_str(), &arguments)?;
    Ok(Usage { wall: Duration::from_micros(output.trim().parse()?), ..usage })
}

/// Parses and verifies all signatures, on threads that share them out, and prints the microseconds this took.
pub(crate) fn run(checks: &[SignatureCheck], threads: usize) -> Result<()> {
    let wall = SignatureCheck::time_all(checks, threads).ok_or("a bare signature check gave the wrong answer")?;
    println!("{}", wall.as_micros());
    Ok(())
}
