//! What there is to spend.

use std::collections::HashMap;

use bdk_wallet::LocalOutput;
use bdk_wallet::chain::ChainPosition;
use bitcoin::{Address, Amount, OutPoint, Transaction, TxIn};

use super::Wallet;
use crate::error::WalletError;

/// Blocks until the output of a coinbase may be spent, itself among them (Core: `COINBASE_MATURITY`).
const COINBASE_MATURITY: u32 = 100;

/// An unspent output of the wallet.
#[derive(Debug, Clone)]
pub struct Coin {
    pub(crate) output: LocalOutput,
    /// Height of its block, if it is in one.
    pub height: Option<u32>,
    /// Blocks that confirm it; 0 while it is in none.
    pub confirmations: u32,
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
            // Ours alone can sign a conflict to what spends our coins.
            confirmations > 0 || transaction.is_some_and(|transaction| self.spends_only_ours(&transaction))
        };
        Coin { output, height, confirmations, is_spendable }
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

    /// Whether nobody else has signed for a transaction.
    pub(crate) fn spends_only_ours(&self, transaction: &Transaction) -> bool {
        transaction.input.iter().all(|input| {
            let spent = self.bdk.tx_graph().get_txout(input.previous_output);
            spent.is_some_and(|spent| self.bdk.is_mine(spent.script_pubkey.clone()))
        })
    }
}
