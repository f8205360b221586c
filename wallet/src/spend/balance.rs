//! Coins, fee and change that balance, to the satoshi.

use std::collections::HashSet;

use bdk_wallet::coin_selection::{
    BranchAndBoundCoinSelection, CoinSelectionAlgorithm, LargestFirstCoinSelection, SingleRandomDraw,
};
use bdk_wallet::{Utxo, WeightedUtxo};
use bitcoin::secp256k1::rand::thread_rng;
use bitcoin::{Amount, OutPoint, TxIn, TxOut, VarInt, Weight};

use super::draft::Change;
use super::fee::{FeeRule, fee_at};
use super::request::Recipient;
use super::weigh::{Scale, Spending};
use crate::amount::Payout;
use crate::error::WalletError;
use crate::wallet::{Coin, Wallet};

/// How often coins are drawn, to keep what is cheapest. The largest first are tried as well.
const DRAWS: usize = 4;
/// How often coins are chosen again because what was chosen falls a few satoshis short.
const SELECTIONS: usize = 8;

/// A coin, and what it takes to spend it.
pub(super) type Weighed = (Coin, Spending);

/// What is to be paid, and for what.
pub(super) struct Plan<'a> {
    pub(super) recipients: Vec<Recipient>,
    pub(super) fee: FeeRule,
    /// Where change goes.
    pub(super) change: Change,
    pub(super) scale: &'a Scale<'a>,
    pub(super) wallet: &'a Wallet,
}

/// Coins and outputs of the same worth.
pub(super) struct Balanced {
    pub(super) coins: Vec<Weighed>,
    pub(super) payments: Vec<(Recipient, Amount)>,
    pub(super) change: Option<Change>,
    pub(super) fee: Amount,
    pub(super) weight: Weight,
}

