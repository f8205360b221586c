//! Which blocks the index lacks.

use cairn_chain::chainstate::{BlockReference, Chainstate, StoredBlock};

use super::TxIndexError;

/// Blocks that are asked for at once. They are read one by one.
const BLOCKS_AT_ONCE: u32 = 64;

/// What the index lacks.
#[derive(Debug)]
pub(super) struct NextBlocks {
    /// The last block of the active chain that the index knows; nothing if it knows none.
    pub(super) fork: Option<BlockReference>,
    /// Blocks after it, some of many.
    pub(super) blocks: Vec<StoredBlock>,
    /// The tip.
    pub(super) tip: BlockReference,
}

impl NextBlocks {
    /// What follows for an index with this locator (Core: `NextSyncBlock`, `index/base.cpp`).
    ///
    /// # Errors
    ///
    /// When no block of the locator is on the active chain, not even genesis.
    pub(super) fn after(locator: &[BlockReference], chainstate: &Chainstate) -> Result<Self, TxIndexError> {
        let tip = chainstate.tip();
        let is_active = |block: &BlockReference| {
            block.height <= tip.height && chainstate.block_hash(block.height) == Some(block.hash)
        };
        let fork = locator.iter().copied().find(is_active);
        if fork.is_none() && !locator.is_empty() {
            return Err(TxIndexError::OtherChain);
        }
        let first = fork.map_or(0, |fork| fork.height.saturating_add(1));
        let end = tip.height.saturating_add(1).min(first.saturating_add(BLOCKS_AT_ONCE));
        let stored = |height| chainstate.stored_block(&chainstate.block_hash(height)?);
        Ok(Self { fork, blocks: (first..end).filter_map(stored).collect(), tip })
    }
}
