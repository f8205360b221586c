//! What the signatures alone cost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::chain_generator::SignatureCheck;
use secp256k1::Secp256k1;

use crate::Result;

/// Few enough that the threads finish together.
const CHECKS_AT_ONCE: usize = 64;

/// Parses and verifies all signatures, on threads that share them out.
pub(crate) fn measure(checks: &[SignatureCheck], threads: usize) -> Result<Duration> {
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
    Ok(wall)
}
