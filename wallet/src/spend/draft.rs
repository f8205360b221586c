//! A transaction that nobody has signed yet.

use bdk_wallet::KeychainKind;
use bdk_wallet::coin_selection::{BranchAndBoundCoinSelection, CoinSelectionAlgorithm, SingleRandomDraw};
use bdk_wallet::miniscript::psbt::PsbtExt;
use bdk_wallet::{Utxo, WeightedUtxo};
use bitcoin::absolute::{Height, LockTime};
use bitcoin::secp256k1::rand::seq::SliceRandom;
use bitcoin::secp256k1::rand::{Rng, thread_rng};
use bitcoin::transaction::Version;
use bitcoin::{Address, Amount, OutPoint, Psbt, ScriptBuf, Transaction, TxIn, TxOut, VarInt, Weight, Witness};

use super::fee::{FeeRule, rate_of};
use super::request::{Recipient, SpendRequest};
use super::weigh::{Scale, Spending};
use crate::amount::Payout;
use crate::error::WalletError;
use crate::psbt::PsbtError;
use crate::wallet::{Coin, Wallet};

/// Weight of the largest transaction that nodes relay (Core: `MAX_STANDARD_TX_WEIGHT`).
const MAX_STANDARD_WEIGHT: Weight = Weight::from_wu(400_000);
/// How often coins are chosen again because what was chosen falls a few satoshis short.
const SELECTIONS: usize = 8;
/// As Core (`wallet/spend.cpp`): one lock time in ten lies up to this many blocks back, for those whose transactions were delayed.
const DELAYED_BLOCKS: u32 = 100;

/// A transaction that nobody has signed yet: what it does, and the PSBT.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What is to be signed.
    pub psbt: Psbt,
    /// Who gets how much.
    pub payments: Vec<(Recipient, Amount)>,
    /// What comes back.
    pub change: Option<Change>,
    /// What it pays to be mined.
    pub fee: Amount,
    /// Its weight when it is signed.
    pub weight: Weight,
    /// The coins it spends.
    pub coins: Vec<Coin>,
}

/// What comes back to the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where to.
    pub address: Address,
    /// How much.
    pub amount: Amount,
    keychain: KeychainKind,
    index: u32,
}

impl Draft {
    /// What it pays for each virtual byte, in satoshis.
    #[must_use]
    pub fn fee_rate(&self) -> f64 {
        rate_of(self.fee, self.weight)
    }

    /// Refuses a fee above the ceiling.
    ///
    /// # Errors
    ///
    /// When the fee is above it.
    pub fn check_fee(&self, ceiling: Amount) -> Result<(), WalletError> {
        if self.fee > ceiling {
            return Err(WalletError::FeeAboveCeiling { fee: self.fee, rate: self.fee_rate(), ceiling });
        }
        Ok(())
    }
}

/// What a transaction is put together from.
pub(super) struct Parts {
    /// Coins that it spends in any case.
    pub(super) required: Vec<Coin>,
    /// Coins that it may spend.
    pub(super) optional: Vec<Coin>,
    /// Who is paid.
    pub(super) recipients: Vec<Recipient>,
    pub(super) fee: FeeRule,
    /// Where change goes, if not to a new address.
    pub(super) change: Option<Change>,
}

/// A coin, and what it takes to spend it.
type Weighed = (Coin, Spending);

impl Wallet {
    /// Makes a transaction as it is asked for. Nothing is noted: see [`Wallet::keep`].
    ///
    /// # Errors
    ///
    /// When there is not enough, or coins are named that cannot be spent.
    pub fn draft(&self, request: &SpendRequest) -> Result<Draft, WalletError> {
        let (mut required, mut optional) = (Vec::new(), Vec::new());
        if request.coins.is_empty() {
            optional = self.coins().into_iter().filter(|coin| coin.is_spendable).collect();
            if request.recipients.iter().any(|recipient| recipient.payout == Payout::Max) {
                std::mem::swap(&mut required, &mut optional);
            }
        } else {
            required = self.named_coins(&request.coins)?;
        }
        let recipients = request.recipients.clone();
        self.put_together(Parts { required, optional, recipients, fee: FeeRule::at(request.fee_rate), change: None })
    }

    /// Notes the change address of a draft, which from now on may be seen by others.
    ///
    /// # Errors
    ///
    /// When the file cannot be written: then the draft must not be shown.
    pub fn keep(&mut self, draft: &Draft) -> Result<(), WalletError> {
        if let Some(change) = &draft.change {
            for _ in self.bdk.reveal_addresses_to(change.keychain, change.index) {}
            self.persist()?;
        }
        Ok(())
    }

