//! Bringing a wallet to what a node knows: blocks, reorganisations, the mempool.

use std::time::{Duration, Instant};

use bdk_bitcoind_rpc::Emitter;
use bdk_wallet::chain::{BlockId, CheckPoint, Indexer};

use crate::error::WalletError;
use crate::node::{Node, NodeError};
use crate::wallet::Wallet;

/// Blocks below the tip that are noted whatever is in them, so that a reorganisation finds where it began. Deeper ones are found too,
/// by reading more blocks again.
const NOTED_BELOW_TIP: u32 = 30;
/// How often what was found is written: who is killed in between does that much again.
const WRITE_EVERY: Duration = Duration::from_secs(2);

/// How far a sync has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncProgress {
    /// Blocks that were read.
    pub height: u32,
    /// Blocks that the node has.
    pub tip: u32,
}

impl Wallet {
    /// Reads what the node has and the wallet does not know. Everything that was read is written when this returns.
    ///
    /// # Errors
    ///
    /// When the node does not answer, knows less than the wallet, or the file cannot be written.
    pub fn sync(&mut self, node: &Node, mut progress: impl FnMut(SyncProgress)) -> Result<(), WalletError> {
        let known = self.bdk.latest_checkpoint();
        let mut tip = node.chain_info()?.blocks;
        if tip < known.height() {
            return Err(NodeError::Behind { node: tip, wallet: known.height() }.into());
        }
        let pending: Vec<_> = self
            .bdk
            .transactions()
            .filter(|transaction| transaction.chain_position.is_unconfirmed())
            .map(|transaction| transaction.tx_node.tx)
            .collect();
        let mut emitter = Emitter::new(&node.client, known.clone(), self.record.birthday, pending);
        let mut written = Instant::now();
        while let Some(event) = emitter.next_block().map_err(|error| node.error(error))? {
            let height = event.block_height();
            tip = tip.max(height);
            let concerns_us = || {
                let index = self.bdk.spk_index();
                event.block.txdata.iter().any(|transaction| index.is_tx_relevant(transaction))
            };
            // Every height that the wallet knows a block at has to be told, or a block of a branch that is left would stay.
            if height <= known.height() || height + NOTED_BELOW_TIP > tip || concerns_us() {
                let connected_to = self.last_shared(&event.checkpoint);
                self.bdk
                    .apply_block_connected_to(&event.block, height, connected_to)
                    .map_err(|error| WalletError::Descriptors(error.to_string()))?;
            }
            if written.elapsed() >= WRITE_EVERY {
                self.persist()?;
                written = Instant::now();
            }
            progress(SyncProgress { height, tip });
        }
        let mempool = emitter.mempool().map_err(|error| node.error(error))?;
        self.bdk.apply_evicted_txs(mempool.evicted);
        self.bdk.apply_unconfirmed_txs(mempool.update);
        self.persist()
    }

    /// The newest block before this one that the wallet has noted.
    fn last_shared(&self, checkpoint: &CheckPoint) -> BlockId {
        let noted = self.bdk.local_chain();
        let tip = noted.tip().height();
        let is_noted =
            |at: &CheckPoint| at.height() <= tip && noted.get(at.height()).is_some_and(|it| it.hash() == at.hash());
        let mut before = checkpoint.prev().into_iter().flat_map(|before| before.iter());
        before.find(is_noted).unwrap_or_else(|| checkpoint.clone()).block_id()
    }

    /// Forgets what is known of the chain and looks through it again from a height on. Addresses that were shown stay shown.
    ///
    /// # Errors
    ///
    /// As [`Self::sync`]; what was shown is never lost.
    pub fn rescan(self, from: u32, node: &Node, progress: impl FnMut(SyncProgress)) -> Result<Self, WalletError> {
        let Self { mut store, network, bdk, .. } = self;
        drop(bdk);
        store.forget_chain(from)?;
        let path = store.path().to_owned();
        drop(store);
        let mut wallet = Self::open(&path, &network)?;
        wallet.sync(node, progress)?;
        Ok(wallet)
    }
}
