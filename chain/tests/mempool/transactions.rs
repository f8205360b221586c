//! Transactions that anybody may sign, because their outputs ask for nothing but a witness script everybody knows.

use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::opcodes::all::{OP_PUSHNUM_1, OP_RETURN};
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use cairn_chain::primitives;

/// An output anybody may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) outpoint: OutPoint,
    /// Satoshis.
    pub(crate) value: u64,
}

/// The witness script.
pub(crate) fn anyone() -> ScriptBuf {
    ScriptBuf::from(vec![OP_PUSHNUM_1.to_u8()])
}

/// An output anybody may spend.
pub(crate) fn output(value: u64) -> TxOut {
    TxOut { value: Amount::from_sat(value), script_pubkey: anyone().to_p2wsh() }
}

/// Spends coins to outputs of these values.
pub(crate) fn pay(coins: &[Coin], values: &[u64]) -> Transaction {
    let input = |coin: &Coin| TxIn {
        previous_output: coin.outpoint,
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[anyone().as_bytes()]),
        ..TxIn::default()
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: coins.iter().map(input).collect(),
        output: values.iter().copied().map(output).collect(),
    }
}

/// Spends coins to one output, less a fee.
pub(crate) fn spend(coins: &[Coin], fee: u64) -> Transaction {
    split(coins, 1, fee)
}

/// Spends coins to a number of outputs, less a fee.
pub(crate) fn split(coins: &[Coin], outputs: u64, fee: u64) -> Transaction {
    let left = coins.iter().map(|coin| coin.value).sum::<u64>() - fee;
    let mut values = vec![left / outputs; usize::try_from(outputs).unwrap()];
    values[0] += left % outputs;
    pay(coins, &values)
}

/// Version 3.
pub(crate) fn truc(mut tx: Transaction) -> Transaction {
    tx.version = Version(3);
    tx
}

/// Made larger, by an output without value, to this many virtual bytes.
pub(crate) fn padded(mut tx: Transaction, virtual_size: usize) -> Transaction {
    tx.output.push(TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::new() });
    let last = tx.output.len() - 1;
    let mut data = virtual_size.checked_sub(tx.vsize()).unwrap();
    loop {
        let bytes = PushBytesBuf::try_from(vec![7; data]).unwrap();
        tx.output[last].script_pubkey = Builder::new().push_opcode(OP_RETURN).push_slice(bytes).into_script();
        match tx.vsize() {
            size if size == virtual_size => return tx,
            size => data = (data + virtual_size).checked_sub(size).expect("room for an output"),
        }
    }
}

/// The outputs.
pub(crate) fn coins_of(tx: &Transaction) -> Vec<Coin> {
    let txid = tx.compute_txid();
    let coin = |(vout, output): (u32, &TxOut)| Coin { outpoint: OutPoint { txid, vout }, value: output.value.to_sat() };
    (0..).zip(&tx.output).map(coin).collect()
}

/// The first output.
pub(crate) fn coin_of(tx: &Transaction) -> Coin {
    coins_of(tx)[0]
}

/// As the pool takes it.
pub(crate) fn ours(tx: &Transaction) -> Arc<primitives::Transaction> {
    Arc::new(primitives::Transaction::decode(encode::serialize(tx)).unwrap())
}
