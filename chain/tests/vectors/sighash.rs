//! `sighash.json`: legacy signature hashes of random transactions and scripts (Core: `sighash_from_data`,
//! `test/sighash_tests.cpp`).

use bitcoin::hashes::{Hash, sha256d};
use cairn_chain::primitives::Transaction;
use cairn_chain::script::legacy_sighash;
use cairn_chain::validation::check_transaction;

use super::{core_data, json};

#[test]
fn sighash_json() {
    let rows = core_data::read_cases("sighash.json");
    assert_eq!(rows.len(), 500, "cases of the file");
    for row in &rows {
        let [transaction, script, index, hash_type, expected] = json::list(row) else { panic!("five fields: {row}") };
        let transaction = Transaction::decode(json::bytes(transaction)).unwrap();
        assert!(check_transaction(transaction.as_ref()).is_ok(), "breaks a context-free rule; {row}");
        let hash_type = hash_type.as_i64().and_then(|number| i32::try_from(number).ok()).expect("a signed 32-bit type");
        let script = json::bytes(script);
        let hash = legacy_sighash(transaction.as_ref(), json::index(index), &script, hash_type.cast_unsigned());
        // The file writes hashes back to front, as Bitcoin shows them.
        assert_eq!(sha256d::Hash::from_byte_array(hash).to_string(), json::text(expected), "got, expected; {row}");
    }
}
