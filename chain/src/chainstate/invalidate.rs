//! What users say about blocks.

use bitcoin::BlockHash;

use super::block_index::{BlockId, BlockStatus};
use super::{Chainstate, ChainstateError};

impl Chainstate {
    /// Makes the best chain active, which after opening may be another than the one that was (Core: `ActivateBestChain`).
    ///
    /// # Errors
    ///
    /// A fault.
    pub fn activate(&mut self) -> Result<(), ChainstateError> {
        self.guarded(|chainstate| chainstate.activate_and_settle(None).map(|_| ()))
    }

    /// Treats a block as invalid, with all on top of it, and makes the best other chain active (Core: `InvalidateBlock`).
    ///
    /// # Errors
    ///
    /// When there is no such block, when it is genesis, or when blocks that would have to be disconnected were pruned;
    /// otherwise a fault.
    pub fn invalidate_block(&mut self, hash: &BlockHash) -> Result<(), ChainstateError> {
        self.guarded(|chainstate| {
            let id = chainstate.known(hash)?;
            if id == BlockId::GENESIS {
                return Err(ChainstateError::GenesisInvalidated);
            }
            chainstate.activate_and_settle(None)?;
            if chainstate.active.contains(id, &chainstate.index) {
                chainstate.check_can_disconnect(id)?;
                let parent = chainstate.index[id].parent;
                chainstate.disconnect_settled_to(parent)?;
            }
            chainstate.invalid_block_found(id);
            chainstate.candidates.refill(&chainstate.index, chainstate.active.tip());
            chainstate.activate_and_settle(None).map(|_| ())
        })
    }

    /// Takes back that a block is invalid, with all below and on top of it, and makes the best chain active (Core:
    /// `ResetBlockFailureFlags`). A block that does break a rule will be found invalid again.
    ///
    /// # Errors
    ///
    /// When there is no such block; otherwise a fault.
    pub fn reconsider_block(&mut self, hash: &BlockHash) -> Result<(), ChainstateError> {
        self.guarded(|chainstate| {
            let id = chainstate.known(hash)?;
            chainstate.activate_and_settle(None)?;
            chainstate.index.unmark_failed(id);
            chainstate.candidates.refill(&chainstate.index, chainstate.active.tip());
            chainstate.activate_and_settle(None).map(|_| ())
        })
    }

    /// Prefers a block to others with the same work, as if it had come first (Core: `PreciousBlock`).
    ///
    /// # Errors
    ///
    /// When there is no such block; otherwise a fault.
    pub fn precious_block(&mut self, hash: &BlockHash) -> Result<(), ChainstateError> {
        self.guarded(|chainstate| {
            let id = chainstate.known(hash)?;
            chainstate.activate_and_settle(None)?;
            let tip_work = chainstate.index[chainstate.active.tip()].work;
            if chainstate.index[id].work < tip_work {
                return Ok(());
            }
            if tip_work > chainstate.last_precious_work {
                chainstate.next_precious_sequence = -1;
            }
            chainstate.last_precious_work = tip_work;
            chainstate.candidates.remove(id, &chainstate.index);
            chainstate.index.volatile_mut(id).sequence = chainstate.next_precious_sequence;
            chainstate.next_precious_sequence = chainstate.next_precious_sequence.saturating_sub(1);
            chainstate.candidates.insert(id, &chainstate.index, chainstate.active.tip());
            chainstate.activate_and_settle(None).map(|_| ())
        })
    }

    pub(super) fn known(&self, hash: &BlockHash) -> Result<BlockId, ChainstateError> {
        self.index.find(hash).ok_or(ChainstateError::UnknownBlock { hash: *hash })
    }

    /// Whether everything from the tip down to `id` is there, to be disconnected.
    pub(super) fn check_can_disconnect(&self, id: BlockId) -> Result<(), ChainstateError> {
        for height in self.index[id].height..=self.active.height() {
            let entry = &self.index[self.active.get(height).expect("a height of the chain")];
            if !entry.status.contains(BlockStatus::HAVE_DATA | BlockStatus::HAVE_UNDO) {
                return Err(ChainstateError::NotAvailable { hash: entry.hash, reason: "pruned" });
            }
        }
        Ok(())
    }
}
