//! Decoding a transaction, against rust-bitcoin where both accept the bytes.
#![no_main]

use bitcoin::consensus::encode;
use cairn_chain::primitives::Transaction;
use cairn_chain::validation::check_transaction;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(transaction) = Transaction::decode(bytes.to_vec()) else { return };
    let tx = transaction.as_ref();
    let _ = check_transaction(tx);
    if let Ok(theirs) = encode::deserialize::<bitcoin::Transaction>(bytes) {
        assert_eq!(tx.txid(), theirs.compute_txid());
        assert_eq!(tx.wtxid(), theirs.compute_wtxid());
        assert_eq!(tx.weight() as u64, theirs.weight().to_wu());
        assert_eq!(tx.is_coinbase(), theirs.is_coinbase());
    }
});
