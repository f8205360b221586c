//! Blocks that may become the tip.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::block_index::{BlockId, BlockIndex, BlockStatus};
use crate::pow::Work;

/// Blocks whose chains are complete and not known to be invalid, with at least as much work as the tip (Core:
/// `setBlockIndexCandidates`), and blocks that wait for a body below them (Core: `m_blocks_unlinked`).
#[derive(Debug, Default)]
pub(super) struct Candidates {
    best_last: BTreeSet<Rank>,
    /// Blocks with bodies, by their parent, which has none.
    unlinked: HashMap<BlockId, Vec<BlockId>>,
}

/// More work, then the one that was complete first, then the one that was known first (Core: `CBlockIndexWorkComparator`,
/// `node/blockstorage.h`).
type Rank = (Work, Reverse<i32>, Reverse<BlockId>);

/// How a block compares with others as a tip.
pub(super) fn rank(id: BlockId, index: &BlockIndex) -> Rank {
    let entry = &index[id];
    (entry.work, Reverse(entry.sequence), Reverse(id))
}

fn is_candidate(id: BlockId, index: &BlockIndex) -> bool {
    let entry = &index[id];
    entry.status.contains(BlockStatus::VALID_TRANSACTIONS)
        && !entry.status.contains(BlockStatus::FAILED)
        && entry.chain_transactions > 0
}

impl Candidates {
    /// Finds all candidates, and the blocks that wait.
    pub(super) fn of(index: &BlockIndex, tip: BlockId) -> Self {
        let mut candidates = Self::default();
        for (id, entry) in index.iter() {
            if entry.transactions > 0 && entry.chain_transactions == 0 {
                candidates.wait_for(entry.parent, id);
            }
        }
        candidates.refill(index, tip);
        candidates
    }

    /// Finds all candidates again: after the tip went back or blocks became valid.
    pub(super) fn refill(&mut self, index: &BlockIndex, tip: BlockId) {
        let least = rank(tip, index);
        self.best_last = index
            .iter()
            .filter(|(id, _)| is_candidate(*id, index))
            .map(|(id, _)| rank(id, index))
            .filter(|rank| *rank >= least)
            .collect();
    }

    /// Adds a block, if it is a candidate for more than `tip`.
    pub(super) fn insert(&mut self, id: BlockId, index: &BlockIndex, tip: BlockId) {
        let rank_of_block = rank(id, index);
        if is_candidate(id, index) && rank_of_block >= rank(tip, index) {
            self.best_last.insert(rank_of_block);
        }
    }

    pub(super) fn remove(&mut self, id: BlockId, index: &BlockIndex) {
        self.best_last.remove(&rank(id, index));
    }

    /// The best of all.
    pub(super) fn best(&self) -> Option<BlockId> {
        self.best_last.last().map(|(_, _, Reverse(id))| *id)
    }

    /// Forgets blocks that are worse than the tip (Core: `PruneBlockIndexCandidates`).
    pub(super) fn prune(&mut self, index: &BlockIndex, tip: BlockId) {
        let least = rank(tip, index);
        while self.best_last.first().is_some_and(|rank| *rank < least) {
            self.best_last.pop_first();
        }
    }

    /// Notes that a block waits for the body of its parent, or of a block further down.
    pub(super) fn wait_for(&mut self, parent: BlockId, id: BlockId) {
        let waiting = self.unlinked.entry(parent).or_default();
        if !waiting.contains(&id) {
            waiting.push(id);
        }
    }

    /// The blocks that waited for this one.
    pub(super) fn take_waiting(&mut self, parent: BlockId) -> Vec<BlockId> {
        self.unlinked.remove(&parent).unwrap_or_default()
    }
}
