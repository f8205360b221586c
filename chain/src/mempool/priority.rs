//! What the operator pretends, and what is his own.

use std::collections::BTreeMap;

use bitcoin::Txid;

use super::fees::FeeEstimator;
use super::{FeeRate, Mempool};

impl Mempool {
    /// Pretends that a transaction, which need not be here, pays more or less, in satoshis (Core: `PrioritiseTransaction`,
    /// `txmempool.cpp`). Calls add up.
    pub fn prioritise_transaction(&mut self, txid: Txid, fee_delta: i64) {
        let delta = self.deltas.get(&txid).copied().unwrap_or(0).saturating_add(fee_delta);
        if delta == 0 {
            self.deltas.remove(&txid);
        } else {
            self.deltas.insert(txid, delta);
        }
        if let Some(index) = self.index_of(&txid) {
            let entry = self.entry_mut(index);
            entry.fee_delta = delta;
            let fee = entry.modified_fee();
            self.graph.set_fee(index, fee);
        }
        // Even if it is not here: it may have been checked already, with what it was thought to pay before.
        self.has_changed();
    }

    /// What the operator pretends that transactions pay more, in satoshis (Core: `GetPrioritisedTransactions`).
    #[must_use]
    pub fn prioritised_transactions(&self) -> &BTreeMap<Txid, i64> {
        &self.deltas
    }

    /// Marks a transaction of the pool as one that no peer has asked for yet (Core: `AddUnbroadcastTx`).
    pub fn add_unbroadcast(&mut self, txid: Txid) {
        if self.contains(&txid) {
            self.unbroadcast.insert(txid);
        }
    }

    /// A peer asked for it (Core: `RemoveUnbroadcastTx`).
    pub fn remove_unbroadcast(&mut self, txid: &Txid) {
        self.unbroadcast.remove(txid);
    }

    /// Transactions that no peer has asked for yet.
    #[must_use]
    pub fn unbroadcast(&self) -> impl ExactSizeIterator<Item = &Txid> {
        self.unbroadcast.iter()
    }

    /// Whether no peer has asked for a transaction yet.
    #[must_use]
    pub fn is_unbroadcast(&self, txid: &Txid) -> bool {
        self.unbroadcast.contains(txid)
    }

    /// What fees bought so far.
    #[must_use]
    pub fn fee_estimator(&self) -> &FeeEstimator {
        &self.fees
    }

    /// Goes on with what an earlier run found out about fees.
    pub fn set_fee_estimator(&mut self, fees: FeeEstimator) {
        self.fees = fees;
    }

    /// What the last transaction pays that fits the next block of this weight, or nothing while all fit.
    #[must_use]
    pub fn next_block_fee_rate(&self, block_weight: u64) -> Option<FeeRate> {
        let mut builder = self.graph.block_builder();
        let mut weight = 0;
        while let Some(chunk) = builder.current() {
            weight += chunk.fee_rate().size;
            if weight > block_weight {
                return Some(chunk.fee_rate().weight_to_vbytes());
            }
            builder.include();
        }
        None
    }
}
