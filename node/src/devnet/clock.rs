//! One clock for all nodes.

use std::time::Duration;

use super::DevnetError;
use super::duration::show_duration;

/// Seconds that blocks may be ahead of their schedule before the clock follows.
const TOLERANCE: u64 = 120;
/// Seconds that easy blocks may be ahead of the clock before it follows. Nodes refuse those that are 7200 ahead.
const EASY_TOLERANCE: u64 = 3600;
/// Blocks that are mined at once are each a second later than the median of the eleven before, which moves once in six.
const BLOCKS_PER_SECOND: u64 = 6;
/// The latest time that is set, in seconds since 1970: a month before what fits into a header.
const LATEST: u64 = u32::MAX as u64 - 30 * 86_400;

/// The system's clock, moved ahead. All nodes are told of the same time: a single node that is ahead would take the others for
/// slow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SharedClock {
    /// Seconds.
    pub(crate) ahead: u64,
}

impl SharedClock {
    /// The time, in seconds since 1970.
    pub(crate) fn now(self) -> u64 {
        crate::penalty::unix_time().saturating_add(self.ahead)
    }

    /// What `setmocktime` is called with: zero is the system's own clock.
    pub(crate) fn mock_time(self) -> u64 {
        if self.ahead == 0 { 0 } else { self.now() }
    }

    /// Moves it. It is never moved back: blocks may not be older than those before them.
    ///
    /// # Errors
    ///
    /// When nodes would refuse the time; it stays where it is then.
    pub(crate) fn advance(&mut self, time: Duration) -> Result<(), DevnetError> {
        let left = LATEST.saturating_sub(self.now());
        if time.as_secs() > left {
            return Err(DevnetError::Impossible(format!(
                "clocks go up to {LATEST} seconds after 1970, which is {} ahead of them; expected no more, got {}",
                show_duration(Duration::from_secs(left)),
                show_duration(time)
            )));
        }
        self.ahead = self.ahead.saturating_add(time.as_secs());
        Ok(())
    }

    /// How far it must be moved before `blocks` blocks are mined at once that are easy however early they come. Their times go
    /// ahead by themselves, and nodes refuse them in the end if the clock does not follow.
    pub(crate) fn advance_for(self, blocks: u32, median_time: u64) -> Duration {
        let last = median_time.saturating_add(u64::from(blocks) / BLOCKS_PER_SECOND);
        let ahead = last.saturating_sub(self.now());
        Duration::from_secs(if ahead > EASY_TOLERANCE { ahead } else { 0 })
    }
}

/// A schedule of blocks that makes them harder to find when they come early (ASERT).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Seconds between blocks.
    pub(crate) spacing: u32,
    /// Seconds of being early that double the difficulty.
    pub(crate) half_life: u32,
    /// Difficulty of a block that is on schedule.
    pub(crate) difficulty: f64,
}

impl Pace {
    /// How far the clock must be moved before `blocks` blocks are mined at once, so that they are no harder than others.
    pub(crate) fn advance_for(self, blocks: u32, next_difficulty: f64) -> Duration {
        let early = f64::from(self.half_life) * (next_difficulty / self.difficulty).log2();
        // A chain that is behind its schedule has easy blocks, and may catch up with it.
        let early = early + f64::from(blocks) * f64::from(self.spacing);
        let early = Duration::try_from_secs_f64(early.ceil()).unwrap_or_default();
        if early.as_secs() > TOLERANCE { early } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_ahead_and_never_back() {
        let mut clock = SharedClock::default();
        assert_eq!(clock.mock_time(), 0);
        clock.advance(Duration::from_secs(7200)).unwrap();
        let system = crate::penalty::unix_time();
        assert!((system + 7200..=system + 7201).contains(&clock.mock_time()));
        clock.advance(Duration::from_secs(1)).unwrap();
        assert_eq!(clock.ahead, 7201);
    }

    #[test]
    fn the_clock_stays_where_nodes_take_it() {
        let mut clock = SharedClock::default();
        let decade = Duration::from_secs(3650 * 86_400);
        let steps = (0..8).filter(|_| clock.advance(decade).is_ok()).count();
        assert!(steps < 8 && clock.mock_time() <= LATEST, "{steps} steps");
        let before = clock;
        assert!(clock.advance(Duration::from_secs(u64::MAX)).unwrap_err().to_string().contains("clocks go up to"));
        assert_eq!(clock, before);
    }

    #[test]
    fn the_clock_follows_easy_blocks_before_nodes_refuse_them() {
        let clock = SharedClock::default();
        let now = clock.now();
        assert_eq!(clock.advance_for(100, now), Duration::ZERO);
        assert_eq!(clock.advance_for(100_000, now - 100_000), Duration::ZERO);
        let advance = clock.advance_for(100, now + 3600).as_secs();
        assert!((3610..=3616).contains(&advance), "{advance}");
    }

    #[test]
    fn many_blocks_at_once_move_the_clock_and_few_do_not() {
        let pace = Pace { spacing: 3, half_life: 120, difficulty: 1.0 };
        assert_eq!(pace.advance_for(10, 1.0), Duration::ZERO);
        assert_eq!(pace.advance_for(100, 1.0), Duration::from_secs(300));
        assert_eq!(pace.advance_for(1, 4.0), Duration::from_secs(243), "two doublings, from blocks mined one by one");
        assert_eq!(pace.advance_for(100, 0.001), Duration::ZERO, "it is far behind");
        assert_eq!(pace.advance_for(1, 0.0), Duration::ZERO);
    }
}