    fn named_coins(&self, outpoints: &[OutPoint]) -> Result<Vec<Coin>, WalletError> {
        let coins = self.coins();
        let mut named: Vec<Coin> = Vec::new();
        for outpoint in outpoints {
            let coin = coins.iter().find(|coin| coin.outpoint() == *outpoint);
            let coin = coin.ok_or(WalletError::UnknownCoin { outpoint: *outpoint })?;
            if !coin.is_spendable {
                return Err(WalletError::UnspendableCoin { outpoint: *outpoint });
            }
            if named.iter().all(|known| known.outpoint() != *outpoint) {
                named.push(coin.clone());
            }
        }
        Ok(named)
    }

    pub(super) fn put_together(&self, parts: Parts) -> Result<Draft, WalletError> {
        let lock_time = self.lock_time();
        let scale = Scale::new(self.fingerprints(), lock_time.to_consensus_u32());
        let weigh = |coins: Vec<Coin>| -> Vec<Weighed> {
            coins.into_iter().filter_map(|coin| self.weigh(&scale, &coin).map(|spending| (coin, spending))).collect()
        };
        let there_are_coins = !(parts.required.is_empty() && parts.optional.is_empty());
        let named = parts.required.len();
        let required = weigh(parts.required);
        let optional = weigh(parts.optional);
        if required.len() < named || (there_are_coins && required.is_empty() && optional.is_empty()) {
            return Err(WalletError::Unsatisfiable);
        }
        let change = parts.change.unwrap_or_else(|| self.next_change());
        let plan = Plan { recipients: parts.recipients, fee: parts.fee, change, scale: &scale, wallet: self };
        // Coins without a block last: who else could be waiting for them?
        let (confirmed, pending): (Vec<_>, Vec<_>) = optional.into_iter().partition(|(coin, _)| coin.confirmations > 0);
        let balanced = match plan.balance(&required, &confirmed) {
            Err(WalletError::InsufficientFunds { .. }) if !pending.is_empty() => {
                plan.balance(&required, &[confirmed, pending].concat())
            }
            other => other,
        }?;
        self.to_draft(balanced, lock_time)
    }

    fn weigh(&self, scale: &Scale<'_>, coin: &Coin) -> Option<Spending> {
        let descriptor = self.bdk.public_descriptor(coin.output.keychain);
        let definite = descriptor.at_derivation_index(coin.output.derivation_index).ok()?;
        scale.weigh(&definite, coin.confirmations)
    }

    /// The height before which the transaction is in no block, so that nobody gains by mining past blocks again for its fee.
    fn lock_time(&self) -> Height {
        let (tip, _) = self.tip();
        let mut random = thread_rng();
        let back = if random.gen_ratio(1, 10) { random.gen_range(0..DELAYED_BLOCKS) } else { 0 };
        Height::from_consensus(tip.saturating_sub(back)).unwrap_or(Height::ZERO)
    }

    /// An address for change that nobody has seen.
    ///
    /// Drafts that are never sent use up addresses too. Where a wallet that is restored would stop looking, one is used again.
    fn next_change(&self) -> Change {
        let has_internal = self.bdk.keychains().any(|(keychain, _)| keychain == KeychainKind::Internal);
        let keychain = if has_internal { KeychainKind::Internal } else { KeychainKind::External };
        let unused: Vec<u32> = self.bdk.list_unused_addresses(keychain).map(|address| address.index).collect();
        let limit = usize::try_from(self.record().gap_limit).unwrap_or(usize::MAX);
        let index = match unused.first() {
            Some(first) if unused.len() + 1 >= limit => *first,
            _ => self.bdk.next_derivation_index(keychain),
        };
        let address = self.bdk.peek_address(keychain, index).address;
        Change { address, amount: Amount::ZERO, keychain, index }
    }

    /// The change output of a transaction of ours, if it has one.
    pub(super) fn change_of(&self, transaction: &Transaction) -> Option<Change> {
        let has_internal = self.bdk.keychains().any(|(keychain, _)| keychain == KeychainKind::Internal);
        transaction.output.iter().find_map(|output| {
            let (keychain, index) = self.bdk.derivation_of_spk(output.script_pubkey.clone())?;
            if has_internal && keychain == KeychainKind::External {
                return None;
            }
            let address = self.bdk.peek_address(keychain, index).address;
            Some(Change { address, amount: output.value, keychain, index })
        })
    }

