//! What blocks do to the pool.

use std::sync::Arc;

use bitcoin::{OutPoint, Txid};

use super::accept::{AcceptOptions, lock_points};
use super::view::MempoolView;
use super::{GraphIndex, Mempool, MempoolEntry, MempoolError, RemovalReason};
use crate::chainstate::Chainstate;
use crate::coins::{Coin, CoinsError};
use crate::header_chain::HeaderChain;
use crate::primitives::{Block, Transaction, TransactionRef};
use crate::validation::{COINBASE_MATURITY, InputsError, is_final};

/// Memory of the transactions that a reorganisation brings back, in bytes. The oldest come first, so that what they spend is
/// there (Core: `MAX_DISCONNECTED_TX_POOL_BYTES`, `kernel/disconnected_transactions.h`).
const MAX_RETURNED_BYTES: usize = 20_000_000;

impl Mempool {
    /// Follows the chain to another tip. `disconnected` are the blocks that left it, the old tip first; `connected` those that
    /// are on it now with their heights, the new tip last.
    ///
    /// # Errors
    ///
    /// When coins cannot be read.
    pub fn tip_changed(
        &mut self,
        chain: &Chainstate,
        disconnected: &[Arc<Block>],
        connected: &[(u32, Arc<Block>)],
    ) -> Result<(), CoinsError> {
        for (height, block) in connected {
            self.block_connected(block, *height, chain.adjusted_time());
        }
        if disconnected.is_empty() {
            return Ok(());
        }
        self.blocks_disconnected(chain, disconnected)
    }

    /// Notes a block without looking into it, which is enough while the pool is empty.
    pub fn block_connected_unseen(&mut self, height: u32, now: u64) {
        self.fees.process_block(height, &[]);
        self.let_minimum_fee_fall(now);
        self.has_changed();
    }

    /// Removes what is in a block, and what it makes impossible (Core: `removeForBlock`, `txmempool.cpp`). `height` is that of
    /// the block, `now` in seconds since 1970.
    pub fn block_connected(&mut self, block: &Block, height: u32, now: u64) {
        self.let_minimum_fee_fall(now);
        let confirmed: Vec<_> = block.transactions().filter_map(|tx| self.index_of(&tx.txid())).collect();
        self.graph.remove(&confirmed);
        let confirmed = self.take_out(&confirmed, RemovalReason::Block);
        for tx in block.transactions() {
            for input in tx.inputs() {
                if let Some(conflict) = self.spender_index(&input.prevout()) {
                    self.deltas.remove(&self.entry(conflict).tx().txid());
                    self.remove_recursive(&[conflict], RemovalReason::Conflict);
                }
            }
            self.deltas.remove(&tx.txid());
        }
        let confirmed: Vec<_> = confirmed.iter().map(|entry| entry.tx().txid()).collect();
        self.fees.process_block(height, &confirmed);
        self.has_changed();
    }

    /// Takes back what was in blocks that left the chain, and removes what the chain as it is now makes impossible (Core:
    /// `MaybeUpdateMempoolForReorg`, `validation.cpp`). `disconnected` are those blocks, the old tip first; those that took their
    /// place were connected before.
    ///
    /// # Errors
    ///
    /// When coins cannot be read.
    pub fn blocks_disconnected(&mut self, chain: &Chainstate, disconnected: &[Arc<Block>]) -> Result<(), CoinsError> {
        let mut room = MAX_RETURNED_BYTES;
        let mut returned = Vec::new();
        for tx in disconnected.iter().rev().flat_map(|block| block.transactions()) {
            if !tx.is_coinbase() && self.take_back(chain, tx, &mut room)? {
                returned.push(tx.txid());
            } else {
                self.remove_dependents(chain, tx)?;
            }
        }
        self.join_children(&returned);
        self.remove_for_reorg(chain)?;
        self.limit_size(chain.adjusted_time());
        self.has_changed();
        Ok(())
    }

