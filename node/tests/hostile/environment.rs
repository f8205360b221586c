//! What the environment asks for.

use std::time::{SystemTime, UNIX_EPOCH};

/// A number from the environment, or another.
pub(crate) fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| {
        text.replace('_', "").parse().unwrap_or_else(|_| panic!("{variable}: expected a number, got '{text}'"))
    })
}

/// The seed of this run, which is told.
pub(crate) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = u64::try_from(number("CAIRN_SEED", usize::try_from(now).unwrap())).unwrap();
    println!("CAIRN_SEED={seed}");
    seed
}
