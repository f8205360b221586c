//! Blocks that are on their way through this node.
//!
//! A header is forwarded before its body is here, so peers ask for the body while we fetch it ourselves. They wait a moment, and
//! get it as soon as its merkle root fits, before its scripts are verified (BIP152, "high-bandwidth relaying"): a chain of nodes
//! that each verify first would add up the time of all.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bitcoin::BlockHash;
use cairn_chain::primitives::Block;
use tokio::sync::watch;
use tokio::time::timeout;

/// Blocks that are kept: those that came last.
const MAX_BLOCKS: usize = 4;
/// How long a peer waits for a block that is on its way.
const PATIENCE: Duration = Duration::from_secs(2);

/// Blocks that came last, and those that are coming. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentBlocks(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    blocks: VecDeque<Arc<Block>>,
    /// Each tells those who wait when its block has come, or will not.
    coming: HashMap<BlockHash, watch::Sender<()>>,
}

/// A block that is being fetched. When this is dropped without it, those who wait hear that it will not come.
#[derive(Debug)]
pub(super) struct Coming {
    hash: BlockHash,
    blocks: RecentBlocks,
}

impl RecentBlocks {
    /// A block is about to be fetched.
    pub(super) fn expect(&self, hash: BlockHash) -> Coming {
        self.state().coming.insert(hash, watch::Sender::default());
        Coming { hash, blocks: self.clone() }
    }

    /// A block that came lately, or comes within a moment.
    pub(crate) async fn wait_for(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        let mut change = {
            let state = self.state();
            if let Some(block) = state.find(hash) {
                return Some(block);
            }
            state.coming.get(hash)?.subscribe()
        };
        // Closed, or too late: whatever is here now is the answer.
        let _ = timeout(PATIENCE, change.changed()).await;
        self.state().find(hash)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.blocks.iter().find(|block| block.hash() == *hash).cloned()
    }
}

impl Coming {
    /// Those who wait hear that they had better ask others: from now on the block is asked of peers that did not announce it, and
    /// that may wait for it here. Two that wait for each other wait in vain.
    pub(super) fn is_delayed(&self) {
        self.blocks.state().coming.remove(&self.hash);
    }

    /// The block is here, and its body is what the header vouches for.
    pub(super) fn came(&self, block: &Arc<Block>) {
        let mut state = self.blocks.state();
        if state.find(&block.hash()).is_none() {
            state.blocks.truncate(MAX_BLOCKS - 1);
            state.blocks.push_front(Arc::clone(block));
        }
        state.coming.remove(&self.hash);
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.blocks.state().coming.remove(&self.hash);
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::Network;
    use bitcoin::consensus::serialize;
    use bitcoin::constants::genesis_block;

    use super::*;

    fn block(network: Network) -> Arc<Block> {
        Arc::new(Block::decode(serialize(&genesis_block(network))).unwrap())
    }

    #[tokio::test]
    async fn whoever_asks_for_a_block_that_is_coming_waits_for_it() {
        let blocks = RecentBlocks::default();
        let block = block(Network::Bitcoin);
        let hash = block.hash();
        assert_eq!(blocks.wait_for(&hash).await, None, "nobody fetches it");
        let coming = blocks.expect(hash);
        let waiting = tokio::spawn({
            let blocks = blocks.clone();
            async move { blocks.wait_for(&hash).await }
        });
        tokio::task::yield_now().await;
        coming.came(&block);
        assert_eq!(waiting.await.unwrap(), Some(Arc::clone(&block)));
        drop(coming);
        assert_eq!(blocks.wait_for(&hash).await, Some(block), "it stays for a while");
    }

    #[tokio::test]
    async fn whoever_waits_hears_that_a_block_will_not_come() {
        let blocks = RecentBlocks::default();
        let hash = block(Network::Bitcoin).hash();
        let coming = blocks.expect(hash);
        let waiting = tokio::spawn({
            let blocks = blocks.clone();
            async move { blocks.wait_for(&hash).await }
        });
        tokio::task::yield_now().await;
        drop(coming);
        assert_eq!(waiting.await.unwrap(), None);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_block_that_is_delayed() {
        let blocks = RecentBlocks::default();
        let block = block(Network::Bitcoin);
        let hash = block.hash();
        let coming = blocks.expect(hash);
        coming.is_delayed();
        assert_eq!(blocks.wait_for(&hash).await, None);
        coming.came(&block);
        assert_eq!(blocks.wait_for(&hash).await, Some(block));
    }

    #[test]
    fn few_blocks_are_kept() {
        let blocks = RecentBlocks::default();
        for network in [Network::Bitcoin, Network::Signet, Network::Testnet4, Network::Regtest, Network::Testnet] {
            let block = block(network);
            let coming = blocks.expect(block.hash());
            coming.came(&block);
            coming.came(&block);
        }
        let state = blocks.state();
        assert_eq!((state.blocks.len(), state.coming.len()), (MAX_BLOCKS, 0));
    }
}