    /// Whether a transaction is in the pool again; `room` is what more of them may take, in bytes.
    fn take_back(&mut self, chain: &Chainstate, tx: TransactionRef<'_>, room: &mut usize) -> Result<bool, CoinsError> {
        let options = AcceptOptions { bypass_limits: true, ..AcceptOptions::SINGLE };
        // Somebody may have sent it after the chain moved, and before the pool heard.
        if self.contains(&tx.txid()) {
            return Ok(true);
        }
        let transaction = Arc::new(tx.to_owned());
        let Some(left) = room.checked_sub(transaction.memory()) else {
            *room = 0;
            return Ok(false);
        };
        match self.accept_with(chain, transaction, options).map_err(|rejection| *rejection.error) {
            Ok(_) => {
                *room = left;
                Ok(true)
            }
            Err(MempoolError::Coins(error) | MempoolError::Inputs(InputsError::Coins(error))) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Removes what spends outputs of a transaction that is not in the pool, unless it is in the chain still, or again (Core:
    /// `removeRecursive`, and `DisconnectedBlockTransactions::removeForBlock`).
    fn remove_dependents(&mut self, chain: &Chainstate, tx: TransactionRef<'_>) -> Result<(), CoinsError> {
        let txid = tx.txid();
        let mut dependents = Vec::new();
        for vout in 0..u32::try_from(tx.outputs().len()).unwrap_or(u32::MAX) {
            let outpoint = OutPoint { txid, vout };
            if let Some(spender) = self.spender_index(&outpoint)
                && chain.coin(&outpoint)?.is_none()
            {
                dependents.push(spender);
            }
        }
        self.remove_recursive(&dependents, RemovalReason::Reorg);
        Ok(())
    }

    /// Tells the graph of children that were here before their parents came back (Core: `UpdateTransactionsFromBlock`).
    fn join_children(&mut self, returned: &[Txid]) {
        let mut dependencies: Vec<(GraphIndex, GraphIndex)> = Vec::new();
        for parent in returned.iter().filter_map(|txid| self.index_of(txid)) {
            let transaction = Arc::clone(&self.entry(parent).transaction);
            dependencies.extend(self.children_of(&transaction).into_iter().map(|child| (parent, child)));
        }
        let removed = self.graph.add_dependencies(&dependencies);
        self.take_out(&removed, RemovalReason::SizeLimit);
    }

    /// Core: `removeForReorg`, `txmempool.cpp`.
    fn remove_for_reorg(&mut self, chain: &Chainstate) -> Result<(), CoinsError> {
        let mut impossible = Vec::new();
        let mut moved = Vec::new();
        let view = MempoolView::new(self, chain);
        for (index, entry) in self.entries_with_indices() {
            match fits(&view, entry)? {
                Fit::No => impossible.push(index),
                Fit::Yes => {}
                Fit::WithLockPoints(lock_points) => moved.push((index, lock_points)),
            }
        }
        for (index, lock_points) in moved {
            self.entry_mut(index).lock_points = lock_points;
        }
        self.remove_recursive(&impossible, RemovalReason::Reorg);
        Ok(())
    }
}

/// Whether a transaction can be in the next block of the chain as it is now.
enum Fit {
    No,
    Yes,
    WithLockPoints(super::LockPoints),
}

fn fits(view: &MempoolView<'_>, entry: &MempoolEntry) -> Result<Fit, CoinsError> {
    let chain = view.chain.active_chain();
    if !is_final(entry.tx(), view.next_height(), chain.median_time_past()) {
        return Ok(Fit::No);
    }
    let mut fit = Fit::Yes;
    let known = entry.lock_points.highest_input_block;
    let holds = known.height <= chain.height() && chain.header_at(known.height).hash == known.hash;
    let mut locks = entry.lock_points.locks;
    let spent = if holds && !entry.spends_coinbase { None } else { Some(coins(view, &entry.transaction)?) };
    if !holds {
        let Some(Some(spent)) = &spent else { return Ok(Fit::No) };
        let lock_points = lock_points(view, &entry.transaction, spent);
        locks = lock_points.locks;
        fit = Fit::WithLockPoints(lock_points);
    }
    if !locks.are_met_after(&chain) {
        return Ok(Fit::No);
    }
    if entry.spends_coinbase {
        let Some(Some(spent)) = &spent else { return Ok(Fit::No) };
        let is_immature =
            |coin: &Coin| coin.is_coinbase && view.next_height().saturating_sub(coin.height) < COINBASE_MATURITY;
        if spent.iter().any(is_immature) {
            return Ok(Fit::No);
        }
    }
    Ok(fit)
}

/// The coins of a transaction's inputs, if all are there.
fn coins(view: &MempoolView<'_>, transaction: &Transaction) -> Result<Option<Vec<Coin>>, CoinsError> {
    transaction.as_ref().inputs().map(|input| view.coin(&input.prevout())).collect()
}
