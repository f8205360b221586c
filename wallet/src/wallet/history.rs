//! What was received and sent.

use std::cmp::Reverse;
use std::collections::HashSet;

use bdk_wallet::chain::ChainPosition;
use bitcoin::{Amount, SignedAmount, Transaction, Txid};

use super::Wallet;

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In a block of the chain.
    Confirmed {
        /// The block's height.
        height: u32,
        /// Blocks that confirm it, its own among them.
        confirmations: u32,
    },
    /// In no block yet.
    Pending,
    /// A payment of ours that the node no longer has, though nothing contradicts it: others may have it, and mine it.
    Forgotten,
    /// Another transaction spent what it spends, or whoever sent it took it back.
    Gone,
}

/// A transaction that concerns the wallet.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub txid: Txid,
    /// When it was mined or first seen, in seconds since 1970, as far as that is known.
    pub time: Option<u64>,
    /// How far it has come.
    pub status: Status,
    /// What the wallet has more for it, or less, fees included.
    pub amount: SignedAmount,
    /// What it paid to be mined, if all its inputs are ours.
    pub fee: Option<Amount>,
}

impl Wallet {
    /// Everything that was received and sent, the newest first. `with_gone` adds what came to nothing.
    #[must_use]
    pub fn history(&self, with_gone: bool) -> Vec<Entry> {
        let (tip, _) = self.tip();
        let mut entries = Vec::new();
        for transaction in self.bdk.transactions() {
            let (status, time) = match &transaction.chain_position {
                ChainPosition::Confirmed { anchor, .. } => {
                    let height = anchor.block_id.height;
                    let confirmations = (tip + 1).saturating_sub(height);
                    (Status::Confirmed { height, confirmations }, Some(anchor.confirmation_time))
                }
                ChainPosition::Unconfirmed { first_seen, last_seen } => (Status::Pending, first_seen.or(*last_seen)),
            };
            entries.push(self.entry(&transaction.tx_node.tx, status, time));
        }
        let known: HashSet<Txid> = entries.iter().map(|entry| entry.txid).collect();
        for node in self.bdk.tx_graph().full_txs().filter(|node| !known.contains(&node.txid)) {
            if self.is_contradicted(&node.tx, &known) || !self.spends_only_ours(&node.tx) {
                if with_gone {
                    entries.push(self.entry(&node.tx, Status::Gone, node.first_seen));
                }
            } else {
                entries.push(self.entry(&node.tx, Status::Forgotten, node.first_seen));
            }
        }
        entries.sort_by_key(|entry| {
            let height = match entry.status {
                Status::Confirmed { height, .. } => height,
                Status::Pending | Status::Forgotten | Status::Gone => u32::MAX,
            };
            (Reverse(height), Reverse(entry.time), entry.txid)
        });
        entries
    }

    /// Whether one of the transactions that count spends a coin of this one, or a parent of it counts no more.
    fn is_contradicted(&self, transaction: &Transaction, counted: &HashSet<Txid>) -> bool {
        let graph = self.bdk.tx_graph();
        transaction.input.iter().any(|input| {
            let parent = input.previous_output.txid;
            let is_lost = graph.get_tx(parent).is_some() && !counted.contains(&parent);
            is_lost || graph.outspends(input.previous_output).iter().any(|spender| counted.contains(spender))
        })
    }

    fn entry(&self, transaction: &Transaction, status: Status, time: Option<u64>) -> Entry {
        let (sent, received) = self.bdk.sent_and_received(transaction);
        let signed = |amount: Amount| amount.to_signed().expect("amounts of blocks and mempool are checked");
        let fee = if self.spends_only_ours(transaction) { self.bdk.calculate_fee(transaction).ok() } else { None };
        Entry { txid: transaction.compute_txid(), time, status, amount: signed(received) - signed(sent), fee }
    }
}
