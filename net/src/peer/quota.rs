//! What one peer may ask for in a time.

use std::time::{Duration, Instant};

use crate::limits::{Limits, Quota};

/// An allowance in use. Time passes as the caller says, and never backwards.
#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    quota: Quota,
    /// Negative after a cost that was known only when it had been spent.
    tokens: f64,
    updated: Instant,
}

impl TokenBucket {
    pub(crate) fn new(quota: Quota, now: Instant) -> Self {
        Self { quota, tokens: f64::from(quota.burst), updated: now }
    }

    /// Takes `cost`, or says how long to wait until it is there. What costs more than the burst waits for ever fuller
    /// buckets in vain, so it is let through when the bucket is full.
    pub(crate) fn take(&mut self, now: Instant, cost: u32) -> Result<(), Duration> {
        self.refill(now);
        let needed = f64::from(cost.min(self.quota.burst));
        if self.tokens < needed {
            return Err(self.time_for(needed - self.tokens));
        }
        self.tokens -= f64::from(cost);
        Ok(())
    }

    /// Takes what was spent, even if it was not there.
    pub(crate) fn charge(&mut self, now: Instant, cost: u32) {
        self.refill(now);
        self.tokens -= f64::from(cost);
    }

    fn refill(&mut self, now: Instant) {
        let periods = now.saturating_duration_since(self.updated).as_secs_f64() / self.quota.period.as_secs_f64();
        self.tokens = (self.tokens + periods * f64::from(self.quota.refill)).min(f64::from(self.quota.burst));
        self.updated = self.updated.max(now);
    }

    fn time_for(&self, tokens: f64) -> Duration {
        self.quota.period.mul_f64(tokens / f64::from(self.quota.refill))
    }
}

/// What a peer asks for, in the units of its quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A status.
    Status,
    /// Headers.
    Headers,
    /// Blocks. Their bytes are charged when they are known.
    Blocks,
    /// This many transactions.
    Transactions(u32),
    /// A compact block.
    CompactBlock,
    /// Transactions of a block.
    BlockTransactions,
}

/// All quotas of one peer.
#[derive(Debug, Clone)]
pub(crate) struct Quotas {
    status: TokenBucket,
    headers: TokenBucket,
    block_bytes: TokenBucket,
    transactions: TokenBucket,
    compact_blocks: TokenBucket,
    block_transactions: TokenBucket,
}

impl Quotas {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            status: TokenBucket::new(limits.status_requests, now),
            headers: TokenBucket::new(limits.headers_requests, now),
            block_bytes: TokenBucket::new(limits.block_bytes, now),
            transactions: TokenBucket::new(limits.transactions, now),
            compact_blocks: TokenBucket::new(limits.compact_block_requests, now),
            block_transactions: TokenBucket::new(limits.block_transactions_requests, now),
        }
    }

    /// Lets the peer ask, or says how long it should wait.
    pub(crate) fn take(&mut self, now: Instant, ask: Ask) -> Result<(), Duration> {
        match ask {
            Ask::Status => self.status.take(now, 1),
            Ask::Headers => self.headers.take(now, 1),
            // Free while the peer is not in debt for bytes it was sent.
            Ask::Blocks => self.block_bytes.take(now, 0),
            Ask::Transactions(count) => self.transactions.take(now, count),
            Ask::CompactBlock => self.compact_blocks.take(now, 1),
            Ask::BlockTransactions => self.block_transactions.take(now, 1),
        }
    }

    /// Charges for bytes of blocks that the peer is sent.
    pub(crate) fn charge_block_bytes(&mut self, now: Instant, bytes: usize) {
        self.block_bytes.charge(now, u32::try_from(bytes).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_then_the_refill() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Quota { burst: 5, refill: 2, period: SECOND }, start);
        for _ in 0..5 {
            assert_eq!(bucket.take(start, 1), Ok(()));
        }
        assert_eq!(bucket.take(start, 1), Err(SECOND / 2));
        assert_eq!(bucket.take(start + SECOND / 4, 1), Err(SECOND / 4));
        assert_eq!(bucket.take(start + SECOND / 2, 1), Ok(()));
        assert_eq!(bucket.take(start + SECOND / 2, 2), Err(SECOND));
    }

    #[test]
    fn a_long_silence_gives_no_more_than_the_burst() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Quota::per(3, SECOND), start);
        let later = start + 1000 * SECOND;
        assert_eq!(bucket.take(later, 3), Ok(()));
        assert!(bucket.take(later, 1).is_err());
    }

    #[test]
    fn debt_is_paid_back_before_anything_is_given() {
        let start = Instant::now();
        let mut quotas = Quotas::new(
            &Limits { block_bytes: Quota { burst: 100, refill: 50, period: SECOND }, ..Limits::public() },
            start,
        );
        assert_eq!(quotas.take(start, Ask::Blocks), Ok(()));
        quotas.charge_block_bytes(start, 300);
        assert_eq!(quotas.take(start, Ask::Blocks), Err(4 * SECOND));
        assert_eq!(quotas.take(start + 4 * SECOND, Ask::Blocks), Ok(()));
    }

    #[test]
    fn what_costs_more_than_the_burst_passes_a_full_bucket_and_leaves_debt() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Quota::per(10, SECOND), start);
        assert_eq!(bucket.take(start, 25), Ok(()));
        assert_eq!(bucket.take(start + SECOND, 1), Err(SECOND * 6 / 10));
    }

    #[test]
    fn quotas_do_not_touch_each_other() {
        let start = Instant::now();
        let mut quotas = Quotas::new(&Limits::public(), start);
        while quotas.take(start, Ask::Status).is_ok() {}
        assert_eq!(quotas.take(start, Ask::Headers), Ok(()));
        assert_eq!(quotas.take(start, Ask::Transactions(1000)), Ok(()));
        assert!(quotas.take(start, Ask::Transactions(1)).is_err());
        while quotas.take(start, Ask::CompactBlock).is_ok() {}
        assert_eq!(quotas.take(start, Ask::BlockTransactions), Ok(()));
        assert_eq!(quotas.take(start, Ask::Blocks), Ok(()));
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_refill(
            burst in 1u32..100,
            refill in 1u32..100,
            asks in prop::collection::vec((0u64..500, 1u32..20), 1..200),
        ) {
            let start = Instant::now();
            let mut bucket = TokenBucket::new(Quota { burst, refill, period: SECOND }, start);
            let mut now = start;
            let mut given = 0;
            for (wait, cost) in asks {
                now += Duration::from_millis(wait);
                let cost = cost.min(burst);
                if bucket.take(now, cost).is_ok() {
                    given += cost;
                }
                let allowed = f64::from(burst) + f64::from(refill) * (now - start).as_secs_f64();
                prop_assert!(f64::from(given) <= allowed + 1e-6);
            }
        }

        #[test]
        fn who_waits_as_told_is_served(cost in 1u32..50, drained in 0u32..200) {
            let start = Instant::now();
            let mut bucket = TokenBucket::new(Quota { burst: 50, refill: 7, period: SECOND }, start);
            bucket.charge(start, drained);
            if let Err(wait) = bucket.take(start, cost) {
                prop_assert_eq!(bucket.take(start + wait + Duration::from_micros(1), cost), Ok(()));
            }
        }
    }
}
