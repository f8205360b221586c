//! Inputs to verify and the coins they spend.

use bitcoin::consensus::serialize;
use bitcoin::{Amount, Script};
use cairn_chain::coins::Coin;
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{
    PrecomputedTransactionData, ScriptError, ScriptVerifyFlags, TransactionSignatureChecker, verify_script,
};

/// A coin of which only value and script matter.
pub(crate) fn coin(amount: Amount, script_pubkey: &Script) -> Coin {
    Coin { amount, script_pubkey: script_pubkey.into(), height: 1, is_coinbase: false }
}

/// Our transaction, built with rust-bitcoin.
pub(crate) fn decode(transaction: &bitcoin::Transaction) -> Transaction {
    Transaction::decode(serialize(transaction)).unwrap()
}

/// Verifies one input with a checker that is used for nothing else.
pub(crate) fn verify_input(
    data: &PrecomputedTransactionData<'_>,
    index: usize,
    flags: ScriptVerifyFlags,
) -> Result<(), ScriptError> {
    verify_with(&mut TransactionSignatureChecker::new(data, index), data, index, flags)
}

/// Verifies one input with the caller's checker, which must be for it.
pub(crate) fn verify_with(
    checker: &mut TransactionSignatureChecker<'_>,
    data: &PrecomputedTransactionData<'_>,
    index: usize,
    flags: ScriptVerifyFlags,
) -> Result<(), ScriptError> {
    let input = data.transaction().input(index).unwrap();
    let script_pubkey = data.spent_output(index).script_pubkey.as_script();
    verify_script(input.script_sig(), script_pubkey, input.witness(), flags, checker)
}
