//! What there is to spend.

use std::collections::HashMap;

use bdk_wallet::LocalOutput;
use bdk_wallet::chain::ChainPosition;
use bitcoin::{Address, Amount, OutPoint, Transaction, TxIn};

use super::Wallet;
use crate::error::WalletError;

/// Blocks until the output of a coinbase may be spent, itself among them (Core: `COINBASE_MATURITY`).
const COINBASE_MATURITY: u32 = 100;

/// Transactions in a row without a block that are followed: more are not relayed (Core: `DEFAULT_ANCESTOR_LIMIT`).
const TRUSTED_DEPTH: usize = 25;

/// An unspent output of the wallet.
#[derive(Debug, Clone)]
pub struct Coin {
    pub(crate) output: LocalOutput,
    /// Height of its block, if it is in one.
    pub height: Option<u32>,
    /// Blocks that confirm it; 0 while it is in none.
    pub confirmations: u32,
    /// Whether a miner was paid with it.
    pub is_coinbase: bool,
    /// Whether it may be spent now: a coinbase has to mature, and what strangers sent has to be confirmed.
    pub is_spendable: bool,
}

impl Coin {
    /// Where it is.
    #[must_use]
    pub fn outpoint(&self) -> OutPoint {
        self.output.outpoint
    }

    /// What it is worth.
    #[must_use]
    pub fn amount(&self) -> Amount {
        self.output.txout.value
    }
}

impl Wallet {
    /// All unspent outputs, those of the oldest blocks first.
    #[must_use]
    pub fn coins(&self) -> Vec<Coin> {
        let (tip, _) = self.tip();
        let mut coins: Vec<_> = self.bdk.list_unspent().map(|output| self.coin(output, tip)).collect();
        coins.sort_by_key(|coin| (coin.height.unwrap_or(u32::MAX), coin.outpoint()));
        coins
    }

    /// The address that an output pays to.
    #[must_use]
    pub fn address_of(&self, coin: &Coin) -> Option<Address> {
        Address::from_script(&coin.output.txout.script_pubkey, self.network().addresses).ok()
    }

    fn coin(&self, output: LocalOutput, tip: u32) -> Coin {
        let height = match &output.chain_position {
            ChainPosition::Confirmed { anchor, .. } => Some(anchor.block_id.height),
            ChainPosition::Unconfirmed { .. } => None,
        };
        let confirmations = height.map_or(0, |height| (tip + 1).saturating_sub(height));
        let graph = self.bdk.tx_graph();
        let transaction = graph.get_tx(output.outpoint.txid);
        let is_coinbase = transaction.as_ref().is_some_and(|transaction| transaction.is_coinbase());
        let is_spendable = if is_coinbase {
            confirmations >= COINBASE_MATURITY
        } else {
            confirmations > 0 || transaction.is_some_and(|transaction| self.is_trusted(&transaction, TRUSTED_DEPTH))
        };
        Coin { output, height, confirmations, is_coinbase, is_spendable }
    }

    /// The coins that a transaction of ours spends.
    ///
    /// # Errors
    ///
    /// When one of them is not ours.
    pub(crate) fn coins_spent_by(&self, transaction: &Transaction) -> Result<Vec<Coin>, WalletError> {
        let (tip, _) = self.tip();
        let mut outputs: HashMap<OutPoint, LocalOutput> =
            self.bdk.list_output().map(|output| (output.outpoint, output)).collect();
        let mut coin = |input: &TxIn| {
            let outpoint = input.previous_output;
            let output = outputs.remove(&outpoint).ok_or(WalletError::UnknownCoin { outpoint })?;
            Ok(self.coin(output, tip))
        };
        transaction.input.iter().map(&mut coin).collect()
    }

    /// Whether nobody else can take back a transaction that is in no block: ours alone sign conflicts to what spends our coins, if
    /// nobody else can take those back either (Core: `CachedTxIsTrusted`).
    fn is_trusted(&self, transaction: &Transaction, depth: usize) -> bool {
        self.spends_only_ours(transaction)
            && transaction.input.iter().all(|input| {
                let parent = self.bdk.get_tx(input.previous_output.txid);
                parent.is_some_and(|parent| {
                    parent.chain_position.is_confirmed()
                        || (depth > 0 && self.is_trusted(&parent.tx_node.tx, depth - 1))
                })
            })
    }

    /// Whether nobody else has signed for a transaction.
    pub(crate) fn spends_only_ours(&self, transaction: &Transaction) -> bool {
        transaction.input.iter().all(|input| {
            let spent = self.bdk.tx_graph().get_txout(input.previous_output);
            spent.is_some_and(|spent| self.bdk.is_mine(spent.script_pubkey.clone()))
        })
    }
}
