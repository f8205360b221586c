//! Metrics of unconfirmed transactions.

use cairn_chain::mempool::{Mempool, MempoolError, MempoolEvent, RemovalReason};
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Registry};

use super::families::mempool;

/// Why a transaction leaves without being in a block or having been replaced.
const EVICTIONS: [RemovalReason; 4] =
    [RemovalReason::Expiry, RemovalReason::SizeLimit, RemovalReason::Reorg, RemovalReason::Conflict];

/// Metrics of unconfirmed transactions.
#[derive(Debug)]
pub(crate) struct MempoolMetrics {
    transactions: IntGauge,
    virtual_bytes: IntGauge,
    memory: IntGauge,
    min_fee_rate: Gauge,
    accepted: IntCounter,
    rejected: IntCounterVec,
    evicted: IntCounterVec,
    replaced: IntCounter,
}

/// How the pool stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MempoolStatus {
    transactions: i64,
    virtual_bytes: i64,
    memory: i64,
    /// Satoshis per virtual byte.
    min_fee_rate: f64,
}

impl MempoolStatus {
    /// How the pool stands at a time, in seconds since 1970.
    pub(super) fn of(mempool: &Mempool, now: u64) -> Self {
        let relay = mempool.options().min_relay_fee_rate.fee_per_kvb();
        let per_kvb = mempool.min_fee_rate(now).fee_per_kvb().max(relay);
        Self {
            transactions: i64::try_from(mempool.len()).unwrap_or(i64::MAX),
            virtual_bytes: i64::try_from(mempool.virtual_bytes()).unwrap_or(i64::MAX),
            memory: i64::try_from(mempool.memory()).unwrap_or(i64::MAX),
            min_fee_rate: u32::try_from(per_kvb).map_or(f64::INFINITY, |per_kvb| f64::from(per_kvb) / 1000.0),
        }
    }
}

impl MempoolMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            transactions: mempool::TRANSACTIONS.int_gauge(registry)?,
            virtual_bytes: mempool::VIRTUAL_BYTES.int_gauge(registry)?,
            memory: mempool::MEMORY_BYTES.int_gauge(registry)?,
            min_fee_rate: mempool::MIN_FEERATE.gauge_of(registry)?,
            accepted: mempool::ACCEPTED.int_counter(registry)?,
            rejected: mempool::REJECTED.int_counter_vec(registry)?,
            evicted: mempool::EVICTED.int_counter_vec(registry)?,
            replaced: mempool::REPLACED.int_counter(registry)?,
        };
        for reason in EVICTIONS {
            metrics.evicted.with_label_values(&[reason.name()]);
        }
        Ok(metrics)
    }

    /// Takes over how the pool stands.
    pub(super) fn set_status(&self, status: &MempoolStatus) {
        self.transactions.set(status.transactions);
        self.virtual_bytes.set(status.virtual_bytes);
        self.memory.set(status.memory);
        self.min_fee_rate.set(status.min_fee_rate);
    }

    /// Counts something that happened.
    pub(super) fn count(&self, event: &MempoolEvent) {
        match event {
            MempoolEvent::Added { .. } => self.accepted.inc(),
            MempoolEvent::Removed { reason: RemovalReason::Block, .. } => {}
            MempoolEvent::Removed { reason: RemovalReason::Replaced, .. } => self.replaced.inc(),
            MempoolEvent::Removed { reason, .. } => self.evicted.with_label_values(&[reason.name()]).inc(),
        }
    }

    /// Counts a transaction that did not get in.
    pub(crate) fn count_rejection(&self, error: &MempoolError) {
        let reason = error.reject_reason();
        // What follows in brackets tells scripts apart, of which there are many.
        let reason = reason.split(" (").next().unwrap_or(&reason);
        self.rejected.with_label_values(&[reason]).inc();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cairn_chain::primitives::Transaction;

    use super::*;

    #[test]
    fn reasons_are_told_apart() {
        let registry = Registry::new();
        let metrics = MempoolMetrics::new(&registry).unwrap();
        let transaction = Arc::new(Transaction::decode([&[2, 0, 0, 0], &[0; 6][..]].concat()).unwrap());
        let removed = |reason| MempoolEvent::Removed { transaction: Arc::clone(&transaction), reason, sequence: 1 };
        metrics.count(&MempoolEvent::Added { transaction: Arc::clone(&transaction), sequence: 0 });
        for reason in EVICTIONS {
            metrics.count(&removed(reason));
        }
        metrics.count(&removed(RemovalReason::Replaced));
        metrics.count(&removed(RemovalReason::Block));
        assert_eq!((metrics.accepted.get(), metrics.replaced.get()), (1, 1));
        for reason in EVICTIONS {
            assert_eq!(metrics.evicted.with_label_values(&[reason.name()]).get(), 1);
        }
        metrics.count_rejection(&MempoolError::MinRelayFeeNotMet { expected: 2, got: 1 });
        metrics.count_rejection(&MempoolError::MempoolFull);
        assert_eq!(metrics.rejected.with_label_values(&["min relay fee not met"]).get(), 1);
        assert_eq!(metrics.rejected.with_label_values(&["mempool full"]).get(), 1);
    }
}
