//! How the pool stays within its memory, and what it then asks of newcomers.

use super::{FeeRate, Mempool, RemovalReason};

/// Time in which the minimum falls to half, in seconds (Core: `ROLLING_FEE_HALFLIFE`, `txmempool.h`).
const ROLLING_FEE_HALFLIFE: f64 = 12.0 * 60.0 * 60.0;
/// Time between two looks at the minimum, in seconds (Core: `GetMinFee`, `txmempool.cpp`).
const UPDATE_INTERVAL: u64 = 10;

/// What was evicted last paid this much; it falls slowly as soon as blocks make room again (Core: `rollingMinimumFeeRate`,
/// `txmempool.h`).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RollingMinimumFee {
    /// Satoshis per 1000 virtual bytes.
    rate: f64,
    /// When it was looked at last, in seconds since 1970.
    updated: u64,
    /// Whether a block came since it rose.
    falls: bool,
}

impl RollingMinimumFee {
    /// What was evicted paid `rate`.
    fn rise_to(&mut self, rate: FeeRate) {
        let rate = per_kvb(rate);
        if rate > self.rate {
            self.rate = rate;
            self.falls = false;
        }
    }

    /// A block came.
    fn block_connected(&mut self, now: u64) {
        self.updated = now;
        self.falls = true;
    }

    /// The minimum now, in satoshis per 1000 virtual bytes, for a pool that takes `memory` of `limit` bytes; and what is to be
    /// remembered.
    fn at(mut self, now: u64, memory: usize, limit: usize, increment: FeeRate) -> (i64, Self) {
        if !self.falls || self.rate == 0.0 {
            return (rounded(self.rate), self);
        }
        if now > self.updated.saturating_add(UPDATE_INTERVAL) {
            let halflife = match memory {
                memory if memory < limit / 4 => ROLLING_FEE_HALFLIFE / 4.0,
                memory if memory < limit / 2 => ROLLING_FEE_HALFLIFE / 2.0,
                _ => ROLLING_FEE_HALFLIFE,
            };
            let elapsed = u32::try_from(now - self.updated).map_or(f64::INFINITY, f64::from);
            self.rate /= (elapsed / halflife).exp2();
            self.updated = now;
            if self.rate < per_kvb(increment) / 2.0 {
                self.rate = 0.0;
                return (0, self);
            }
        }
        (rounded(self.rate).max(increment.fee_per_kvb()), self)
    }
}

/// Satoshis per 1000 virtual bytes.
#[allow(clippy::cast_precision_loss, reason = "fees far beyond 2^53 satoshis per 1000 bytes do not exist")]
fn per_kvb(rate: FeeRate) -> f64 {
    rate.fee_per_kvb() as f64
}

#[allow(clippy::cast_possible_truncation, reason = "it saturates, as it should")]
fn rounded(rate: f64) -> i64 {
    rate.round() as i64
}

impl Mempool {
    /// What a transaction must pay to get in, beyond the minimum for relay; none while the pool has room (Core: `GetMinFee`).
    /// `now` is in seconds since 1970.
    #[must_use]
    pub fn min_fee_rate(&self, now: u64) -> FeeRate {
        let increment = self.options.incremental_relay_fee_rate;
        FeeRate::per_kvb(self.minimum_fee.at(now, self.memory(), self.options.max_bytes, increment).0)
    }

    /// A block came, so that the minimum may fall. How far it fell since it was looked at last is kept: where blocks come often
    /// and nothing gets in between, it would otherwise begin anew with each of them.
    pub(super) fn let_minimum_fee_fall(&mut self, now: u64) {
        self.update_minimum_fee(now);
        self.minimum_fee.block_connected(now);
    }

    fn update_minimum_fee(&mut self, now: u64) {
        let increment = self.options.incremental_relay_fee_rate;
        self.minimum_fee = self.minimum_fee.at(now, self.memory(), self.options.max_bytes, increment).1;
    }

    /// Removes what stayed too long, and then what pays least until the rest fits (Core: `LimitMempoolSize`,
    /// `validation.cpp`).
    pub(super) fn limit_size(&mut self, now: u64) {
        let expired = self.entered_before(now.saturating_sub(self.options.expiry));
        if !expired.is_empty() {
            self.remove_recursive(&expired, RemovalReason::Expiry);
        }
        self.trim_to_size(now);
    }

    /// Core: `TrimToSize`, `txmempool.cpp`.
    fn trim_to_size(&mut self, now: u64) {
        let increment = self.options.incremental_relay_fee_rate;
        self.update_minimum_fee(now);
        while self.memory() > self.options.max_bytes {
            let Some((worst, rate)) = self.graph.worst_chunk() else { break };
            // More than what was removed paid, so that the same cannot come back before a block made room.
            let removed = rate.weight_to_vbytes().fee_per_kvb().saturating_add(increment.fee_per_kvb());
            self.minimum_fee.rise_to(FeeRate::per_kvb(removed));
            self.graph.remove(&worst);
            self.take_out(&worst, RemovalReason::SizeLimit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCREMENT: FeeRate = FeeRate::per_kvb(100);

    fn at(minimum: RollingMinimumFee, now: u64, memory: usize) -> i64 {
        minimum.at(now, memory, 1000, INCREMENT).0
    }

    #[test]
    fn the_minimum_falls_only_after_a_block_and_faster_with_room() {
        let mut minimum = RollingMinimumFee::default();
        assert_eq!(at(minimum, 0, 0), 0);
        minimum.rise_to(FeeRate::per_kvb(8000));
        minimum.rise_to(FeeRate::per_kvb(5000));
        assert_eq!(at(minimum, 1_000_000, 0), 8000, "no block came");
        minimum.block_connected(0);
        assert_eq!(at(minimum, 10, 1000), 8000, "ten seconds are too few");
        let halflife = 12 * 60 * 60;
        assert_eq!(at(minimum, halflife, 1000), 4000);
        assert_eq!(at(minimum, halflife, 400), 2000);
        assert_eq!(at(minimum, halflife, 100), 500);
        assert_eq!(at(minimum, 6 * halflife, 1000), 125);
        assert_eq!(at(minimum, 7 * halflife, 1000), 100, "never below the step, until it is half of it");
        assert_eq!(at(minimum, 8 * halflife, 1000), 0);
        assert_eq!(at(minimum, u64::MAX, 1000), 0);
    }
}
