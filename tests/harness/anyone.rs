//! Coins that anyone may spend.

use bitcoin::absolute::LockTime;
use bitcoin::opcodes::OP_TRUE;
use bitcoin::script::Builder;
use bitcoin::transaction::Version;
use bitcoin::{Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

/// Pay-to-witness-script-hash of `OP_TRUE`, on regtest.
pub(crate) const ADDRESS: &str = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85";

/// Spends the coinbase of a block, which paid to [`ADDRESS`], with a fee in satoshis, and so many outputs of equal value.
pub(crate) fn spend(block: &Block, fee: u64, outputs: u64) -> Transaction {
    let script = Builder::new().push_opcode(OP_TRUE).into_script();
    let coinbase = &block.txdata[0];
    let value = (coinbase.output[0].value - Amount::from_sat(fee)) / outputs;
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(coinbase.compute_txid(), 0),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::from_slice(&[script.as_bytes()]),
        }],
        output: (0..outputs).map(|_| TxOut { value, script_pubkey: script.to_p2wsh() }).collect(),
    }
}
