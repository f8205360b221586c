//! What is needed to fetch headers from peers.

use bitcoin::BlockHash;
use ruint::aliases::U256;

use super::Chainstate;
use crate::header_chain::HeaderChain;
use crate::headers_sync::HeadersSyncState;
use crate::pow::Work;

/// Blocks of the tip's difficulty that a chain may have less work than ours by and still be followed (Core:
/// `GetAntiDoSWorkThreshold`, `net_processing.cpp`).
const WORK_BUFFER_BLOCKS: u64 = 144;

impl Chainstate {
    /// Work that a chain of headers must have to be worth the memory: a day of Bitcoin's blocks less than ours, so that branches
    /// near our tip are followed, and no less than the chain is known to have (Core: `GetAntiDoSWorkThreshold`,
    /// `net_processing.cpp`).
    #[must_use]
    pub fn anti_dos_work_threshold(&self) -> Work {
        let tip = &self.index[self.committed_tip()];
        let buffer = Work::from_compact(tip.facts().bits).to_u256().saturating_mul(U256::from(WORK_BUFFER_BLOCKS));
        let near_tip = Work::new(tip.work.to_u256().saturating_sub(buffer));
        near_tip.max(self.minimum_chain_work())
    }

    /// Hashes of the chain up to a block, whether it is active or not, by which another node finds the last block both have (Core:
    /// `LocatorEntries`, `chain.cpp`). Nothing when the block is not known.
    #[must_use]
    pub fn locator(&self, hash: &BlockHash) -> Option<Vec<BlockHash>> {
        Some(self.view(self.index.find(hash)?).locator())
    }

    /// Begins to fetch headers on top of a block from a peer whose chain may have too little work; nothing when the block is not
    /// known (Core: `TryLowWorkHeadersSync`, `net_processing.cpp`).
    #[must_use]
    pub fn headers_sync(&self, chain_start: &BlockHash) -> Option<HeadersSyncState> {
        let id = self.index.find(chain_start)?;
        let (work, threshold) = (self.index[id].work, self.anti_dos_work_threshold());
        Some(HeadersSyncState::new(&self.params, &self.view(id), work, threshold, self.now()))
    }
}
