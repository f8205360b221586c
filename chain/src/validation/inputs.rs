//! Rules that need the coins a block spends.

use std::sync::Arc;

use bitcoin::{Amount, OutPoint};

use super::block::legacy_sigops;
use super::rules::{block_script_flags, enforces_bip30};
use super::transaction::value_out;
use super::{
    BlockError, COINBASE_MATURITY, ContextuallyCheckedBlock, InputsError, MAX_BLOCK_SIGOPS_COST, MAX_MONEY,
    SequenceLocks, block_subsidy,
};
use crate::coins::{Coin, CoinScript, CoinsOverlay, CoinsView};
use crate::header_chain::HeaderChain;
use crate::params::{ConsensusParams, Deployment};
use crate::primitives::{Block, TransactionRef, WITNESS_SCALE_FACTOR};
use crate::script::{MAX_SCRIPT_SIZE, ScriptVerifyFlags, count_p2sh_sigops, count_witness_sigops};

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
/// `chain` and `coins` must be as of the parent. When this fails, `coins` is left with the changes of a part of the block
/// and must be thrown away.
///
/// # Errors
///
/// The first rule that is broken, in Core's order.
///
/// # Panics
///
/// When `chain` does not end in the parent.
pub fn check_inputs<V: CoinsView>(
    block: ContextuallyCheckedBlock,
    coins: &mut CoinsOverlay<V>,
    chain: &(impl HeaderChain + ?Sized),
    params: &ConsensusParams,
) -> Result<InputsCheckedBlock, BlockError> {
    let height = block.height();
    let block = block.into_block();
    assert_eq!(chain.tip().hash, block.header().prev_blockhash, "a chain that ends in another block");
    if enforces_bip30(height, &block.hash(), chain, params) {
        check_bip30(&block, coins)?;
    }

    let flags = block_script_flags(height, &block.hash(), params);
    let locks_hold = params.activation.is_active_at(Deployment::Csv, height);
    let mut spent = Vec::with_capacity(block.transactions().map(TransactionRef::input_count).sum::<usize>());
    let mut fees = 0;
    let mut sigop_cost = 0;
    for tx in block.transactions() {
        let first = spent.len();
        if !tx.is_coinbase() {
            let failed = |source| BlockError::Inputs { txid: tx.txid(), source };
            spend_inputs(tx, coins, &mut spent).map_err(failed)?;
            let coins_of_tx = &spent[first..];
            fees += check_transaction_inputs(tx, coins_of_tx, height).map_err(failed)?.to_sat();
            if fees > MAX_MONEY.unsigned_abs() {
                return Err(BlockError::FeesOutOfRange { got: fees });
            }
            let heights = coins_of_tx.iter().map(|coin| coin.height);
            if locks_hold && !SequenceLocks::of(tx, heights, chain).are_met_after(chain) {
                return Err(BlockError::SequenceLocked { txid: tx.txid() });
            }
        }
        sigop_cost += transaction_sigop_cost(tx, &spent[first..], flags);
        if sigop_cost > MAX_BLOCK_SIGOPS_COST {
            return Err(BlockError::TooManySigops { got: sigop_cost });
        }
        add_outputs(tx, height, coins);
    }
    let fees = Amount::from_sat(fees);
    check_coinbase_amount(&block, height, fees, params)?;
    Ok(InputsCheckedBlock { block, height, flags, spent, fees })
}

/// Core: `ConnectBlock`, `validation.cpp`; BIP30. Looks only at the coins before the block.
fn check_bip30<V: CoinsView>(block: &Block, coins: &CoinsOverlay<V>) -> Result<(), BlockError> {
    for tx in block.transactions() {
        for outpoint in outpoints(tx) {
            match coins.have_coin(&outpoint) {
                Ok(false) => {}
                Ok(true) => return Err(BlockError::Bip30 { outpoint }),
                Err(error) => return Err(BlockError::Inputs { txid: tx.txid(), source: error.into() }),
            }
        }
    }
    Ok(())
}

/// Takes the coins a transaction spends out of the set, all or, when one is missing, an error (Core:
/// `CCoinsViewCache::HaveInputs`, `UpdateCoins`).
fn spend_inputs<V: CoinsView>(
    tx: TransactionRef<'_>,
    coins: &mut CoinsOverlay<V>,
    spent: &mut Vec<Coin>,
) -> Result<(), InputsError> {
    for input in tx.inputs() {
        let outpoint = input.prevout();
        spent.push(coins.spend(&outpoint)?.ok_or(InputsError::MissingOrSpent { outpoint })?);
    }
    Ok(())
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

/// Adds the outputs that can ever be spent (Core: `AddCoins`, `coins.cpp`).
fn add_outputs<V: CoinsView>(tx: TransactionRef<'_>, height: u32, coins: &mut CoinsOverlay<V>) {
    let is_coinbase = tx.is_coinbase();
    for (outpoint, output) in outpoints(tx).zip(tx.outputs()) {
        if is_unspendable(output.script_pubkey().as_bytes()) {
            continue;
        }
        let amount = Amount::from_sat(output.value().unsigned_abs());
        let script_pubkey = CoinScript::from(output.script_pubkey());
        coins.add(outpoint, Coin { amount, script_pubkey, height, is_coinbase });
    }
}

/// Whether no spend can ever succeed: the set of coins need not remember the output (Core: `CScript::IsUnspendable`,
/// `script/script.h`).
fn is_unspendable(script: &[u8]) -> bool {
    const OP_RETURN: u8 = bitcoin::opcodes::all::OP_RETURN.to_u8();
    script.first() == Some(&OP_RETURN) || script.len() > MAX_SCRIPT_SIZE
}

/// The outpoints of a transaction's outputs.
fn outpoints(tx: TransactionRef<'_>) -> impl Iterator<Item = OutPoint> {
    let txid = tx.txid();
    (0u32..).take(tx.outputs().len()).map(move |vout| OutPoint { txid, vout })
}

fn check_coinbase_amount(block: &Block, height: u32, fees: Amount, params: &ConsensusParams) -> Result<(), BlockError> {
    let limit = fees.to_sat().saturating_add(block_subsidy(height, params).to_sat());
    let got = block.transaction(0).map_or(0, value_out).unsigned_abs();
    if got > limit { Err(BlockError::CoinbaseAmount { limit, got }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn outputs_that_nobody_can_spend_are_not_kept() {
        assert!(is_unspendable(&[0x6a]) && is_unspendable(&vec![0x51; MAX_SCRIPT_SIZE + 1]));
        assert!(
            !is_unspendable(&[]) && !is_unspendable(&[0x51, 0x6a]) && !is_unspendable(&vec![0x51; MAX_SCRIPT_SIZE])
        );
    }
}
