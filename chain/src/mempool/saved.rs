//! The pool of an earlier run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bitcoin::Txid;

use super::accept::AcceptOptions;
use super::persist::{MempoolFileEntry, MempoolFileTransaction};
use super::{Admitted, Mempool, Rejection};
use crate::chainstate::Chainstate;

/// What is kept of a pool when the node stops.
#[derive(Debug, Clone, Default)]
pub struct SavedMempool {
    /// Its transactions, parents before children.
    pub transactions: Vec<MempoolFileTransaction>,
    /// What the operator pretends that transactions pay more, in satoshis.
    pub deltas: BTreeMap<Txid, i64>,
    /// Own transactions that no peer has asked for yet.
    pub unbroadcast: BTreeSet<Txid>,
}

/// What became of an entry of an earlier run.
#[derive(Debug)]
pub enum Restored {
    /// The transaction is in the pool again.
    Transaction(Box<Admitted>),
    /// The transaction stayed too long.
    Expired,
    /// The transaction was in the pool already.
    AlreadyThere,
    /// The transaction does not fit the chain or the pool any more.
    Rejected(Rejection),
    /// What was noted about a transaction is noted again.
    Note,
}

impl Mempool {
    /// What is to be kept of the pool (Core: `DumpMempool`, `node/mempool_persist.cpp`).
    #[must_use]
    pub fn to_saved(&self) -> SavedMempool {
        let transactions = self.entries_by_mining_order().map(|entry| MempoolFileTransaction {
            transaction: Arc::clone(&entry.transaction),
            time: i64::try_from(entry.time).unwrap_or(i64::MAX),
            fee_delta: entry.fee_delta,
        });
        SavedMempool {
            transactions: transactions.collect(),
            deltas: self.deltas.clone(),
            unbroadcast: self.unbroadcast.clone(),
        }
    }

    /// Takes back an entry of an earlier run; it is checked like any other, but for the time at which it entered (Core:
    /// `LoadMempool`, `node/mempool_persist.cpp`).
    pub fn restore(&mut self, chain: &Chainstate, entry: MempoolFileEntry) -> Restored {
        match entry {
            MempoolFileEntry::Transaction(saved) => self.restore_transaction(chain, saved),
            MempoolFileEntry::Delta { txid, fee_delta } => {
                self.prioritise_transaction(txid, fee_delta);
                Restored::Note
            }
            MempoolFileEntry::Unbroadcast { txid } => {
                self.add_unbroadcast(txid);
                Restored::Note
            }
        }
    }

    fn restore_transaction(&mut self, chain: &Chainstate, saved: MempoolFileTransaction) -> Restored {
        let txid = saved.transaction.as_ref().as_ref().txid();
        if saved.fee_delta != 0 {
            self.prioritise_transaction(txid, saved.fee_delta);
        }
        let time = u64::try_from(saved.time).unwrap_or(0);
        if time.saturating_add(self.options.expiry) <= chain.adjusted_time() {
            return Restored::Expired;
        }
        let options = AcceptOptions { time: Some(time), ..AcceptOptions::SINGLE };
        match self.accept_with(chain, saved.transaction, options) {
            Ok(admitted) => Restored::Transaction(Box::new(admitted)),
            Err(_) if self.contains(&txid) => Restored::AlreadyThere,
            Err(rejection) => Restored::Rejected(rejection),
        }
    }
}
