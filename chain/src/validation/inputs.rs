//! Rules that need the coins a block spends.

use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, OutPoint, Txid};

use super::block::legacy_sigops;
use super::rules::{Bip30, block_script_flags};
use super::transaction::value_out;
use super::{
    BlockError, COINBASE_MATURITY, ContextuallyCheckedBlock, InputsError, MAX_BLOCK_SIGOPS_COST, MAX_MONEY,
    SequenceLocks, block_subsidy,
};
use crate::coins::{Coin, CoinsError, CoinsView, CoinsViewMut, created_coins, disconnect_transactions};
use crate::header_chain::HeaderChain;
use crate::params::{ConsensusParams, Deployment};
use crate::primitives::{Block, TransactionRef, WITNESS_SCALE_FACTOR};
use crate::script::{ScriptVerifyFlags, count_p2sh_sigops, count_witness_sigops};

/// A block whose inputs exist, are mature and unlocked, and pay for its outputs. Only its scripts are left to check.
#[derive(Debug)]
pub struct InputsCheckedBlock {
    pub(super) block: Arc<Block>,
    pub(super) height: u32,
    pub(super) flags: ScriptVerifyFlags,
    pub(super) spent: Vec<Coin>,
    pub(super) fees: Amount,
}

impl InputsCheckedBlock {
    /// The block.
    #[must_use]
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The coins it spends, in the order of its inputs, the coinbase's left out.
    #[must_use]
    pub fn spent(&self) -> &[Coin] {
        &self.spent
    }

    /// Each transaction but the coinbase, with the coins it spends.
    pub fn transactions_with_spent(&self) -> impl Iterator<Item = (TransactionRef<'_>, &[Coin])> {
        let mut left = &self.spent[..];
        self.block.transactions().skip(1).map(move |tx| {
            let (spent, rest) = left.split_at(tx.input_count());
            left = rest;
            (tx, spent)
        })
    }
}

/// Checks a block against the coins before it, spends what it spends and adds what it creates (Core: `ConnectBlock`,
/// `validation.cpp`, without the scripts).
///
/// `chain` and `coins` must be as of the parent. When this fails for a rule, `coins` is as it was; when it fails because the
/// coins cannot be read, `coins` may be left with a part of the changes.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When `chain` does not end in the parent.
pub fn check_inputs(
    block: ContextuallyCheckedBlock,
    coins: &mut impl CoinsViewMut,
    chain: &(impl HeaderChain + ?Sized),
    params: &ConsensusParams,
) -> Result<InputsCheckedBlock, BlockError> {
    let height = block.height();
    let block = block.into_block();
    assert_eq!(chain.tip().hash, block.header().prev_blockhash, "a chain that ends in another block");
    let bip30 = Bip30::of(height, &block.hash(), chain, params);
    if bip30 == Bip30::Enforced {
        check_bip30(&block, coins)?;
    }

    let flags = block_script_flags(height, &block.hash(), params);
    let mut connection = Connection {
        coins,
        chain,
        height,
        flags,
        locks_hold: params.activation.is_active_at(Deployment::Csv, height),
        overwrites: bip30 == Bip30::Repeat,
        spent: Vec::with_capacity(block.transactions().map(TransactionRef::input_count).sum::<usize>()),
        fees: 0,
        sigop_cost: 0,
    };
    let mut connected = 0;
    let result = block
        .transactions()
        .try_for_each(|tx| {
            connection.connect_transaction(tx)?;
            connected += 1;
            Ok(())
        })
        .and_then(|()| check_coinbase_amount(&block, height, connection.fees, params));
    let Connection { coins, spent, fees, .. } = connection;
    if let Err(error) = result {
        disconnect_transactions(&block, connected, height, &spent, coins)
            .map_err(|error| coins_failed(&block, error))?;
        if bip30 == Bip30::Implied {
            check_bip30(&block, coins)?;
        }
        return Err(error);
    }
    Ok(InputsCheckedBlock { block, height, flags, spent, fees: Amount::from_sat(fees) })
}

/// A block on its way into the set of coins.
struct Connection<'a, C, H: ?Sized> {
    coins: &'a mut C,
    chain: &'a H,
    height: u32,
    flags: ScriptVerifyFlags,
    /// BIP68 holds.
    locks_hold: bool,
    /// The block may replace coins.
    overwrites: bool,
    spent: Vec<Coin>,
    /// Satoshis.
    fees: u64,
    sigop_cost: usize,
}

