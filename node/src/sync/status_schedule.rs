//! When to ask peers how far they are.
//!
//! Announcements say most of it, but one may be lost on the way, and whoever hears of a header from two peers is told of one. While
//! a block is missing that the peers known to have it do not send, the others are asked soon, and then ever more rarely.
//!
//! No clock: the time comes in.

use std::time::{Duration, Instant};

/// Time between two questions while a block is missing: at first, and the least there ever is.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// Time between two questions while nothing is missing.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// When peers were asked how far they are, and when they are asked again.
#[derive(Debug)]
pub(super) struct StatusSchedule {
    asked: Instant,
    pause: Duration,
}

impl StatusSchedule {
    /// They were asked now.
    pub(super) fn new(now: Instant) -> Self {
        Self { asked: now, pause: MAX_PAUSE }
    }

    /// When they are to be asked.
    pub(super) fn due(&self) -> Instant {
        self.asked + self.pause
    }

    /// They were asked.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked = now;
        self.pause = (self.pause * 2).min(MAX_PAUSE);
    }

    /// A block is missing.
    pub(super) fn hurry(&mut self) {
        self.pause = MIN_PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_block_is_missing_peers_are_asked_soon_and_then_ever_more_rarely() {
        let start = Instant::now();
        let mut schedule = StatusSchedule::new(start);
        assert_eq!(schedule.due(), start + MAX_PAUSE);
        schedule.hurry();
        let mut asked = Vec::new();
        for _ in 0..6 {
            let due = schedule.due();
            asked.push((due - start).as_secs());
            schedule.asked(due);
        }
        assert_eq!(asked, [1, 3, 7, 15, 25, 35]);
        // However often something is missing.
        let last = start + Duration::from_secs(35);
        schedule.hurry();
        schedule.hurry();
        assert_eq!(schedule.due(), last + MIN_PAUSE);
    }
}
