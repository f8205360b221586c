//! When what is sent over a link arrives: decisions without sockets and clocks.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::links::LinkConditions;

/// Bytes of a segment: what TCP sends at a time over Ethernet, less its headers.
pub(super) const SEGMENT: usize = 1_400;

/// What a narrow link takes ahead of what it has carried. More would only wait longer for nothing.
const QUEUE_TIME: Duration = Duration::from_millis(100);

/// The shortest time after which TCP sends a lost segment again (Linux: `TCP_RTO_MIN`).
const MIN_RETRANSMISSION_TIMEOUT: Duration = Duration::from_millis(200);

/// How often one segment is lost at most. The time until it is sent again doubles with each loss.
const MAX_LOSSES: u32 = 5;

/// Decides when segments arrive, and when the connection breaks.
#[derive(Debug)]
pub(super) struct Shaper {
    conditions: LinkConditions,
    random: fastrand::Rng,
    /// When the link will have carried what it took.
    free_at: Option<Instant>,
    /// When the last segment arrives: none overtakes another.
    last_arrival: Option<Instant>,
}

impl Shaper {
    /// A link that does nothing to anything. Links with the same seed, conditions and times do the same.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            conditions: LinkConditions::default(),
            random: fastrand::Rng::with_seed(seed),
            free_at: None,
            last_arrival: None,
        }
    }

    /// Changes the conditions. What is on its way arrives as it would have.
    pub(super) fn set(&mut self, conditions: LinkConditions) {
        self.conditions = conditions;
    }

    /// How many bytes the link takes now, or when it will take some. It takes no less than a segment.
    pub(super) fn room(&self, now: Instant) -> Result<usize, Instant> {
        let Some(bandwidth) = self.conditions.bandwidth else { return Ok(usize::MAX) };
        let waiting = self.free_at.map_or(Duration::ZERO, |free_at| free_at.saturating_duration_since(now));
        match QUEUE_TIME.checked_sub(waiting) {
            Some(left) => {
                let bytes = left.as_nanos() * u128::from(bandwidth.get()) / NANOS_PER_SECOND;
                Ok(usize::try_from(bytes).unwrap_or(usize::MAX).max(SEGMENT))
            }
            None => Err(now + (waiting - QUEUE_TIME)),
        }
    }

    /// When a segment of so many bytes arrives that is sent now.
    pub(super) fn send(&mut self, now: Instant, bytes: usize) -> Instant {
        let begun = self.free_at.map_or(now, |free_at| free_at.max(now));
        let carried = match self.conditions.bandwidth {
            Some(bandwidth) => begun + time_on(bandwidth, bytes),
            // A link that was narrow until now makes nothing new wait.
            None => now,
        };
        self.free_at = Some(carried);
        let arrival = carried + self.latency() + self.retransmission();
        let arrival = self.last_arrival.map_or(arrival, |last| last.max(arrival));
        self.last_arrival = Some(arrival);
        arrival
    }

    /// How long the connection lives from now on; for ever if nothing. Asked again, it is drawn again, which changes nothing
    /// on average.
    pub(super) fn life(&mut self) -> Option<Duration> {
        // Never zero, whose logarithm there is not.
        let drawn = 1.0 - self.random.f64();
        let minutes = -drawn.ln() / self.conditions.reset_rate;
        Duration::try_from_secs_f64(minutes * 60.0).ok()
    }

    fn latency(&mut self) -> Duration {
        let LinkConditions { latency, jitter, .. } = self.conditions;
        if jitter.is_zero() {
            return latency;
        }
        (latency + jitter.mul_f64(2.0 * self.random.f64())).saturating_sub(jitter)
    }

    /// How much later a segment arrives because it was lost.
    fn retransmission(&mut self) -> Duration {
        let LinkConditions { latency, loss, .. } = self.conditions;
        if loss == 0.0 {
            return Duration::ZERO;
        }
        let mut timeout = MIN_RETRANSMISSION_TIMEOUT.max(2 * latency);
        let mut delay = Duration::ZERO;
        for _ in 0..MAX_LOSSES {
            if self.random.f64() >= loss {
                break;
            }
            delay += timeout;
            timeout *= 2;
        }
        delay
    }
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// How long so many bytes take through so narrow a link.
fn time_on(bandwidth: NonZeroU64, bytes: usize) -> Duration {
    let nanos = bytes as u128 * NANOS_PER_SECOND / u128::from(bandwidth.get());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
