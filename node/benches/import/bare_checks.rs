//! What the signatures alone cost.

use std::env;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::chain_generator::SignatureCheck;
use secp256k1::Secp256k1;

use crate::Result;
use crate::child::{self, Usage};

/// Few enough that the threads finish together.
const CHECKS_AT_ONCE: usize = 256;

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
    let secp = Secp256k1::verification_only();
    let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        loop {
            let start = next.fetch_add(CHECKS_AT_ONCE, Ordering::Relaxed);
            let Some(rest) = checks.get(start..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            if !rest.iter().take(CHECKS_AT_ONCE).all(|check| check.verify(&secp)) {
                has_failed.store(true, Ordering::Relaxed);
            }
        }
    };
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let wall = start.elapsed();
    if has_failed.load(Ordering::Relaxed) {
        return Err("a bare signature check gave the wrong answer".into());
    }
    println!("{}", wall.as_micros());
    Ok(())
}
