//! How fast something goes, without the jumps.

use std::time::{Duration, Instant};

/// What happened this many seconds ago counts by a factor of e less.
const TIME_CONSTANT: f64 = 15.0;

/// An exponentially weighted mean of a count's growth per second.
#[derive(Debug, Default)]
pub(super) struct SmoothedRate {
    last: Option<(Instant, u64)>,
    weighted: f64,
    weight: f64,
}

impl SmoothedRate {
    /// Takes note of the count at a time. Counts do not fall.
    pub(super) fn observe(&mut self, now: Instant, count: u64) {
        if let Some((then, before)) = self.last.replace((now, count)) {
            let seconds = now.saturating_duration_since(then).as_secs_f64();
            if seconds > 0.0 {
                let kept = (-seconds / TIME_CONSTANT).exp();
                let rate = to_float(count.saturating_sub(before)) / seconds;
                self.weighted = self.weighted * kept + rate * (1.0 - kept);
                self.weight = self.weight * kept + (1.0 - kept);
            }
        }
    }

    /// The mean, as soon as time has passed.
    pub(super) fn per_second(&self) -> Option<f64> {
        // Dividing by the weight makes up for the time before the first observation.
        (self.weight > 0.0).then(|| self.weighted / self.weight)
    }

    /// Time until the count has grown by `rest`.
    pub(super) fn time_for(&self, rest: u64) -> Option<Duration> {
        Duration::try_from_secs_f64(to_float(rest) / self.per_second()?).ok()
    }
}

fn to_float(count: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & u64::from(u32::MAX)).expect("32 bits were kept"));
    half(count >> 32) * 4_294_967_296.0 + half(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_known_from_the_second_observation_on() {
        let (mut rate, start) = (SmoothedRate::default(), Instant::now());
        rate.observe(start, 5_000_000_000);
        assert_eq!(rate.time_for(1), None);
        for second in 1..100 {
            rate.observe(start + Duration::from_secs(second), 5_000_000_000 + 200 * second);
            assert!((rate.per_second().unwrap() - 200.0).abs() < 1e-6);
        }
        assert_eq!(rate.time_for(10_000).unwrap().as_millis(), 50_000);
    }

    #[test]
    fn a_change_shows_gradually_and_a_halt_has_no_end() {
        let (mut rate, start) = (SmoothedRate::default(), Instant::now());
        rate.observe(start, 0);
        rate.observe(start + Duration::from_secs(100), 100_000);
        rate.observe(start + Duration::from_secs(115), 100_000);
        assert!((rate.per_second().unwrap() - 1_000.0 / std::f64::consts::E).abs() < 1.0);

        let mut halted = SmoothedRate::default();
        halted.observe(start, 7);
        halted.observe(start + Duration::from_secs(1), 7);
        assert_eq!(halted.time_for(1), None);
    }

    #[test]
    fn large_counts_keep_their_size() {
        assert_eq!(to_float(0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(to_float((1 << 40) + 3).to_bits(), 1_099_511_627_779.0_f64.to_bits());
    }
}
