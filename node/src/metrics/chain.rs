//! Metrics of the chain state.

use std::time::Duration;

use cairn_chain::chainstate::{BlockStage, ChainEvent, ChainStatus};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::families::chain;

/// Metrics of the chain state.
#[derive(Debug)]
pub(crate) struct ChainMetrics {
    height: IntGaugeVec,
    tip_timestamp: IntGauge,
    initial_block_download: IntGauge,
    reorgs: IntCounter,
    reorg_depth: Histogram,
    connected: IntCounter,
    disconnected: IntCounter,
    invalid: IntCounterVec,
    events_missed: IntCounter,
    process_duration: HistogramVec,
    coins_cache: IntGauge,
    database: IntGauge,
    block_files: IntGauge,
    flushes: IntCounter,
    tx_index_height: IntGauge,
    disk_free: IntGauge,
    disk_size: IntGauge,
}

impl ChainMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            height: chain::HEIGHT.int_gauge_vec(registry)?,
            tip_timestamp: chain::TIP_TIMESTAMP.int_gauge(registry)?,
            initial_block_download: chain::INITIAL_BLOCK_DOWNLOAD.int_gauge(registry)?,
            reorgs: chain::REORGS.int_counter(registry)?,
            reorg_depth: chain::REORG_DEPTH.histogram_of(registry)?,
            connected: chain::BLOCKS_CONNECTED.int_counter(registry)?,
            disconnected: chain::BLOCKS_DISCONNECTED.int_counter(registry)?,
            invalid: chain::BLOCKS_INVALID.int_counter_vec(registry)?,
            events_missed: chain::EVENTS_MISSED.int_counter(registry)?,
            process_duration: chain::BLOCK_PROCESS_DURATION.histogram_vec(registry)?,
            coins_cache: chain::COINS_CACHE.int_gauge(registry)?,
            database: chain::DATABASE.int_gauge(registry)?,
            block_files: chain::BLOCK_FILES.int_gauge(registry)?,
            flushes: chain::FLUSHES.int_counter(registry)?,
            tx_index_height: chain::TX_INDEX_HEIGHT.int_gauge(registry)?,
            disk_free: chain::DISK_FREE.int_gauge(registry)?,
            disk_size: chain::DISK_SIZE.int_gauge(registry)?,
        })
    }

    /// Takes over where the chain stands.
    pub(super) fn set_status(&self, status: &ChainStatus) {
        self.height.with_label_values(&["headers"]).set(status.best_header.height.into());
        self.height.with_label_values(&["blocks"]).set(status.tip.height.into());
        self.tip_timestamp.set(status.time.into());
        self.initial_block_download.set(status.is_initial_block_download.into());
        self.coins_cache.set(whole(status.coins_cache_bytes));
        self.database.set(whole(status.database_bytes));
        self.block_files.set(whole(status.block_bytes));
        self.flushes.inc_by(status.flushes.saturating_sub(self.flushes.get()));
    }

    /// Takes over how far the index of transactions is.
    pub(super) fn set_tx_index_height(&self, height: u32) {
        self.tx_index_height.set(height.into());
    }

    /// Takes over how full the disk is, in bytes.
    pub(super) fn set_disk(&self, free: u64, size: u64) {
        self.disk_free.set(whole(free));
        self.disk_size.set(whole(size));
    }

    /// Counts something that happened.
    pub(super) fn count(&self, event: &ChainEvent) {
        match event {
            ChainEvent::TipChanged { disconnected, connected, .. } => {
                self.connected.inc_by(u64::try_from(connected.len()).unwrap_or(u64::MAX));
                self.disconnected.inc_by(u64::try_from(disconnected.len()).unwrap_or(u64::MAX));
                if !disconnected.is_empty() {
                    self.reorgs.inc();
                    self.reorg_depth.observe(f64::from(u32::try_from(disconnected.len()).unwrap_or(u32::MAX)));
                }
            }
            ChainEvent::BlockInvalid { error, .. } => {
                self.invalid.with_label_values(&[error.reject_reason()]).inc();
            }
        }
    }

    /// Takes over how long a stage of processing a block took.
    pub(crate) fn observe_stage(&self, stage: BlockStage, took: Duration) {
        self.process_duration.with_label_values(&[stage.name()]).observe(took.as_secs_f64());
    }

    /// Counts events that came too fast.
    pub(super) fn count_missed(&self, events: u64) {
        self.events_missed.inc_by(events);
    }
}

fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
