//! All valid blocks, and the coins of the branch that is being extended.

use bitcoin::consensus::encode;
use bitcoin::{BlockHash, Network};

use super::coin::{LockedCoin, LockedCoins};

/// A valid block.
pub(super) struct Node {
    pub(super) hash: BlockHash,
    pub(super) bytes: Vec<u8>,
    /// Position of the parent; genesis is its own.
    pub(super) parent: usize,
    pub(super) height: u32,
    pub(super) time: u32,
    /// Coins that it leaves, and coins of its parent's that it does not.
    pub(super) created: Vec<LockedCoin>,
    pub(super) spent: Vec<LockedCoin>,
}

/// All valid blocks, genesis first.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// The coins after block `at`.
    pub(super) coins: LockedCoins,
    at: usize,
}

impl Tree {
    pub(super) fn new() -> Self {
        let genesis = bitcoin::constants::genesis_block(Network::Regtest);
        let node = Node {
            hash: genesis.block_hash(),
            bytes: encode::serialize(&genesis),
            parent: 0,
            height: 0,
            time: genesis.header.time,
            created: Vec::new(),
            spent: Vec::new(),
        };
        Self { nodes: vec![node], coins: LockedCoins::default(), at: 0 }
    }

    /// The ancestor of a block at `height`, which may be the block.
    pub(super) fn ancestor(&self, mut node: usize, height: u32) -> usize {
        while self.nodes[node].height > height {
            node = self.nodes[node].parent;
        }
        node
    }

    /// Whether one block is the other, or comes before it.
    pub(super) fn is_ancestor(&self, ancestor: usize, node: usize) -> bool {
        self.ancestor(node, self.nodes[ancestor].height) == ancestor
    }

    /// Median time of the eleven blocks that end at `node`.
    pub(super) fn median(&self, mut node: usize) -> u32 {
        let mut times = Vec::with_capacity(11);
        while times.len() < 11 {
            times.push(self.nodes[node].time);
            if node == 0 {
                break;
            }
            node = self.nodes[node].parent;
        }
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// Median time before the block at `height` on the branch of `node`: where relative lock times begin to count.
    pub(super) fn median_before(&self, node: usize, height: u32) -> u32 {
        self.median(self.ancestor(node, height.saturating_sub(1)))
    }

    /// Makes the coins those after another block.
    pub(super) fn go_to(&mut self, node: usize) {
        let mut path = Vec::new();
        let mut ahead = node;
        while !self.is_ancestor(ahead, self.at) {
            path.push(ahead);
            ahead = self.nodes[ahead].parent;
        }
        while self.at != ahead {
            let left = &self.nodes[self.at];
            left.created.iter().for_each(|coin| self.coins.remove(&coin.outpoint));
            left.spent.iter().for_each(|coin| self.coins.insert(coin.clone()));
            self.at = left.parent;
        }
        for next in path.into_iter().rev() {
            let entered = &self.nodes[next];
            entered.spent.iter().for_each(|coin| self.coins.remove(&coin.outpoint));
            entered.created.iter().for_each(|coin| self.coins.insert(coin.clone()));
        }
        self.at = node;
    }
}
