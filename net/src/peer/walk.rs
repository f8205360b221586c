//! When to walk through other peers' tables.

use std::time::{Duration, Instant};

/// The wait before the first walk, and after a walk that found nobody, or a loss. It doubles while nothing changes.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// Time between walks when there are enough peers.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// Random walks: often while peers are missing, seldom when not.
#[derive(Debug)]
pub(crate) struct Walks {
    next: Instant,
    wait: Duration,
}

impl Walks {
    pub(crate) fn new(now: Instant) -> Self {
        Self { next: now + FIRST_WAIT, wait: FIRST_WAIT }
    }

    /// Whether to walk now. `is_short` says that peers are missing.
    pub(crate) fn is_due(&mut self, now: Instant, is_short: bool) -> bool {
        if now < self.next {
            return false;
        }
        self.wait = if is_short { (2 * self.wait).min(LONGEST_WAIT) } else { LONGEST_WAIT };
        self.next = now + self.wait;
        true
    }

    /// When the next walk is due.
    pub(crate) fn next_due(&self) -> Instant {
        self.next
    }

    /// The network is another one than at the last walk: a peer went, or came for the first time.
    pub(crate) fn changed(&mut self, now: Instant) {
        self.wait = FIRST_WAIT;
        self.next = self.next.min(now + FIRST_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_become_seldom_while_nothing_changes() {
        let mut now = Instant::now();
        let mut walks = Walks::new(now);
        assert!(!walks.is_due(now, true));
        let mut waits = Vec::new();
        for _ in 0..10 {
            let wait = walks.next_due() - now;
            now = walks.next_due();
            assert!(walks.is_due(now, true));
            assert!(!walks.is_due(now, true));
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        walks.changed(now);
        assert_eq!(walks.next_due(), now + FIRST_WAIT);
        walks.changed(now + FIRST_WAIT / 2);
        assert_eq!(walks.next_due(), now + FIRST_WAIT, "changes do not put a walk off");
    }

    #[test]
    fn enough_peers_need_few_walks() {
        let mut walks = Walks::new(Instant::now());
        let now = walks.next_due();
        assert!(walks.is_due(now, false));
        assert_eq!(walks.next_due(), now + LONGEST_WAIT);
    }
}