impl Plan<'_> {
    /// Chooses coins and computes every amount.
    pub(super) fn balance(&self, required: &[Weighed], optional: &[Weighed]) -> Result<Balanced, WalletError> {
        if self.recipients.iter().any(|recipient| recipient.payout == Payout::Max) {
            return self.drain(required);
        }
        // Anybody can send coins that cost more than they bring.
        let is_worth = |(coin, spending): &&Weighed| coin.amount() > fee_at(self.fee.rate, spending.weight);
        let optional: Vec<Weighed> = optional.iter().filter(is_worth).cloned().collect();
        let mut outcome = self.balance_with(&LargestFirstCoinSelection, required, &optional);
        for _ in 0..DRAWS {
            let drawn = BranchAndBoundCoinSelection::new(self.change_size(), SingleRandomDraw);
            outcome = match (outcome, self.balance_with(&drawn, required, &optional)) {
                (Ok(one), Ok(other)) => Ok(if self.cost(&other) < self.cost(&one) { other } else { one }),
                (Err(_), other) => other,
                (one, Err(_)) => one,
            };
        }
        outcome
    }

    /// What a transaction costs, together with what its change will cost.
    fn cost(&self, balanced: &Balanced) -> Amount {
        balanced.fee + balanced.change.as_ref().map_or(Amount::ZERO, |_| self.change_cost())
    }

    /// Chooses coins in one way.
    fn balance_with(
        &self,
        algorithm: &impl CoinSelectionAlgorithm,
        required: &[Weighed],
        optional: &[Weighed],
    ) -> Result<Balanced, WalletError> {
        let paid = self.paid();
        let mut short = Amount::ZERO;
        for _ in 0..SELECTIONS {
            let coins = self.select(algorithm, required, optional, short)?;
            match self.settle(coins) {
                Err(WalletError::InsufficientFunds { needed, available }) if available >= paid => {
                    short += needed - available;
                }
                other => return other,
            }
        }
        Err(self.insufficient(required.iter().chain(optional)))
    }

    /// What the recipients get, as far as it is said.
    fn paid(&self) -> Amount {
        let exact = |recipient: &Recipient| match recipient.payout {
            Payout::Exactly(amount) => amount,
            Payout::Max => Amount::ZERO,
        };
        self.recipients
            .iter()
            .map(exact)
            .fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX))
    }

    fn outputs(&self) -> Vec<TxOut> {
        let output = |recipient: &Recipient| match recipient.payout {
            Payout::Exactly(value) => TxOut { value, script_pubkey: recipient.script() },
            Payout::Max => TxOut { value: Amount::ZERO, script_pubkey: recipient.script() },
        };
        self.recipients.iter().map(output).collect()
    }

    /// Coins worth enough.
    fn select(
        &self,
        algorithm: &impl CoinSelectionAlgorithm,
        required: &[Weighed],
        optional: &[Weighed],
        short: Amount,
    ) -> Result<Vec<Weighed>, WalletError> {
        let all: Vec<&Weighed> = required.iter().chain(optional).collect();
        let weighted = |weighed: &[Weighed]| -> Vec<WeightedUtxo> {
            weighed
                .iter()
                .map(|(coin, spending)| WeightedUtxo {
                    satisfaction_weight: spending.weight - base_weight(spending),
                    utxo: Utxo::Local(coin.output.clone()),
                })
                .collect()
        };
        let base = weight_of(&[], &self.outputs());
        let target = self.paid().checked_add(self.fee.fee(base)).and_then(|target| target.checked_add(short));
        let insufficient = || self.insufficient(all.iter().copied());
        let selected = algorithm
            .coin_select(
                weighted(required),
                weighted(optional),
                self.fee.rate,
                target.ok_or_else(insufficient)?,
                &self.change.address.script_pubkey(),
                &mut thread_rng(),
            )
            .map_err(|_| insufficient())?;
        let is_selected: HashSet<OutPoint> = selected.selected.iter().map(Utxo::outpoint).collect();
        Ok(all.into_iter().filter(|(coin, _)| is_selected.contains(&coin.outpoint())).cloned().collect())
    }

    /// Bytes of a change output.
    fn change_size(&self) -> u64 {
        u64::try_from(self.change.output(Amount::ZERO).size()).expect("a few bytes")
    }

    /// Fee and change for these coins, to the satoshi.
    fn settle(&self, coins: Vec<Weighed>) -> Result<Balanced, WalletError> {
        let available: Amount = coins.iter().map(|(coin, _)| coin.amount()).sum();
        let paid = self.paid();
        let mut outputs = self.outputs();
        let weight = weight_of(&coins, &outputs);
        let least = self.fee.fee(weight);
        outputs.push(self.change.output(Amount::ZERO));
        let weight_with_change = weight_of(&coins, &outputs);
        let rest = paid.checked_add(self.fee.fee(weight_with_change)).and_then(|needed| available.checked_sub(needed));
        let payments = self.recipients.iter().map(|recipient| match recipient.payout {
            Payout::Exactly(amount) => (recipient.clone(), amount),
            Payout::Max => unreachable!("drained instead"),
        });
        match rest {
            Some(amount)
                if amount >= self.least_change() && !(self.recipients.is_empty() && amount == Amount::ZERO) =>
            {
                let change = Some(Change { amount, ..self.change.clone() });
                let fee = available - paid - amount;
                Ok(Balanced { payments: payments.collect(), change, fee, weight: weight_with_change, coins })
            }
            _ => match available.checked_sub(paid) {
                Some(fee) if fee >= least && !self.recipients.is_empty() => {
                    Ok(Balanced { payments: payments.collect(), change: None, fee, weight, coins })
                }
                _ => {
                    let needed = if self.recipients.is_empty() {
                        self.fee.fee(weight_with_change) + self.least_change()
                    } else {
                        paid.checked_add(least).unwrap_or(Amount::MAX)
                    };
                    Err(WalletError::InsufficientFunds { needed, available })
                }
            },
        }
    }

    /// All coins to one recipient, less what the others get and the fee.
    fn drain(&self, coins: &[Weighed]) -> Result<Balanced, WalletError> {
        let available: Amount = coins.iter().map(|(coin, _)| coin.amount()).sum();
        let weight = weight_of(coins, &self.outputs());
        let fee = self.fee.fee(weight);
        let needed = self.paid().checked_add(fee).unwrap_or(Amount::MAX);
        let mut payments = Vec::new();
        for recipient in &self.recipients {
            let amount = match recipient.payout {
                Payout::Exactly(amount) => amount,
                Payout::Max => {
                    let least = recipient.script().minimal_non_dust();
                    let rest = available.checked_sub(needed).filter(|rest| *rest >= least);
                    let needed = needed.checked_add(least).unwrap_or(Amount::MAX);
                    rest.ok_or(WalletError::InsufficientFunds { needed, available })?
                }
            };
            payments.push((recipient.clone(), amount));
        }
        Ok(Balanced { coins: coins.to_vec(), payments, change: None, fee, weight })
    }

    /// The least that is worth getting back: what nodes relay, and what it costs to spend.
    fn least_change(&self) -> Amount {
        self.change.address.script_pubkey().minimal_non_dust().max(self.change_cost())
    }

    /// What it costs to spend change.
    fn change_cost(&self) -> Amount {
        let descriptor = self.wallet.bdk.public_descriptor(self.change.keychain);
        let definite = descriptor.at_derivation_index(self.change.index).ok();
        // Seen from far ahead, when every lock time is over.
        let spending = definite.and_then(|definite| self.scale.weigh(&definite, u32::from(u16::MAX)));
        spending.map_or(Amount::ZERO, |spending| fee_at(self.fee.rate, spending.weight))
    }

    fn insufficient<'a>(&self, coins: impl Iterator<Item = &'a Weighed>) -> WalletError {
        let coins: Vec<Weighed> = coins.cloned().collect();
        let available = coins.iter().map(|(coin, _)| coin.amount()).sum();
        let fee = self.fee.fee(weight_of(&coins, &self.outputs()));
        let needed = self.paid().checked_add(fee).unwrap_or(Amount::MAX);
        WalletError::InsufficientFunds { needed: needed.max(available + Amount::ONE_SAT), available }
    }
}

/// The weight of an input whose descriptor needs nothing.
fn base_weight(spending: &Spending) -> Weight {
    let input = TxIn::default();
    if spending.is_segwit { input.segwit_weight() } else { input.legacy_weight() }
}

/// The weight of a transaction that spends these coins for these outputs.
fn weight_of(coins: &[Weighed], outputs: &[TxOut]) -> Weight {
    let count = |len: usize| VarInt::from(len).size() as u64;
    let fixed = 4 + 4 + count(coins.len()) + count(outputs.len());
    let outputs: Weight = outputs.iter().map(TxOut::weight).sum();
    let inputs: Weight = coins.iter().map(|(_, spending)| spending.weight).sum();
    let is_segwit = coins.iter().any(|(_, spending)| spending.is_segwit);
    // Marker and flag, and no elements for inputs that have no witness.
    let bare = coins.iter().filter(|(_, spending)| !spending.is_segwit).count() as u64;
    let witness = if is_segwit { 2 + bare } else { 0 };
    Weight::from_wu(fixed * 4 + witness) + outputs + inputs
}
