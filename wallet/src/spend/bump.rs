//! Paying more for a transaction that waits: by replacing it (BIP125), or by a child that pays for it.

use bdk_wallet::chain::ChainPosition;
use bitcoin::{Address, Amount, FeeRate, Transaction, Txid, Weight};
use serde::Deserialize;

use super::draft::{Draft, Parts};
use super::fee::{FeeRule, fee_at, rate_of};
use super::request::Recipient;
use crate::amount::{Payout, sat_per_vb};
use crate::error::WalletError;
use crate::node::Node;
use crate::wallet::Wallet;

/// How more is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BumpKind {
    /// Another transaction takes its place, with the same payments and less change.
    Replace,
    /// Another transaction spends an output of it, and pays for both.
    Child,
}

/// What the mempool says of a transaction and its relatives.
#[derive(Debug, Deserialize)]
struct MempoolEntry {
    vsize: u64,
    ancestorsize: u64,
    fees: MempoolFees,
}

/// In bitcoins.
#[derive(Debug, Deserialize)]
struct MempoolFees {
    base: f64,
    ancestor: f64,
    descendant: f64,
}

#[derive(Debug, Deserialize)]
struct MempoolInfo {
    /// In bitcoins per thousand virtual bytes.
    incrementalrelayfee: f64,
}

impl Wallet {
    /// Makes a transaction that pays for another one of this wallet, so that both, or what takes its place, pay `fee_rate`.
    ///
    /// # Errors
    ///
    /// When the other is confirmed, cannot be bumped in that way, or pays as much already.
    pub fn draft_bump(&self, txid: Txid, kind: BumpKind, fee_rate: FeeRate, node: &Node) -> Result<Draft, WalletError> {
        let known = self.bdk.get_tx(txid).ok_or_else(|| match self.replacement_of(txid) {
            Some(by) => WalletError::Replaced { txid, by },
            None => WalletError::UnknownTransaction { txid },
        })?;
        if let ChainPosition::Confirmed { anchor, .. } = known.chain_position {
            return Err(WalletError::AlreadyConfirmed { txid, height: anchor.block_id.height });
        }
        let entry: MempoolEntry = node.call("getmempoolentry", &[txid.to_string().into()])?;
        match kind {
            BumpKind::Replace => self.draft_replacement(&known.tx_node.tx, fee_rate, &entry, node),
            BumpKind::Child => self.draft_child(&known.tx_node.tx, fee_rate, &entry),
        }
    }

    /// The transaction that counts and spends a coin that this one spent, too.
    fn replacement_of(&self, txid: Txid) -> Option<Txid> {
        let graph = self.bdk.tx_graph();
        let old = graph.get_tx(txid)?;
        let spenders = old.input.iter().flat_map(|input| graph.outspends(input.previous_output));
        spenders.copied().find(|spender| self.bdk.get_tx(*spender).is_some())
    }

    fn draft_replacement(
        &self,
        old: &Transaction,
        rate: FeeRate,
        entry: &MempoolEntry,
        node: &Node,
    ) -> Result<Draft, WalletError> {
        let txid = old.compute_txid();
        if !self.spends_only_ours(old) {
            return Err(WalletError::NotReplaceable { txid, problem: "others have signed for it too" });
        }
        let info: MempoolInfo = node.call("getmempoolinfo", &[])?;
        let increment = FeeRate::from_sat_per_kwu(to_sat(info.incrementalrelayfee).to_sat().div_ceil(4));
        let old_rate = rate_of(to_sat(entry.fees.base), Weight::from_vb(entry.vsize).unwrap_or(Weight::MAX));
        let least = old_rate + sat_per_vb(increment);
        if sat_per_vb(rate) < least {
            return Err(WalletError::FeeRateTooLow { got: sat_per_vb(rate), least });
        }
        let change = self.change_of(old);
        let change_script = change.as_ref().map(|change| change.address.script_pubkey());
        let mut recipients = Vec::new();
        for output in old.output.iter().filter(|output| Some(&output.script_pubkey) != change_script.as_ref()) {
            let address = Address::from_script(&output.script_pubkey, self.network().addresses)
                .map_err(|_| WalletError::NotReplaceable { txid, problem: "it pays to a script without an address" })?;
            recipients.push(Recipient { address, payout: Payout::Exactly(output.value), label: None });
        }
        // Whatever spent its outputs goes with it, and was paid for.
        let replaced = Some((to_sat(entry.fees.descendant), increment));
        let fee = FeeRule { rate, for_ancestors: Amount::ZERO, replaced };
        let required = self.coins_spent_by(old)?;
        let is_fresh = |coin: &crate::wallet::Coin| coin.confirmations > 0 && coin.is_spendable;
        // A new input without a block would be one more thing to wait for (BIP125's rule 2).
        let optional = self.coins().into_iter().filter(is_fresh).collect();
        if recipients.is_empty() && change.is_none() {
            return Err(WalletError::NotReplaceable { txid, problem: "it pays nobody" });
        }
        self.put_together(Parts { required, optional, recipients, fee, change })
    }

    fn draft_child(&self, parent: &Transaction, rate: FeeRate, entry: &MempoolEntry) -> Result<Draft, WalletError> {
        let txid = parent.compute_txid();
        let ours = self.coins().into_iter().filter(|coin| coin.outpoint().txid == txid);
        let required: Vec<_> = ours.max_by_key(crate::wallet::Coin::amount).into_iter().collect();
        if required.is_empty() {
            return Err(WalletError::NoOutputToSpend { txid });
        }
        let size = Weight::from_vb(entry.ancestorsize).unwrap_or(Weight::MAX);
        let paid = to_sat(entry.fees.ancestor);
        let missing = fee_at(rate, size).checked_sub(paid).filter(|missing| *missing > Amount::ZERO);
        let for_ancestors =
            missing.ok_or_else(|| WalletError::FeeRateTooLow { got: sat_per_vb(rate), least: rate_of(paid, size) })?;
        let optional = self.coins().into_iter().filter(|coin| coin.confirmations > 0 && coin.is_spendable).collect();
        let fee = FeeRule { rate, for_ancestors, replaced: None };
        self.put_together(Parts { required, optional, recipients: Vec::new(), fee, change: None })
    }
}

/// An amount as Core writes it.
fn to_sat(btc: f64) -> Amount {
    Amount::from_btc(btc).unwrap_or(Amount::ZERO)
}
