//! The blocks by which an index finds its way back to the chain.

use crate::chainstate::BlockReference;

/// Blocks at the end that are all remembered.
const DENSE: u32 = 16;
/// Blocks that are remembered of each doubling of the distance behind them, as a power of two.
const PER_DOUBLING_LOG2: u32 = 2;

/// The block up to which an index is complete, and some of the blocks before it: all of the last ones, fewer and fewer of those
/// further back (Core: `LocatorEntries`, `chain.cpp`).
///
/// When the best block is not on the chain any more, or the chain state lost it in a crash, the newest one that is on the chain
/// is where to go on. That may be a little too far back, which costs only time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Locator {
    /// The oldest first.
    blocks: Vec<BlockReference>,
}

impl Locator {
    /// A locator of these blocks, the oldest first; nothing when their heights do not grow.
    pub(super) fn new(blocks: Vec<BlockReference>) -> Option<Self> {
        blocks.is_sorted_by(|a, b| a.height < b.height).then_some(Self { blocks })
    }

    /// The block up to which the index is complete.
    pub(super) fn best(&self) -> Option<BlockReference> {
        self.blocks.last().copied()
    }

    /// The blocks, the oldest first.
    pub(super) fn blocks(&self) -> &[BlockReference] {
        &self.blocks
    }

    /// Adds the block after the best one.
    pub(super) fn push(&mut self, block: BlockReference) {
        self.blocks.push(block);
        self.blocks.retain(|known| is_remembered(known.height, block.height));
    }

    /// Makes one of its blocks the best one; false when it is none of them.
    pub(super) fn rewind(&mut self, to: BlockReference) -> bool {
        let found = self.blocks.iter().position(|block| *block == to);
        if let Some(index) = found {
            self.blocks.truncate(index + 1);
        }
        found.is_some()
    }
}

/// Whether a block at `height` is remembered while the best one is at `best`. What is remembered for one best block is for every
/// one before it, so nothing is missed by forgetting the rest.
fn is_remembered(height: u32, best: u32) -> bool {
    let distance = best.saturating_sub(height);
    // Heights divisible by a power of two that grows with the distance.
    distance < DENSE || height.trailing_zeros() >= distance.ilog2() - PER_DOUBLING_LOG2
}

#[cfg(test)]
mod tests {
    use bitcoin::BlockHash;
    use bitcoin::hashes::Hash;

    use super::*;

    fn block(height: u32) -> BlockReference {
        BlockReference { height, hash: BlockHash::from_byte_array([u8::try_from(height % 251).unwrap(); 32]) }
    }

    #[test]
    fn a_long_chain_takes_few_blocks() {
        let mut locator = Locator::default();
        assert_eq!(locator.best(), None);
        for height in 0..100_000 {
            locator.push(block(height));
            assert_eq!(locator.best(), Some(block(height)));
            assert_eq!(locator.blocks()[0], block(0));
        }
        assert!(locator.blocks().len() < 110, "{}", locator.blocks().len());
        // However deep a reorganisation is, less than half as many blocks again are given once more.
        for pair in locator.blocks().windows(2) {
            let (older, newer) = (99_999 - pair[0].height, 99_999 - pair[1].height);
            assert!(older <= newer + 1 + newer / 2, "{pair:?}");
        }
        for depth in 0..DENSE {
            assert!(locator.blocks().contains(&block(99_999 - depth)));
        }
    }

    #[test]
    fn forgetting_step_by_step_is_forgetting_at_once() {
        let mut locator = Locator::default();
        for best in 0..3_000 {
            locator.push(block(best));
            let expected: Vec<_> = (0..=best).filter(|height| is_remembered(*height, best)).map(block).collect();
            assert_eq!(locator.blocks(), expected);
        }
    }

    #[test]
    fn it_goes_back_only_to_blocks_it_knows() {
        let mut locator = Locator::default();
        (0..10).for_each(|height| locator.push(block(height)));
        let before = locator.clone();
        assert!(!locator.rewind(BlockReference { height: 4, ..block(5) }));
        assert!(!locator.rewind(block(10)));
        assert_eq!(locator, before);
        assert!(locator.rewind(block(4)));
        assert_eq!((locator.best(), locator.blocks().len()), (Some(block(4)), 5));
        assert_eq!(Locator::new(locator.blocks().to_vec()), Some(locator));
        assert_eq!(Locator::new(vec![block(1), block(1)]), None);
    }
}
