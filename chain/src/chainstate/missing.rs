//! Bodies that are still to come.

use bitcoin::BlockHash;

use super::block_index::{BlockId, BlockStatus};
use super::{BlockReference, Chainstate};

impl Chainstate {
    /// Blocks of the chain to `target` that are not on the active chain and whose bodies are not here, the lowest first: those
    /// at `from` and above, and no more than `limit`. None when that chain has no more work than the active one, or is invalid
    /// (Core: `FindNextBlocksToDownload`, `net_processing.cpp`).
    #[must_use]
    pub fn missing_bodies(&self, target: &BlockHash, from: u32, limit: usize) -> Vec<BlockReference> {
        let Some(target) = self.index.find(target) else { return Vec::new() };
        let (entry, tip) = (&self.index[target], &self.index[self.active.tip()]);
        if entry.work <= tip.work || entry.status.contains(BlockStatus::FAILED) {
            return Vec::new();
        }
        let fork = self.active.find_fork(target, &self.index);
        let lowest = from.max(self.index[fork].height + 1);
        let is_missing = |id: &BlockId| !self.index[*id].status.contains(BlockStatus::HAVE_DATA);
        let ids = (lowest..=entry.height).map(|height| self.index.ancestor(target, height));
        ids.filter(is_missing).take(limit).map(|id| self.reference(id)).collect()
    }
}