impl<C: CoinsViewMut, H: HeaderChain + ?Sized> Connection<'_, C, H> {
    /// Checks a transaction, spends its inputs and adds its outputs. On an error none of its outputs was added.
    fn connect_transaction(&mut self, tx: TransactionRef<'_>) -> Result<(), BlockError> {
        let first = self.spent.len();
        if !tx.is_coinbase() {
            let failed = |source| BlockError::Inputs { txid: tx.txid(), source };
            self.spend_inputs(tx).map_err(failed)?;
            let coins_of_tx = &self.spent[first..];
            self.fees += check_transaction_inputs(tx, coins_of_tx, self.height).map_err(failed)?.to_sat();
            if self.fees > MAX_MONEY.unsigned_abs() {
                return Err(BlockError::FeesOutOfRange { got: self.fees });
            }
            let heights = coins_of_tx.iter().map(|coin| coin.height);
            if self.locks_hold && !SequenceLocks::of(tx, heights, self.chain).are_met_after(self.chain) {
                return Err(BlockError::SequenceLocked { txid: tx.txid() });
            }
        }
        self.sigop_cost += transaction_sigop_cost(tx, &self.spent[first..], self.flags);
        if self.sigop_cost > MAX_BLOCK_SIGOPS_COST {
            return Err(BlockError::TooManySigops { got: self.sigop_cost });
        }
        for (outpoint, coin) in created_coins(tx, self.height) {
            if self.overwrites {
                self.coins.overwrite(outpoint, coin);
            } else {
                self.coins.add(outpoint, coin);
            }
        }
        Ok(())
    }

    /// Takes the coins a transaction spends out of the set, up to the first that is missing (Core:
    /// `CCoinsViewCache::HaveInputs`, `UpdateCoins`).
    fn spend_inputs(&mut self, tx: TransactionRef<'_>) -> Result<(), InputsError> {
        for input in tx.inputs() {
            let outpoint = input.prevout();
            self.spent.push(self.coins.spend(&outpoint)?.ok_or(InputsError::MissingOrSpent { outpoint })?);
        }
        Ok(())
    }
}

/// Core: `ConnectBlock`, `validation.cpp`; BIP30. Looks only at the coins before the block.
fn check_bip30(block: &Block, coins: &impl CoinsView) -> Result<(), BlockError> {
    for tx in block.transactions() {
        for outpoint in outpoints(tx) {
            if coins.have_coin(&outpoint).map_err(|error| coins_failed(block, error))? {
                return Err(BlockError::Bip30 { outpoint });
            }
        }
    }
    Ok(())
}

/// A fault of our own, which names the block by its coinbase.
fn coins_failed(block: &Block, error: CoinsError) -> BlockError {
    let txid = block.transaction(0).map_or_else(Txid::all_zeros, TransactionRef::txid);
    BlockError::Inputs { txid, source: error.into() }
}

/// Checks maturity and amounts of a checked transaction that is no coinbase, for the block at `height`, and returns its fee.
/// `spent` are the coins of its inputs, in order (Core: `Consensus::CheckTxInputs`,
/// `consensus/tx_verify.cpp`).
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When there are not as many coins as inputs.
pub fn check_transaction_inputs(tx: TransactionRef<'_>, spent: &[Coin], height: u32) -> Result<Amount, InputsError> {
    assert_eq!(tx.input_count(), spent.len(), "one coin for each input");
    let mut inputs = 0i64;
    for (input, coin) in tx.inputs().zip(spent) {
        let depth = height.saturating_sub(coin.height);
        if coin.is_coinbase && depth < COINBASE_MATURITY {
            return Err(InputsError::PrematureSpendOfCoinbase { outpoint: input.prevout(), depth });
        }
        let got = inputs.unsigned_abs().saturating_add(coin.amount.to_sat());
        inputs = i64::try_from(got)
            .ok()
            .filter(|sum| *sum <= MAX_MONEY)
            .ok_or(InputsError::InputValuesOutOfRange { got })?;
    }
    let outputs = value_out(tx);
    if inputs < outputs {
        return Err(InputsError::InputsBelowOutputs { inputs, outputs });
    }
    // Both lie in 0..=MAX_MONEY, so the fee does too: Core's `bad-txns-fee-outofrange` cannot happen.
    Ok(Amount::from_sat((inputs - outputs).unsigned_abs()))
}

