//! Transactions and scripts that the tests of all rules are made of.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness};

use crate::coins::Coin;
use crate::hash::hash160;
use crate::primitives::{Transaction, TransactionRef};
use crate::script::{append_number_push, append_push};

/// A transaction with these inputs and outputs, the latter as satoshis and scripts.
pub(super) fn transaction(version: i32, inputs: &[TxIn], outputs: &[(i64, Vec<u8>)]) -> Transaction {
    let output = outputs
        .iter()
        .map(|(value, script)| TxOut {
            value: Amount::from_sat(u64::from_le_bytes(value.to_le_bytes())),
            script_pubkey: ScriptBuf::from_bytes(script.clone()),
        })
        .collect();
    let tx =
        bitcoin::Transaction { version: Version(version), lock_time: LockTime::ZERO, input: inputs.to_vec(), output };
    Transaction::decode(encode::serialize(&tx)).unwrap()
}

/// An input that spends an output of a transaction nobody knows.
pub(super) fn input(txid: u8, vout: u32) -> TxIn {
    spend(Txid::from_byte_array([txid; 32]), vout)
}

/// An input that spends an output.
pub(super) fn spend(txid: Txid, vout: u32) -> TxIn {
    TxIn {
        previous_output: OutPoint { txid, vout },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    }
}

/// An input with a scriptSig.
pub(super) fn input_with_script_sig(script_sig: Vec<u8>) -> TxIn {
    TxIn { script_sig: ScriptBuf::from_bytes(script_sig), ..input(1, 0) }
}

/// An input with a scriptSig and a witness.
pub(super) fn input_with_witness(script_sig: Vec<u8>, witness: &[Vec<u8>]) -> TxIn {
    TxIn { witness: Witness::from_slice(witness), ..input_with_script_sig(script_sig) }
}

/// The views that rules about packages take.
pub(super) fn views<'a>(package: &'a [&'a Transaction]) -> Vec<TransactionRef<'a>> {
    package.iter().map(|tx| tx.as_ref()).collect()
}

/// An output that was created with `script`.
pub(super) fn coin(script: &[u8]) -> Coin {
    Coin { amount: Amount::from_sat(100_000), script_pubkey: script.into(), height: 1, is_coinbase: false }
}

/// The push of `data`.
pub(super) fn push(data: &[u8]) -> Vec<u8> {
    let mut script = Vec::new();
    append_push(&mut script, data);
    script
}

pub(super) fn p2pk(key_size: usize) -> Vec<u8> {
    let mut key = vec![7; key_size];
    key[0] = if key_size == 33 { 2 } else { 4 };
    [push(&key), vec![0xac]].concat()
}

pub(super) fn p2pkh() -> Vec<u8> {
    [&[0x76, 0xa9, 20][..], &[1; 20], &[0x88, 0xac]].concat()
}

pub(super) fn p2sh(redeem_script: &[u8]) -> Vec<u8> {
    [&[0xa9, 20][..], &hash160(redeem_script), &[0x87]].concat()
}

pub(super) fn p2wpkh() -> Vec<u8> {
    [&[0, 20][..], &[2; 20]].concat()
}

pub(super) fn p2wsh() -> Vec<u8> {
    [&[0, 32][..], &[3; 32]].concat()
}

pub(super) fn p2tr() -> Vec<u8> {
    [&[0x51, 32][..], &[4; 32]].concat()
}

pub(super) fn anchor() -> Vec<u8> {
    vec![0x51, 2, 0x4e, 0x73]
}

/// A multisig with keys of 33 bytes.
pub(super) fn multisig(required: i64, total: i64) -> Vec<u8> {
    let mut script = Vec::new();
    append_number_push(&mut script, required);
    for _ in 0..total {
        append_push(&mut script, &[2; 33]);
    }
    append_number_push(&mut script, total);
    script.push(0xae);
    script
}
