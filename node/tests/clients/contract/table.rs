//! Per method, what clients read.
//!
//! | file | |
//! |---|---|
//! | `chain.rs` | blocks, tips, coins |
//! | `mempool.rs` | the mempool, what it takes, and fees |
//! | `transactions.rs` | transactions, scripts, addresses, descriptors |
//! | `node.rs` | the node, its network, mining |

mod chain;
mod mempool;
mod node;
mod transactions;

use serde_json::{Value, json};

use crate::scene::Scene;

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It must not be there.
    Absent,
    /// This very text.
    Is(&'static str),
    Bool,
    Text,
    /// A string of bytes as lower-case hexadecimal digits.
    Hex,
    /// A string of 32 bytes as hexadecimal digits.
    Hash,
    /// A number without a point.
    Integer,
    /// Any number.
    Real,
    /// BTC, or BTC per 1000 virtual bytes: a number with eight decimals.
    Amount,
    List,
    Map,
}

/// What an answer holds.
pub(super) struct Promise {
    pub(super) method: &'static str,
    /// What is particular about the call.
    pub(super) note: &'static str,
    pub(super) params: fn(&Scene) -> Value,
    pub(super) fields: &'static [(&'static str, Kind)],
}

const fn promise(
    method: &'static str,
    note: &'static str,
    params: fn(&Scene) -> Value,
    fields: &'static [(&'static str, Kind)],
) -> Promise {
    Promise { method, note, params, fields }
}

fn none(_: &Scene) -> Value {
    json!([])
}

fn hex(transaction: &bitcoin::Transaction) -> String {
    bitcoin::consensus::encode::serialize_hex(transaction)
}

/// Spends a coinbase and pays a fee, satoshis.
fn payment(scene: &Scene, fee: u64) -> bitcoin::Transaction {
    let coin = scene.coinbase(4);
    let value = coin.output.value - bitcoin::Amount::from_sat(fee);
    scene.purse.spend(&[&coin], vec![bitcoin::TxOut { value, ..coin.output.clone() }])
}

/// All of them.
pub(super) fn promises() -> impl Iterator<Item = &'static Promise> {
    [chain::PROMISES, mempool::PROMISES, transactions::PROMISES, node::PROMISES].into_iter().flatten()
}
