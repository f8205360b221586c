//! When a block is due, and who mines it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::{LONGEST, parse_duration, show_duration};

/// The shortest time between blocks: a block costs a few milliseconds, and has to travel.
const SHORTEST: Duration = Duration::from_millis(50);

/// How much time is between blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum BlockTime {
    /// Always the same.
    Fixed(Duration),
    /// As in a real network: exponentially distributed, with this mean.
    Poisson(Duration),
    /// No blocks but those that are asked for.
    Off,
}

/// What makes the nodes mine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MiningMode {
    /// Time between blocks.
    pub(crate) block_time: BlockTime,
    /// Whether a transaction that enters a pool is mined at once.
    pub(crate) on_transactions: bool,
}

impl BlockTime {
    /// The mean; nothing when no blocks are due.
    pub(crate) fn mean(self) -> Option<Duration> {
        match self {
            Self::Fixed(mean) | Self::Poisson(mean) => Some(mean),
            Self::Off => None,
        }
    }
}

impl FromStr for BlockTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a time such as 5s, poisson:10s, or off, got '{text}'");
        let long_enough = |text| parse_duration(text).ok().filter(|time| *time >= SHORTEST).ok_or_else(expected);
        match (text, text.strip_prefix("poisson:")) {
            ("off", _) => Ok(Self::Off),
            (_, Some(mean)) => long_enough(mean).map(Self::Poisson),
            (fixed, None) => long_enough(fixed).map(Self::Fixed),
        }
    }
}

impl fmt::Display for BlockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(time) => f.write_str(&show_duration(*time)),
            Self::Poisson(mean) => write!(f, "poisson:{}", show_duration(*mean)),
            Self::Off => f.write_str("off"),
        }
    }
}

impl TryFrom<String> for BlockTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<BlockTime> for String {
    fn from(time: BlockTime) -> Self {
        time.to_string()
    }
}

/// Decides when and who, the same from the same seed.
#[derive(Debug)]
pub(crate) struct MiningSchedule {
    rng: fastrand::Rng,
    /// Who has yet to mine in this round, the next one last.
    round: Vec<String>,
}

impl MiningSchedule {
    /// The schedule of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), round: Vec::new() }
    }

    /// Time from one block to the next.
    pub(crate) fn interval(&mut self, block_time: BlockTime) -> Option<Duration> {
        match block_time {
            BlockTime::Off => None,
            BlockTime::Fixed(time) => Some(time),
            BlockTime::Poisson(mean) => {
                // Above zero, so that the logarithm is finite.
                let uniform = 1.0 - self.rng.f64();
                Some(mean.mul_f64(-uniform.ln()).clamp(SHORTEST, LONGEST))
            }
        }
    }

    /// Who mines next. Each mines once before any of them mines again, so that on both sides of a partition somebody does.
    pub(crate) fn choose(&mut self, candidates: &[String]) -> Option<String> {
        self.round.retain(|name| candidates.contains(name));
        if self.round.is_empty() {
            self.round = candidates.to_vec();
            self.rng.shuffle(&mut self.round);
        }
        self.round.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn block_times_are_read_and_shown() {
        for text in ["5s", "poisson:10s", "off", "500ms"] {
            assert_eq!(text.parse::<BlockTime>().unwrap().to_string(), text);
        }
        for wrong in ["", "5", "0s", "10ms", "poisson", "poisson:", "poisson:off", "on"] {
            assert!(wrong.parse::<BlockTime>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn everybody_mines_once_in_a_round_and_a_seed_repeats_the_order() {
        let all = names(&["a", "b", "c", "d"]);
        let order = |seed| {
            let mut schedule = MiningSchedule::new(seed);
            (0..40).map(|_| schedule.choose(&all).unwrap()).collect::<Vec<_>>()
        };
        let first = order(7);
        assert_eq!(first, order(7));
        assert_ne!(first, order(8));
        for round in first.chunks(4) {
            assert!(all.iter().all(|name| round.contains(name)), "{round:?}");
        }
        assert!(first.chunks(4).any(|round| round != &first[..4]), "each round has an order of its own");
    }

    #[test]
    fn who_is_gone_does_not_mine() {
        let mut schedule = MiningSchedule::new(1);
        schedule.choose(&names(&["a", "b", "c"])).unwrap();
        for _ in 0..10 {
            assert_eq!(schedule.choose(&names(&["b"])).unwrap(), "b");
        }
        assert_eq!(schedule.choose(&[]), None);
    }

    #[test]
    fn intervals_have_the_mean_that_was_asked_for() {
        let mut schedule = MiningSchedule::new(3);
        let mean = Duration::from_secs(10);
        assert_eq!(schedule.interval(BlockTime::Fixed(mean)), Some(mean));
        assert_eq!(schedule.interval(BlockTime::Off), None);
        let times: Vec<_> = (0..10_000).map(|_| schedule.interval(BlockTime::Poisson(mean)).unwrap()).collect();
        let average = times.iter().sum::<Duration>().as_secs_f64() / 10_000.0;
        assert!((9.6..10.4).contains(&average), "{average}");
        let long = times.iter().filter(|time| **time > mean.mul_f64(2.0)).count();
        assert!((1200..1500).contains(&long), "13.5% take twice as long: {long}");
    }
}
