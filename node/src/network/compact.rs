//! Compact blocks and their transactions, for peers that ask (BIP152).

use std::sync::Arc;

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, StoredBlock};
use cairn_chain::compact_blocks::CompactBlock;
use cairn_chain::primitives::Block;
use cairn_net::protocol::MAX_COMPACT_BLOCK_SIZE;

/// Blocks below the tip down to which the compact form is of use: what lies deeper is fetched in full (Core:
/// `MAX_CMPCTBLOCK_DEPTH`, `net_processing.cpp`).
pub(super) const MAX_CMPCTBLOCK_DEPTH: u32 = 5;

/// Blocks below the tip down to which single transactions are read for others, which takes reading the whole block (Core:
/// `MAX_BLOCKTXN_DEPTH`, `net_processing.cpp`). Deeper than the compact forms, for those who were given one in time.
pub(super) const MAX_BLOCKTXN_DEPTH: u32 = 10;

/// A block at most `depth` below the tip, on whichever branch, if its body is here and nothing is known against it.
pub(super) fn recent_block(chainstate: &Chainstate, hash: &BlockHash, depth: u32) -> Option<StoredBlock> {
    let known = chainstate.lookup(hash)?;
    let is_recent = known.height.saturating_add(depth) >= chainstate.tip().height;
    chainstate.stored_block(hash).filter(|_| is_recent && known.has_body && !known.is_invalid)
}

/// A block near the tip.
#[derive(Debug)]
pub(super) enum RecentBlock {
    /// It came a moment ago.
    InMemory(Arc<Block>),
    /// It is on disk.
    Stored(StoredBlock),
}

impl RecentBlock {
    fn block(&self) -> Option<Arc<Block>> {
        match self {
            Self::InMemory(block) => Some(Arc::clone(block)),
            Self::Stored(stored) => stored.block().ok().map(Arc::new),
        }
    }

    /// Its compact form, if it can be read and the form is no longer than peers take.
    pub(super) fn compact_form(&self) -> Option<Vec<u8>> {
        let nonce = getrandom::u64().ok()?;
        let compact = CompactBlock::new(&*self.block()?, nonce).ok()?.encode();
        (compact.len() <= MAX_COMPACT_BLOCK_SIZE).then_some(compact)
    }

    /// The transactions at these places, if it can be read and has all of them.
    pub(super) fn transactions_at(&self, indexes: &[u16]) -> Option<Vec<Vec<u8>>> {
        let block = self.block()?;
        let bytes = |&index: &u16| Some(block.transaction(usize::from(index))?.bytes().to_vec());
        indexes.iter().map(bytes).collect()
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::consensus::serialize;
    use cairn_chain::chainstate::{Acceptance, ChainstateOptions};
    use cairn_chain::compact_blocks::PartiallyDownloadedBlock;
    use cairn_chain::params::{ChainParams, RegtestOptions};
    use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
    use tempfile::TempDir;

    use super::*;

    /// A chain of blocks on disk, from height 1 to its tip.
    fn chain(directory: &TempDir) -> (Chainstate, Vec<Arc<Block>>) {
        let params = ChainParams::select("regtest", RegtestOptions::default()).unwrap();
        let options = ChainstateOptions { threads: 1, ..ChainstateOptions::default() };
        let mut chainstate = Chainstate::open(directory.path(), params, options).unwrap();
        let options = ChainOptions { blocks: 120, transactions_per_block: 4, coins: 200, seed: 7 };
        let blocks: Vec<_> = ChainGenerator::new(options)
            .map(|generated| Arc::new(Block::decode(serialize(&generated.block)).unwrap()))
            .collect();
        for block in &blocks {
            let outcome = chainstate.process_new_block(Arc::clone(block), true).unwrap();
            assert_eq!(outcome.unwrap(), Acceptance::New);
        }
        assert_eq!(chainstate.tip().hash, blocks.last().unwrap().hash());
        (chainstate, blocks)
    }

    #[test]
    fn recent_blocks_are_given_in_parts() {
        let directory = TempDir::new().unwrap();
        let (chainstate, blocks) = chain(&directory);
        let tip = blocks.last().unwrap();
        let stored = RecentBlock::Stored(recent_block(&chainstate, &tip.hash(), 0).unwrap());

        let compact = CompactBlock::decode(&stored.compact_form().unwrap()).unwrap();
        assert_eq!((compact.hash(), compact.transaction_count()), (tip.hash(), tip.transactions().len()));
        assert!(compact.transaction_count() > 2, "there is something to ask for");
        let partial = PartiallyDownloadedBlock::start(compact, []).unwrap();
        let missing = stored.transactions_at(&partial.missing()).unwrap();
        assert_eq!(partial.fill(&missing, true).unwrap().0, **tip);

        let count = u16::try_from(tip.transactions().len()).unwrap();
        assert!(stored.transactions_at(&[0, count - 1]).is_some());
        assert_eq!(stored.transactions_at(&[0, count]), None);
    }

    #[test]
    fn each_compact_form_has_a_key_of_its_own() {
        let directory = TempDir::new().unwrap();
        let (chainstate, blocks) = chain(&directory);
        let stored = RecentBlock::Stored(recent_block(&chainstate, &blocks.last().unwrap().hash(), 0).unwrap());
        let forms = [stored.compact_form().unwrap(), stored.compact_form().unwrap()];
        assert_eq!(forms[0][..80], forms[1][..80]);
        assert_ne!(forms[0][80..88], forms[1][80..88]);
    }

    #[test]
    fn what_lies_deep_is_not_read() {
        let directory = TempDir::new().unwrap();
        let (chainstate, blocks) = chain(&directory);
        let below = |depth: usize| blocks[blocks.len() - 1 - depth].hash();
        assert!(recent_block(&chainstate, &below(5), MAX_CMPCTBLOCK_DEPTH).is_some());
        assert!(recent_block(&chainstate, &below(6), MAX_CMPCTBLOCK_DEPTH).is_none());
        assert!(recent_block(&chainstate, &below(10), MAX_BLOCKTXN_DEPTH).is_some());
        assert!(recent_block(&chainstate, &below(11), MAX_BLOCKTXN_DEPTH).is_none());
    }
}
