//! Ancestors, and chains as rules look at them.

use super::{BlockId, BlockIndex};
use crate::header_chain::{HeaderChain, HeaderFacts};

/// The height of the far ancestor a block remembers (Core: `GetSkipHeight`, `chain.cpp`): any height below will do, and this
/// choice makes every ancestor reachable in few steps.
pub(super) fn skip_height(height: u32) -> u32 {
    let without_lowest_bit = |number: u32| number & number.wrapping_sub(1);
    match height {
        0 | 1 => 0,
        odd if odd % 2 == 1 => without_lowest_bit(without_lowest_bit(odd - 1)) + 1,
        even => without_lowest_bit(even),
    }
}

impl BlockIndex {
    /// The ancestor of a block at `height`, which must not exceed its own (Core: `CBlockIndex::GetAncestor`, `chain.cpp`).
    pub(crate) fn ancestor(&self, id: BlockId, height: u32) -> BlockId {
        let mut walk = id;
        let mut at = self[id].height;
        debug_assert!(height <= at, "an ancestor is not above");
        while at > height {
            let (to_skip, to_skip_of_parent) = (skip_height(at), skip_height(at - 1));
            // The far step, unless the parent's own far step comes closer without going too far.
            let far = to_skip == height
                || (to_skip > height && !(to_skip_of_parent + 2 < to_skip && to_skip_of_parent >= height));
            (walk, at) = if far { (self[walk].skip, to_skip) } else { (self[walk].parent, at - 1) };
        }
        walk
    }

    /// The last block two chains share (Core: `LastCommonAncestor`, `chain.cpp`).
    pub(crate) fn last_common_ancestor(&self, first: BlockId, second: BlockId) -> BlockId {
        let height = self[first].height.min(self[second].height);
        let (mut first, mut second) = (self.ancestor(first, height), self.ancestor(second, height));
        while first != second {
            (first, second) = (self[first].parent, self[second].parent);
        }
        first
    }
}

/// Blocks by height, from genesis to a tip (Core: `CChain`, `chain.h`).
#[derive(Debug)]
pub(crate) struct ActiveChain(Vec<BlockId>);

impl ActiveChain {
    /// The chain that ends in `tip`.
    pub(crate) fn to(tip: BlockId, index: &BlockIndex) -> Self {
        let mut chain = Vec::with_capacity(index[tip].height as usize + 1);
        let mut block = tip;
        while !index[block].is_genesis() {
            chain.push(block);
            block = index[block].parent;
        }
        chain.push(block);
        chain.reverse();
        Self(chain)
    }

    /// The last block.
    pub(crate) fn tip(&self) -> BlockId {
        *self.0.last().expect("a chain holds at least genesis")
    }

    /// Height of the last block.
    pub(crate) fn height(&self) -> u32 {
        u32::try_from(self.0.len() - 1).expect("a chain has fewer than 2^32 blocks")
    }

    /// The block at `height`, if the chain is that high.
    pub(crate) fn get(&self, height: u32) -> Option<BlockId> {
        self.0.get(height as usize).copied()
    }

    /// Whether the chain runs through a block.
    pub(crate) fn contains(&self, id: BlockId, index: &BlockIndex) -> bool {
        self.get(index[id].height) == Some(id)
    }

    /// The last block the chain shares with the one that ends in `id` (Core: `CChain::FindFork`).
    pub(crate) fn find_fork(&self, id: BlockId, index: &BlockIndex) -> BlockId {
        let mut block = index.ancestor(id, index[id].height.min(self.height()));
        while !self.contains(block, index) {
            block = index[block].parent;
        }
        block
    }

    /// Puts a block on top.
    pub(crate) fn push(&mut self, id: BlockId) {
        self.0.push(id);
    }

    /// Takes the last block off.
    pub(crate) fn pop(&mut self) -> BlockId {
        debug_assert!(self.0.len() > 1, "genesis stays");
        self.0.pop().expect("a chain holds at least genesis")
    }
}

/// The chain that ends in some block, as rules ask for it: in one step where the active chain runs through the block, in
/// logarithmically many elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChainView<'a> {
    index: &'a BlockIndex,
    active: &'a ActiveChain,
    tip: BlockId,
    /// Up to here the active chain is the same.
    shared: u32,
}

impl<'a> ChainView<'a> {
    pub(crate) fn new(index: &'a BlockIndex, active: &'a ActiveChain, tip: BlockId) -> Self {
        Self { index, active, tip, shared: index[active.find_fork(tip, index)].height }
    }
}

impl HeaderChain for ChainView<'_> {
    fn height(&self) -> u32 {
        self.index[self.tip].height
    }

    fn header_at(&self, height: u32) -> HeaderFacts {
        let shared = if height <= self.shared { self.active.get(height) } else { None };
        self.index[shared.unwrap_or_else(|| self.index.ancestor(self.tip, height))].facts()
    }

    fn tip(&self) -> HeaderFacts {
        self.index[self.tip].facts()
    }
}
