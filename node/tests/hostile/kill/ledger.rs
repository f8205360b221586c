//! What the node was asked for and told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::str::FromStr;

use bitcoin::{BlockHash, OutPoint, Transaction, Txid};
use serde_json::Value;

/// What the node was asked for and told.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Every transaction that was submitted, whether that was answered or not.
    pub(super) sent: HashMap<Txid, Transaction>,
    /// The chain as the node told of it.
    pub(super) chain: BTreeMap<u64, BlockHash>,
    /// Whether a block was asked for and the answer did not come.
    pub(super) is_mining: bool,
    /// The height that was reached when the chain state was last written.
    pub(super) written: u64,
    /// Transactions that are in the saved pool. There may be more in it.
    pub(super) saved: HashSet<Txid>,
    /// Whether the pool was to be saved and the answer did not come.
    pub(super) is_saving: bool,
}

impl Ledger {
    /// The height of the tip.
    pub(super) fn height(&self) -> u64 {
        *self.chain.last_key_value().unwrap().0
    }

    /// The coin that a transaction spends.
    pub(super) fn spent_by(&self, txid: &Txid) -> OutPoint {
        self.sent[txid].input[0].previous_output
    }
}

/// The hashes in an array.
pub(super) fn hashes<T: FromStr<Err: Debug>, C: FromIterator<T>>(array: &Value) -> C {
    array.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().parse().unwrap()).collect()
}
