//! Metrics of mining.

use prometheus::{IntCounter, Registry};

use super::families::miner;

/// Metrics of mining.
#[derive(Debug)]
pub(crate) struct MinerMetrics {
    hashes: IntCounter,
    blocks: IntCounter,
}

impl MinerMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self { hashes: miner::HASHES.int_counter(registry)?, blocks: miner::BLOCKS.int_counter(registry)? })
    }

    /// Counts hashes that were tried.
    pub(crate) fn count_hashes(&self, hashes: u64) {
        self.hashes.inc_by(hashes);
    }

    /// Counts a block that was found.
    pub(crate) fn count_block(&self) {
        self.blocks.inc();
    }

    /// Hashes that were tried so far.
    #[cfg(test)]
    pub(crate) fn hashes(&self) -> u64 {
        self.hashes.get()
    }

    /// Blocks that were found so far.
    #[cfg(test)]
    pub(crate) fn blocks(&self) -> u64 {
        self.blocks.get()
    }
}
