//! How long to wait before something that failed is tried again.

use std::time::Duration;

/// Waits that double with every failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The wait after the first failure.
    pub(crate) first: Duration,
    /// The longest wait.
    pub(crate) longest: Duration,
}

impl Backoff {
    /// The wait after `failures` failures, counted from zero for the first. It is up to a quarter shorter, as `spread` says,
    /// so that many nodes that lost the same peer do not come back at one instant.
    pub(crate) fn wait(self, failures: u32, spread: u64) -> Duration {
        let wait = self.first.saturating_mul(2u32.saturating_pow(failures)).min(self.longest);
        let less = wait / 4 * u32::try_from(spread % 1024).expect("the remainder is below 1024") / 1024;
        wait - less
    }
}
