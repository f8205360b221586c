//! The index of transactions, which follows the chain while the node runs (Core: `BaseIndex`, `index/base.cpp`; `-txindex`).
//!
//! ```text
//! chain thread ─ which blocks are missing ─▶ TxIndexer ─ blocks, on threads that may wait ─▶ TransactionIndex
//!                                                                                                  │
//! getrawtransaction, gettxoutproof, getindexinfo ◀─ TxIndex ◀─────────────── where it may be ──────┘
//! ```
//!
//! An index that fails says so, and the node goes on without what the index does not know.
//!
//! | file | holds |
//! |---|---|
//! | `sync` | the task that gives blocks to the index |
//! | `next_blocks` | which blocks those are |

mod next_blocks;
mod sync;

use std::path::Path;

use bitcoin::{BlockHash, Txid};
use cairn_chain::chainstate::{BlockReference, Chainstate, ChainstateError, StoredBlock};
use cairn_chain::index::{IndexError, TransactionIndex, TransactionIndexReader, TransactionPosition};
use cairn_chain::primitives::Transaction;
use thiserror::Error;
use tokio::sync::watch;

use crate::chain_service::{ChainHandle, ChainStopped};
pub(crate) use sync::TxIndexer;

/// Why the index does not go on, or does not answer.
#[derive(Debug, Error)]
pub(crate) enum TxIndexError {
    /// The index cannot be read or written.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A block cannot be read.
    #[error("cannot read block {hash} at height {height}: {source}; an index of transactions needs all blocks")]
    Block {
        /// Its height.
        height: u32,
        /// Its hash.
        hash: BlockHash,
        /// Why.
        source: ChainstateError,
    },
    /// Nothing that the index covers is on the chain.
    #[error("it is of another chain; delete its directory to build it anew")]
    OtherChain,
    /// Something about it panicked, which standard error tells more of.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// The node is stopping.
    #[error(transparent)]
    Stopped(#[from] ChainStopped),
}

impl TxIndexError {
    fn panicked(error: tokio::task::JoinError) -> Self {
        let message = error.try_into_panic().map(|panic| crate::tasks::panic_message(&*panic));
        message.map_or(Self::Stopped(ChainStopped), Self::Panicked)
    }
}

/// How far the index is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TxIndexStatus {
    /// The last block whose transactions it knows.
    pub(crate) best_block: Option<BlockReference>,
    /// Whether it has caught up with the chain since the node started (Core: `m_synced`), and can follow it.
    pub(crate) is_synced: bool,
    /// Why it does not go on, if it failed.
    pub(crate) failure: Option<String>,
}

/// A transaction of the active chain, and where it is.
#[derive(Debug)]
pub(crate) struct IndexedTransaction {
    /// The transaction.
    pub(crate) transaction: Transaction,
    /// Where it starts in its serialized block, in bytes.
    pub(crate) offset: u32,
    /// Its block.
    pub(crate) block: StoredBlock,
}

/// Looks transactions up. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct TxIndex {
    reader: TransactionIndexReader,
    status: watch::Receiver<TxIndexStatus>,
}

impl TxIndex {
    /// Opens the index of a data directory, or makes it. Nothing is indexed until the second one [runs](TxIndexer::run).
    ///
    /// # Errors
    ///
    /// When it is damaged, of another version, or cannot be read or written.
    pub(crate) fn open(directory: &Path) -> Result<(Self, TxIndexer), IndexError> {
        // Core's place for it.
        let index = TransactionIndex::open(&directory.join("indexes").join("txindex"))?;
        let best_block = index.best_block();
        let (sender, status) = watch::channel(TxIndexStatus { best_block, ..TxIndexStatus::default() });
        Ok((Self { reader: index.reader(), status }, TxIndexer::new(index, sender)))
    }

    /// How far it is.
    pub(crate) fn status(&self) -> TxIndexStatus {
        self.status.borrow().clone()
    }

    /// Waits until it knows all blocks that are on the chain now; false without waiting when it has not caught up yet, or does not
    /// go on (Core: `BlockUntilSyncedToCurrentChain`).
    pub(crate) async fn wait_until_synced(&self, chain: &ChainHandle) -> bool {
        let wanted = chain.tip();
        let is_current = |best: BlockReference| {
            // After a reorganisation the tip may be lower than what was waited for.
            best.height > wanted.height || best == wanted || best == chain.tip()
        };
        let mut status = self.status.clone();
        let waited = status.wait_for(|status| !status.is_synced || status.best_block.is_some_and(is_current)).await;
        waited.is_ok_and(|status| status.is_synced)
    }

    /// A transaction of the active chain (Core: `TxIndex::FindTx`, which also finds those of blocks that left the chain).
    ///
    /// # Errors
    ///
    /// When the index or the block cannot be read, or the node stops.
    pub(crate) async fn find(
        &self,
        chain: &ChainHandle,
        txid: Txid,
    ) -> Result<Option<IndexedTransaction>, TxIndexError> {
        let reader = self.reader.clone();
        let positions = run_blocking(move || Ok(reader.find(&txid)?)).await?;
        if positions.is_empty() {
            return Ok(None);
        }
        let stored = chain.call(move |chain| stored_blocks(&chain.chainstate, &positions)).await?;
        run_blocking(move || read_first(stored, &txid)).await
    }
}

/// The blocks of the active chain at these positions.
fn stored_blocks(chainstate: &Chainstate, positions: &[TransactionPosition]) -> Vec<(StoredBlock, u32)> {
    let tip = chainstate.tip().height;
    let on_chain = positions.iter().filter(|position| position.height <= tip);
    on_chain
        .filter_map(|position| {
            let hash = chainstate.block_hash(position.height)?;
            Some((chainstate.stored_block(&hash)?, position.offset))
        })
        .collect()
}

/// The first transaction that is the one that was asked for. What the index says may be about blocks that left the chain.
fn read_first(stored: Vec<(StoredBlock, u32)>, txid: &Txid) -> Result<Option<IndexedTransaction>, TxIndexError> {
    for (block, offset) in stored {
        let BlockReference { height, hash } = block.reference;
        let read = block.transaction_at(offset).map_err(|source| TxIndexError::Block { height, hash, source })?;
        if let Some(transaction) = read.filter(|transaction| transaction.as_ref().txid() == *txid) {
            return Ok(Some(IndexedTransaction { transaction, offset, block }));
        }
    }
    Ok(None)
}

/// Runs something that reads or writes files.
async fn run_blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, TxIndexError> + Send + 'static,
) -> Result<T, TxIndexError> {
    tokio::task::spawn_blocking(run).await.map_err(TxIndexError::panicked)?
}

#[cfg(test)]
mod tests;
