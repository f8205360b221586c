//! Verifying a script: the verdict must be the one of Bitcoin Core's own library.
//!
//! Input, integers little-endian: flags (one byte, a bit for each of Core's consensus flags), index of the input (one byte),
//! length of the transaction (four bytes), transaction, and for each of its inputs the output it spends: satoshis (eight
//! bytes), length of its script (two bytes), script.
#![no_main]

use bitcoin::Amount;
use bitcoin::script::Script;
use bitcoinconsensus::Utxo;
use cairn_chain::coins::{Coin, CoinScript};
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{PrecomputedTransactionData, ScriptVerifyFlags, TransactionSignatureChecker, verify_input};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = compare(bytes);
});

/// Compares the verdicts, unless the input has another form.
fn compare(bytes: &[u8]) -> Option<()> {
    let ([choice, index, length @ ..], rest) = bytes.split_first_chunk::<6>()?;
    let index = usize::from(*index);
    let (tx_bytes, mut rest) = rest.split_at_checked(u32::from_le_bytes(*length.first_chunk()?) as usize)?;
    let transaction = Transaction::decode(tx_bytes.to_vec()).ok()?;
    let tx = transaction.as_ref();
    tx.input(index)?;

    let (mut spent, mut utxos) = (Vec::new(), Vec::new());
    for _ in 0..tx.input_count() {
        let (amount, tail) = rest.split_first_chunk()?;
        let (length, tail) = tail.split_first_chunk()?;
        let (script, tail) = tail.split_at_checked(u16::from_le_bytes(*length).into())?;
        // Core's library reads an amount above as negative, which no coin has.
        let amount = u64::from_le_bytes(*amount) & i64::MAX.unsigned_abs();
        spent.push(Coin {
            amount: Amount::from_sat(amount),
            script_pubkey: CoinScript::from(Script::from_bytes(script)),
            height: 0,
            is_coinbase: false,
        });
        utxos.push(Utxo {
            script_pubkey: script.as_ptr(),
            script_pubkey_len: script.len().try_into().ok()?,
            value: amount.cast_signed(),
        });
        rest = tail;
    }

    let flags = consensus_flags(*choice);
    let data = PrecomputedTransactionData::new(tx, &spent);
    let ours = verify_input(&mut TransactionSignatureChecker::new(&data, index), flags);
    let output = &spent[index];
    let (script, amount) = (output.script_pubkey.as_bytes(), output.amount.to_sat());
    let theirs = bitcoinconsensus::verify_with_flags(script, amount, tx_bytes, Some(&utxos), index, flags.bits());
    assert_eq!(ours.is_ok(), theirs.is_ok(), "ours {ours:?}, theirs {theirs:?}, {flags:?}");
    Some(())
}

/// A consistent set of the flags Core's library knows.
fn consensus_flags(choice: u8) -> ScriptVerifyFlags {
    let mut flags = ScriptVerifyFlags::empty();
    for (bit, flag) in ScriptVerifyFlags::MANDATORY.iter().enumerate() {
        flags.set(flag, choice & 1 << bit != 0);
    }
    // The library aborts on WITNESS without P2SH, and knows TAPROOT only with WITNESS.
    if flags.intersects(ScriptVerifyFlags::WITNESS | ScriptVerifyFlags::TAPROOT) {
        flags |= ScriptVerifyFlags::P2SH | ScriptVerifyFlags::WITNESS;
    }
    flags
}