    fn to_draft(&self, balanced: Balanced, lock_time: Height) -> Result<Draft, WalletError> {
        let Balanced { mut coins, payments, change, fee, weight } = balanced;
        if weight > MAX_STANDARD_WEIGHT {
            return Err(WalletError::TooLarge { weight: weight.to_wu() });
        }
        let mut random = thread_rng();
        coins.shuffle(&mut random);
        let mut output: Vec<TxOut> = payments
            .iter()
            .map(|(recipient, amount)| TxOut { value: *amount, script_pubkey: recipient.script() })
            .chain(change.iter().map(|change| change.output(change.amount)))
            .collect();
        // Otherwise everybody could tell change by its place.
        output.shuffle(&mut random);
        let input = coins
            .iter()
            .map(|(coin, spending)| TxIn {
                previous_output: coin.outpoint(),
                script_sig: ScriptBuf::new(),
                sequence: spending.sequence,
                witness: Witness::new(),
            })
            .collect();
        let unsigned = Transaction { version: Version::TWO, lock_time: LockTime::Blocks(lock_time), input, output };
        let mut psbt = Psbt::from_unsigned_tx(unsigned).expect("nothing is signed");
        for (input, (coin, _)) in psbt.inputs.iter_mut().zip(&coins) {
            *input = self
                .bdk
                .get_psbt_input(coin.output.clone(), None, false)
                .map_err(|error| PsbtError::Descriptor(error.to_string()))?;
        }
        self.describe_outputs(&mut psbt)?;
        let coins = coins.into_iter().map(|(coin, _)| coin).collect();
        Ok(Draft { psbt, payments, change, fee, weight, coins })
    }

    /// Says of each output that is ours which keys it belongs to, so that signers can tell change.
    fn describe_outputs(&self, psbt: &mut Psbt) -> Result<(), WalletError> {
        for index in 0..psbt.outputs.len() {
            let script = psbt.unsigned_tx.output[index].script_pubkey.clone();
            let Some((keychain, child)) = self.bdk.derivation_of_spk(script) else { continue };
            let definite = self.bdk.public_descriptor(keychain).at_derivation_index(child);
            let definite = definite.map_err(|error| PsbtError::Descriptor(error.to_string()))?;
            psbt.update_output_with_descriptor(index, &definite)
                .map_err(|error| PsbtError::Descriptor(error.to_string()))?;
        }
        Ok(())
    }
}

impl Change {
    fn output(&self, value: Amount) -> TxOut {
        TxOut { value, script_pubkey: self.address.script_pubkey() }
    }
}

/// What is to be paid, and for what.
struct Plan<'a> {
    recipients: Vec<Recipient>,
    fee: FeeRule,
    change: Change,
    scale: &'a Scale<'a>,
    wallet: &'a Wallet,
}

/// Coins and outputs of the same worth.
struct Balanced {
    coins: Vec<Weighed>,
    payments: Vec<(Recipient, Amount)>,
    change: Option<Change>,
    fee: Amount,
    weight: Weight,
}

impl Plan<'_> {
    /// Chooses coins and computes every amount.
    fn balance(&self, required: &[Weighed], optional: &[Weighed]) -> Result<Balanced, WalletError> {
        if self.recipients.iter().any(|recipient| recipient.payout == Payout::Max) {
            return self.drain(required);
        }
        let paid = self.paid();
        let mut short = Amount::ZERO;
        for _ in 0..SELECTIONS {
            let coins = self.select(required, optional, short)?;
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

    /// Coins worth enough, by BDK's branch and bound, which looks for a selection that needs no change.
    fn select(&self, required: &[Weighed], optional: &[Weighed], short: Amount) -> Result<Vec<Weighed>, WalletError> {
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
        let change_size = u64::try_from(self.change.output(Amount::ZERO).size()).expect("a few bytes");
        let algorithm = BranchAndBoundCoinSelection::new(change_size, SingleRandomDraw);
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
        let is_selected: std::collections::HashSet<OutPoint> = selected.selected.iter().map(Utxo::outpoint).collect();
        Ok(all.into_iter().filter(|(coin, _)| is_selected.contains(&coin.outpoint())).cloned().collect())
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
        let script = self.change.address.script_pubkey();
        let descriptor = self.wallet.bdk.public_descriptor(self.change.keychain);
        let definite = descriptor.at_derivation_index(self.change.index).ok();
        // Seen from far ahead, when every lock time is over.
        let spending = definite.and_then(|definite| self.scale.weigh(&definite, u32::from(u16::MAX)));
        let cost = spending.map_or(Amount::ZERO, |spending| super::fee::fee_at(self.fee.rate, spending.weight));
        script.minimal_non_dust().max(cost)
    }

    fn insufficient<'a>(&self, coins: impl Iterator<Item = &'a Weighed>) -> WalletError {
        let coins: Vec<Weighed> = coins.cloned().collect();
        let available = coins.iter().map(|(coin, _)| coin.amount()).sum();
        let fee = self.fee.fee(weight_of(&coins, &self.outputs()));
        let needed = self.paid().checked_add(fee).unwrap_or(Amount::MAX);
        // Coins that cost more than they are worth make it seem enough.
        WalletError::InsufficientFunds { needed: needed.max(available), available }
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
