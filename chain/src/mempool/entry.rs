//! One transaction of the pool.

use std::sync::Arc;

use bitcoin::Amount;

use super::FeeRate;
use crate::chainstate::BlockReference;
use crate::mempool::policy::{sigop_adjusted_weight, virtual_size};
use crate::primitives::{Transaction, TransactionRef};
use crate::validation::SequenceLocks;

/// A transaction of the pool, and what was found out about it when it entered (Core: `CTxMemPoolEntry`,
/// `kernel/mempool_entry.h`).
#[derive(Debug, Clone)]
pub struct MempoolEntry {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// What it pays, in satoshis.
    pub base_fee: Amount,
    /// What the operator pretends that it pays beyond that, in satoshis (Core: `prioritisetransaction`).
    pub fee_delta: i64,
    /// When it entered, in seconds since 1970.
    pub time: u64,
    /// Height of the tip when it entered.
    pub height: u32,
    /// Its place in the order of all changes of the pool; zero for one that came back from a block.
    pub sequence: u64,
    /// Whether it spends a coinbase, which a reorganisation can make immature again.
    pub spends_coinbase: bool,
    /// Cost of its signature operations.
    pub sigop_cost: usize,
    /// When its relative lock times end.
    pub lock_points: LockPoints,
    /// Bytes a signature operation counts as.
    pub(super) bytes_per_sigop: usize,
}

/// When the relative lock times of a transaction end, and for which chains that holds (Core: `LockPoints`,
/// `kernel/mempool_entry.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockPoints {
    /// The last height and time at which it is locked.
    pub locks: SequenceLocks,
    /// The highest block that made one of its coins: while that is on the chain, the locks are right.
    pub highest_input_block: BlockReference,
}

impl MempoolEntry {
    /// The transaction.
    #[must_use]
    pub fn tx(&self) -> TransactionRef<'_> {
        self.transaction.as_ref().as_ref()
    }

    /// What it pays and what the operator pretends, in satoshis.
    #[must_use]
    pub fn modified_fee(&self) -> i64 {
        i64::try_from(self.base_fee.to_sat()).unwrap_or(i64::MAX).saturating_add(self.fee_delta)
    }

    /// Size, in virtual bytes; more than its weight says when it has very many signature operations (Core: `GetTxSize`).
    #[must_use]
    pub fn virtual_size(&self) -> usize {
        virtual_size(self.tx().weight(), self.sigop_cost, self.bytes_per_sigop)
    }

    /// Weight, in weight units, with signature operations counted likewise (Core: `GetAdjustedWeight`).
    #[must_use]
    pub fn adjusted_weight(&self) -> usize {
        sigop_adjusted_weight(self.tx().weight(), self.sigop_cost, self.bytes_per_sigop)
    }

    /// Modified fee for each virtual byte.
    #[must_use]
    pub fn fee_rate(&self) -> FeeRate {
        FeeRate::new(self.modified_fee(), self.virtual_size() as u64)
    }

    /// Modified fee for each adjusted weight unit.
    pub(super) fn weight_rate(&self) -> FeeRate {
        FeeRate::new(self.modified_fee(), self.adjusted_weight() as u64)
    }

    /// What decides between transactions that pay the same.
    pub(super) fn order_key(&self) -> u64 {
        let txid = self.tx().txid();
        let bytes: &[u8; 32] = txid.as_ref();
        u64::from_be_bytes(*bytes.first_chunk().expect("a hash has 32 bytes"))
    }

    /// Memory, in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.transaction.memory()
    }
}
