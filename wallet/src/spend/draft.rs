//! A transaction that nobody has signed yet.

use std::collections::HashMap;

use bdk_wallet::KeychainKind;
use bdk_wallet::miniscript::psbt::PsbtExt;
use bitcoin::absolute::{Height, LockTime};
use bitcoin::secp256k1::rand::seq::SliceRandom;
use bitcoin::secp256k1::rand::{Rng, thread_rng};
use bitcoin::transaction::Version;
use bitcoin::{Address, Amount, FeeRate, OutPoint, Psbt, ScriptBuf, Transaction, TxIn, TxOut, Weight, Witness};

use super::balance::{Balanced, Plan, Weighed};
use super::fee::{FeeRule, fee_at, rate_of};
use super::request::{Recipient, SpendRequest};
use super::weigh::{Scale, Spending};
use crate::amount::Payout;
use crate::error::WalletError;
use crate::psbt::PsbtError;
use crate::wallet::{Coin, Wallet};

/// Weight of the largest transaction that nodes relay (Core: `MAX_STANDARD_TX_WEIGHT`).
const MAX_STANDARD_WEIGHT: Weight = Weight::from_wu(400_000);
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
    pub(super) keychain: KeychainKind,
    pub(super) index: u32,
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

impl Wallet {
    /// Makes a transaction as it is asked for. Nothing is noted: see [`Wallet::keep`].
    ///
    /// # Errors
    ///
    /// When there is not enough, or coins are named that cannot be spent.
    pub fn draft(&self, request: &SpendRequest) -> Result<Draft, WalletError> {
        let is_everything = request.recipients.iter().any(|recipient| recipient.payout == Payout::Max);
        let (required, optional) = if !request.coins.is_empty() {
            (self.named_coins(&request.coins)?, Vec::new())
        } else if is_everything {
            (self.coins_worth_spending(request.fee_rate), Vec::new())
        } else {
            (Vec::new(), self.spendable_coins())
        };
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

    fn spendable_coins(&self) -> Vec<Coin> {
        self.coins().into_iter().filter(|coin| coin.is_spendable).collect()
    }

    /// Coins that bring more than they cost at this rate.
    fn coins_worth_spending(&self, rate: FeeRate) -> Vec<Coin> {
        let scale = Scale::new(self.fingerprints(), self.tip().0);
        let weighed = self.weigh(&scale, self.spendable_coins()).into_iter();
        let is_worth = |(coin, spending): &Weighed| coin.amount() > fee_at(rate, spending.weight);
        weighed.filter(is_worth).map(|(coin, _)| coin).collect()
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
        let scale = Scale::new(self.fingerprints(), self.tip().0);
        let there_are_coins = !(parts.required.is_empty() && parts.optional.is_empty());
        let named = parts.required.len();
        let required = self.weigh(&scale, parts.required);
        let optional = self.weigh(&scale, parts.optional);
        if required.len() < named || (there_are_coins && required.is_empty() && optional.is_empty()) {
            return Err(WalletError::Unsatisfiable);
        }
        let change = parts.change.unwrap_or_else(|| self.next_change());
        let plan = Plan { recipients: parts.recipients, fee: parts.fee, change, scale: &scale, wallet: self };
        // Last those without a block, since who else could be waiting for them, and those that others have to sign for.
        let (first, last): (Vec<_>, Vec<_>) =
            optional.into_iter().partition(|(coin, spending)| coin.confirmations > 0 && spending.is_own);
        let balanced = match plan.balance(&required, &first) {
            Err(WalletError::InsufficientFunds { .. }) if !last.is_empty() => {
                plan.balance(&required, &[first, last].concat())
            }
            other => other,
        }?;
        self.to_draft(balanced)
    }

    /// The coins that can be spent, and what it takes.
    fn weigh(&self, scale: &Scale<'_>, coins: Vec<Coin>) -> Vec<Weighed> {
        let mut alike: HashMap<KeychainKind, Spending> = HashMap::new();
        let mut weigh = |coin: &Coin| {
            let keychain = coin.output.keychain;
            if let Some(spending) = alike.get(&keychain) {
                return Some(*spending);
            }
            let descriptor = self.bdk.public_descriptor(keychain);
            let definite = descriptor.at_derivation_index(coin.output.derivation_index).ok()?;
            let spending = scale.weigh(&definite, coin.confirmations)?;
            if !spending.depends_on_age {
                alike.insert(keychain, spending);
            }
            Some(spending)
        };
        coins.into_iter().filter_map(|coin| weigh(&coin).map(|spending| (coin, spending))).collect()
    }

    /// The height before which the transaction is in no block, so that nobody gains by mining past blocks again for its fee.
    /// `least` is what the conditions of the coins ask for.
    fn lock_time(&self, least: u32) -> Height {
        let (tip, _) = self.tip();
        let mut random = thread_rng();
        let back = if random.gen_ratio(1, 10) { random.gen_range(0..DELAYED_BLOCKS) } else { 0 };
        Height::from_consensus(tip.saturating_sub(back).max(least)).unwrap_or(Height::ZERO)
    }

    /// An address for change that nobody has seen.
    ///
    /// Drafts that are never sent use up addresses too. Where a wallet that is restored would stop looking, an address of such a
    /// draft is used again; one that was shown to be paid at never is.
    fn next_change(&self) -> Change {
        let has_internal = self.bdk.keychains().any(|(keychain, _)| keychain == KeychainKind::Internal);
        let keychain = if has_internal { KeychainKind::Internal } else { KeychainKind::External };
        let unused: Vec<u32> = self.bdk.list_unused_addresses(keychain).map(|address| address.index).collect();
        let limit = usize::try_from(self.record().gap_limit).unwrap_or(usize::MAX);
        let index = match unused.first() {
            Some(first) if has_internal && unused.len() + 1 >= limit => *first,
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

    fn to_draft(&self, balanced: Balanced) -> Result<Draft, WalletError> {
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
        let least = coins.iter().map(|(_, spending)| spending.lock_height).max().unwrap_or(0);
        let lock_time = LockTime::Blocks(self.lock_time(least));
        let unsigned = Transaction { version: Version::TWO, lock_time, input, output };
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
    pub(super) fn output(&self, value: Amount) -> TxOut {
        TxOut { value, script_pubkey: self.address.script_pubkey() }
    }
}
