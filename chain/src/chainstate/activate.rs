//! The best chain, and the way there.

use std::sync::Arc;

use bitcoin::BlockHash;

use super::block_index::{BlockId, BlockStatus};
use super::{ChainEvent, Chainstate, ChainstateError};
use crate::validation::{BlockError, ContextuallyCheckedBlock};

/// A block whose body need not be read from disk.
type Fresh = Option<(BlockId, ContextuallyCheckedBlock)>;
/// Blocks found invalid on the way, and why.
pub(super) type InvalidBlocks = Vec<(BlockHash, BlockError)>;

impl Chainstate {
    /// Makes the best chain active and waits until all of its scripts were verified; says which blocks turned out invalid on
    /// the way.
    pub(super) fn activate_and_settle(&mut self, mut fresh: Fresh) -> Result<InvalidBlocks, ChainstateError> {
        let mut invalid = InvalidBlocks::new();
        loop {
            self.activate_best_chain(fresh.take(), &mut invalid)?;
            if self.make_room(&mut invalid)? && self.settle(&mut invalid)? {
                break;
            }
        }
        self.announce();
        Ok(invalid)
    }

    /// Connects blocks until the best chain is active, the scripts of the newest ones perhaps still in flight (Core:
    /// `ActivateBestChain`, `validation.cpp`).
    pub(super) fn activate_best_chain(
        &mut self,
        mut fresh: Fresh,
        invalid: &mut InvalidBlocks,
    ) -> Result<(), ChainstateError> {
        while self.activate_best_chain_step(&mut fresh, invalid)? {}
        self.candidates.prune(&self.index, self.active.tip());
        self.announce();
        Ok(())
    }

    /// Connects some blocks towards the best chain; false when it is active (Core: `ActivateBestChainStep`).
    pub(super) fn activate_best_chain_step(
        &mut self,
        fresh: &mut Fresh,
        invalid: &mut InvalidBlocks,
    ) -> Result<bool, ChainstateError> {
        let best = self.find_most_work_chain().filter(|best| *best != self.active.tip());
        let Some(best) = best else { return Ok(false) };
        let fork = self.active.find_fork(best, &self.index);
        if fork != self.active.tip() && !self.disconnect_to(fork, invalid)? {
            // Scripts failed meanwhile, so another chain may be best.
            return Ok(true);
        }
        for id in self.path(fork, best) {
            let block = match fresh.take_if(|(fresh, _)| *fresh == id) {
                Some((_, block)) => block,
                None => self.read_block_to_connect(id)?,
            };
            if !self.connect_tip(id, block, invalid)? || !self.make_room(invalid)? {
                break;
            }
        }
        Ok(true)
    }

    /// The blocks above `fork` up to `tip`, the lowest first, up to as many as are looked at together. If there are more, they
    /// come in the next round.
    fn path(&self, fork: BlockId, tip: BlockId) -> Vec<BlockId> {
        const AT_ONCE: u32 = 32;
        let bottom = self.index[fork].height;
        let height = self.index[tip].height.min(bottom + AT_ONCE);
        let mut path = Vec::new();
        let mut id = self.index.ancestor(tip, height);
        while id != fork {
            path.push(id);
            id = self.index[id].parent;
        }
        path.reverse();
        path
    }

    /// The candidate with the most work whose chain can be connected (Core: `FindMostWorkChain`).
    fn find_most_work_chain(&mut self) -> Option<BlockId> {
        loop {
            let best = self.candidates.best()?;
            let (mut missing, mut failed) = (None, None);
            let mut id = best;
            while !self.active.contains(id, &self.index) {
                let status = self.index[id].status;
                if !status.contains(BlockStatus::HAVE_DATA) {
                    missing = Some(id);
                }
                if status.contains(BlockStatus::FAILED) {
                    failed = Some(id);
                }
                id = self.index[id].parent;
            }
            if let Some(failed) = failed {
                self.invalid_block_found(failed);
                self.candidates.remove(best, &self.index);
                continue;
            }
            let Some(missing) = missing else { return Some(best) };
            // Pruned bodies may come again; until then every block above them waits.
            let mut id = best;
            while id != missing {
                self.candidates.remove(id, &self.index);
                let parent = self.index[id].parent;
                if self.index[id].status.contains(BlockStatus::HAVE_DATA) {
                    self.candidates.wait_for(parent, id);
                }
                id = parent;
            }
            self.candidates.remove(missing, &self.index);
        }
    }

    /// Tells listeners of the new tip, when its chain is the better one and no longer in doubt.
    pub(super) fn announce(&mut self) {
        let tip = self.committed_tip();
        let fork = self.index.last_common_ancestor(self.announced, tip);
        if tip == self.announced || fork != self.announced && !self.in_flight.is_empty() {
            return;
        }
        let walk = |from: BlockId| {
            let mut blocks = Vec::new();
            let mut id = from;
            while id != fork {
                blocks.push(self.reference(id));
                id = self.index[id].parent;
            }
            blocks
        };
        let disconnected = walk(self.announced);
        let mut connected = walk(tip);
        connected.reverse();
        self.events.push(ChainEvent::TipChanged { fork: self.reference(fork), disconnected, connected });
        self.announced = tip;
    }

    /// Notes that a block is invalid, for the index, for listeners and for the caller.
    pub(super) fn report_invalid(&mut self, id: BlockId, error: BlockError, invalid: &mut InvalidBlocks) {
        self.invalid_block_found(id);
        let block = self.reference(id);
        self.events.push(ChainEvent::BlockInvalid { block, error: Arc::new(error.clone()) });
        invalid.push((block.hash, error));
    }
}
