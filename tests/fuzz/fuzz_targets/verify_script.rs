//! Verifying a script: the verdict must be the one of Bitcoin Core's own library.
//!
//! Input: flags (one byte), length of the spent script (two bytes little-endian), the spent script, a transaction of one
//! input.
#![no_main]

use bitcoin::Amount;
use bitcoin::script::Script;
use bitcoinconsensus::Utxo;
use cairn_chain::coins::{Coin, CoinScript};
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{
    PrecomputedTransactionData, ScriptVerifyFlags, TransactionSignatureChecker, verify_script,
};
use libfuzzer_sys::fuzz_target;

/// Satoshis in the spent output.
const AMOUNT: u64 = 100_000;

fuzz_target!(|bytes: &[u8]| {
    let Some(([choice, low, high], rest)) = bytes.split_first_chunk() else { return };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    let Some((spent_script, tx_bytes)) = rest.split_at_checked(length) else { return };
    let Ok(transaction) = Transaction::decode(tx_bytes.to_vec()) else { return };
    let tx = transaction.as_ref();
    if tx.input_count() != 1 {
        return;
    }

    let flags = consensus_flags(*choice);
    let spent = [Coin {
        amount: Amount::from_sat(AMOUNT),
        script_pubkey: CoinScript::from(Script::from_bytes(spent_script)),
        height: 0,
        is_coinbase: false,
    }];
    let data = PrecomputedTransactionData::new(tx, &spent);
    let input = tx.input(0).unwrap();
    let mut checker = TransactionSignatureChecker::new(&data, 0);
    let ours =
        verify_script(input.script_sig(), Script::from_bytes(spent_script), input.witness(), flags, &mut checker);

    let utxo = Utxo {
        script_pubkey: spent_script.as_ptr(),
        script_pubkey_len: spent_script.len().try_into().unwrap(),
        value: AMOUNT.try_into().unwrap(),
    };
    let theirs =
        bitcoinconsensus::verify_with_flags(spent_script, AMOUNT, tx_bytes, Some(&[utxo]), 0, flags.bits());
    assert_eq!(ours.is_ok(), theirs.is_ok(), "ours {ours:?}, theirs {theirs:?}, {flags:?}");
});

/// A consistent set of the flags Core's library knows.
fn consensus_flags(choice: u8) -> ScriptVerifyFlags {
    let mut flags = ScriptVerifyFlags::empty();
    for (bit, flag) in ScriptVerifyFlags::MANDATORY.iter().enumerate() {
        flags.set(flag, choice & 1 << bit != 0);
    }
    // The library aborts on WITNESS without P2SH.
    if flags.intersects(ScriptVerifyFlags::WITNESS | ScriptVerifyFlags::TAPROOT) {
        flags |= ScriptVerifyFlags::P2SH | ScriptVerifyFlags::WITNESS;
    }
    flags
}