/// The cost of a transaction's signature operations; one outside the witness costs four (Core:
/// `GetTransactionSigOpCost`, `consensus/tx_verify.cpp`). `spent` are the coins of its inputs, none for a coinbase.
///
/// # Panics
///
/// When there are not as many coins as inputs.
#[must_use]
pub fn transaction_sigop_cost(tx: TransactionRef<'_>, spent: &[Coin], flags: ScriptVerifyFlags) -> usize {
    let mut cost = legacy_sigops(tx) * WITNESS_SCALE_FACTOR;
    if tx.is_coinbase() {
        return cost;
    }
    assert_eq!(tx.input_count(), spent.len(), "one coin for each input");
    for (input, coin) in tx.inputs().zip(spent) {
        let (script_sig, script_pubkey) = (input.script_sig().as_bytes(), coin.script_pubkey.as_bytes());
        if flags.contains(ScriptVerifyFlags::P2SH) {
            cost += count_p2sh_sigops(script_sig, script_pubkey) * WITNESS_SCALE_FACTOR;
        }
        if flags.contains(ScriptVerifyFlags::WITNESS) {
            cost += count_witness_sigops(script_sig, script_pubkey, input.witness());
        }
    }
    cost
}

/// The outpoints of a transaction's outputs.
fn outpoints(tx: TransactionRef<'_>) -> impl Iterator<Item = OutPoint> {
    let txid = tx.txid();
    (0u32..).take(tx.outputs().len()).map(move |vout| OutPoint { txid, vout })
}

fn check_coinbase_amount(block: &Block, height: u32, fees: u64, params: &ConsensusParams) -> Result<(), BlockError> {
    let limit = fees.saturating_add(block_subsidy(height, params).to_sat());
    let got = block.transaction(0).map_or(0, value_out).unsigned_abs();
    if got > limit { Err(BlockError::CoinbaseAmount { limit, got }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coins::CoinScript;
    use crate::primitives::Transaction;

    /// A transaction that spends `inputs` outputs and creates one worth `value` satoshis.
    fn transaction(inputs: u8, value: i64) -> Transaction {
        let mut bytes = vec![2, 0, 0, 0, inputs];
        for index in 0..inputs {
            bytes.extend([9; 32]);
            bytes.extend([index, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        bytes.push(1);
        bytes.extend(value.to_le_bytes());
        bytes.extend([0; 5]);
        Transaction::decode(bytes).unwrap()
    }

    fn coin(satoshis: u64, height: u32, is_coinbase: bool) -> Coin {
        Coin { amount: Amount::from_sat(satoshis), script_pubkey: CoinScript::default(), height, is_coinbase }
    }

    fn check(value: i64, coins: &[Coin]) -> Result<u64, &'static str> {
        let tx = transaction(u8::try_from(coins.len()).unwrap(), value);
        check_transaction_inputs(tx.as_ref(), coins, 200).map(Amount::to_sat).map_err(|error| error.reject_reason())
    }

    #[test]
    fn amounts() {
        let most = MAX_MONEY.unsigned_abs();
        assert_eq!(check(60, &[coin(40, 1, false), coin(30, 1, false)]), Ok(10));
        assert_eq!(check(71, &[coin(40, 1, false), coin(30, 1, false)]), Err("bad-txns-in-belowout"));
        assert_eq!(check(0, &[coin(most, 1, false)]), Ok(most));
        for coins in [vec![coin(most + 1, 1, false)], vec![coin(most, 1, false), coin(1, 1, false)]] {
            assert_eq!(check(0, &coins), Err("bad-txns-inputvalues-outofrange"));
        }
        assert_eq!(
            check(0, &[coin(u64::MAX, 1, false), coin(u64::MAX, 1, false)]),
            Err("bad-txns-inputvalues-outofrange")
        );
    }

    #[test]
    fn coinbases_are_spent_after_100_blocks() {
        let premature = Err("bad-txns-premature-spend-of-coinbase");
        assert_eq!(check(0, &[coin(1, 101, true)]), premature);
        assert_eq!(check(0, &[coin(1, 100, true)]), Ok(1));
        assert_eq!(check(0, &[coin(1, 200, false)]), Ok(1), "other outputs at once");
    }
}
