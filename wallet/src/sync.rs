//! Bringing a wallet to what a node knows: blocks, reorganisations, the mempool.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bdk_bitcoind_rpc::{Emitter, MempoolEvent, NO_EXPECTED_MEMPOOL_TXS};
use bdk_wallet::WalletTx;
use bdk_wallet::chain::{BlockId, CheckPoint, Indexer};

use bitcoin::{BlockHash, Txid};

use crate::error::WalletError;
use crate::node::{Client, Node, NodeError};
use crate::wallet::{Wallet, unix_time};

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
        let tip = node.chain_info()?.blocks;
        if tip < known.height() {
            return Err(NodeError::Behind { node: tip, wallet: known.height() }.into());
        }
        let mut emitter = Emitter::new(&node.client, known, self.record.birthday, NO_EXPECTED_MEMPOOL_TXS);
        loop {
            self.read_blocks(node, &mut emitter, tip, &mut progress)?;
            let mempool = emitter.mempool().map_err(|error| node.error(error))?;
            // What a block has taken out of the mempool since is not gone.
            if node.call::<BlockHash>("getbestblockhash", &[])? == self.tip().1 {
                self.apply_mempool(node, mempool)?;
                return self.persist();
            }
        }
    }

    fn read_blocks(
        &mut self,
        node: &Node,
        emitter: &mut Emitter<&Client>,
        mut tip: u32,
        progress: &mut impl FnMut(SyncProgress),
    ) -> Result<(), WalletError> {
        let mut written = Instant::now();
        while let Some(event) = emitter.next_block().map_err(|error| node.error(error))? {
            let height = event.block_height();
            tip = tip.max(height);
            event.block.txdata.iter().try_for_each(|transaction| node.check_amounts(transaction))?;
            let concerns_us = || {
                let index = self.bdk.spk_index();
                event.block.txdata.iter().any(|transaction| index.is_tx_relevant(transaction))
            };
            // Every height that the wallet knows a block at has to be told, or a block of a branch that is left would stay.
            let is_noted = height <= self.bdk.latest_checkpoint().height();
            let is_due = written.elapsed() >= WRITE_EVERY;
            if is_noted || is_due || height + NOTED_BELOW_TIP > tip || concerns_us() {
                let connected_to = self.last_shared(&event.checkpoint);
                self.bdk
                    .apply_block_connected_to(&event.block, height, connected_to)
                    .map_err(|error| node.malformed(&error))?;
            }
            if is_due {
                self.persist()?;
                written = Instant::now();
            }
            progress(SyncProgress { height, tip });
        }
        Ok(())
    }

    /// Takes over what waits for a block. Payments of ours that the node has forgotten are given to it once more; what it does not take,
    /// and what others took back, no longer counts.
    fn apply_mempool(&mut self, node: &Node, mempool: MempoolEvent) -> Result<(), WalletError> {
        mempool.update.iter().try_for_each(|(transaction, _)| node.check_amounts(transaction))?;
        let now = unix_time();
        let waiting: HashSet<Txid> = mempool.update.iter().map(|(transaction, _)| transaction.compute_txid()).collect();
        self.bdk.apply_unconfirmed_txs(mempool.update);
        let is_missing = |transaction: &WalletTx<'_>| {
            transaction.chain_position.is_unconfirmed() && !waiting.contains(&transaction.tx_node.txid)
        };
        let mut missing: Vec<_> = self.bdk.transactions().filter(is_missing).map(|it| it.tx_node.tx).collect();
        // A child is taken after its parent: as long as one of them is, others may be.
        loop {
            let before = missing.len();
            let mut refused = Vec::new();
            for transaction in missing {
                if !self.spends_only_ours(&transaction) || is_refused(node.broadcast(&transaction))? {
                    refused.push(transaction);
                }
            }
            missing = refused;
            if missing.len() == before || missing.is_empty() {
                break;
            }
        }
        self.bdk.apply_evicted_txs(missing.iter().map(|transaction| (transaction.compute_txid(), now)));
        Ok(())
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

    /// Forgets what is known of the chain and looks through it again: from the wallet's birthday on, or from `from` if that is earlier.
    /// Addresses that were shown stay shown.
    ///
    /// # Errors
    ///
    /// As [`Self::sync`]; what was shown is never lost.
    pub fn rescan(self, from: u32, node: &Node, progress: impl FnMut(SyncProgress)) -> Result<Self, WalletError> {
        let Self { mut store, network, bdk, record } = self;
        drop(bdk);
        store.forget_chain(from.min(record.birthday))?;
        let path = store.path().to_owned();
        drop(store);
        let mut wallet = Self::open(&path, &network)?;
        wallet.sync(node, progress)?;
        Ok(wallet)
    }
}

/// Whether a node does not want a transaction. That it cannot be asked says nothing of the transaction.
fn is_refused(answer: Result<Txid, NodeError>) -> Result<bool, NodeError> {
    match answer {
        Ok(_) => Ok(false),
        Err(NodeError::Rejected(_)) => Ok(true),
        // Core's number for one that is in a block already (`RPC_VERIFY_ALREADY_IN_UTXO_SET`): the next sync reads that block.
        Err(NodeError::Rpc { code: -27, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
