//! `tx_valid.json` and `tx_invalid.json`: whole transactions, and which flags decide about them (Core: `tx_valid`,
//! `tx_invalid`, `test/transaction_tests.cpp`).

use std::collections::HashMap;

use bitcoin::{Amount, OutPoint, ScriptBuf};
use cairn_chain::coins::Coin;
use cairn_chain::primitives::Transaction;
use cairn_chain::script::{PrecomputedTransactionData, ScriptError, ScriptVerifyFlags};
use cairn_chain::validation::check_transaction;
use serde_json::Value;

use super::random::Random;
use super::spend::{coin, verify_input};
use super::{assembly, core_data, flags, json};

/// Start of the seeds of the random flags: each case adds its number.
const SEED: u64 = 0x7a_7e57;

/// One case of either file.
struct Case<'a> {
    prevouts: HashMap<OutPoint, (Amount, ScriptBuf)>,
    transaction: Transaction,
    /// Names of the flags that decide, or `BADTX`.
    flags: &'a str,
}

impl<'a> Case<'a> {
    /// Reads `[[[txid, index, scriptPubKey, amount?]…], transaction, flags]`.
    fn read(row: &'a Value) -> Self {
        let [prevouts, transaction, flags] = json::list(row) else { panic!("a case has three fields: {row}") };
        Self {
            prevouts: json::list(prevouts).iter().map(read_prevout).collect(),
            transaction: Transaction::decode(json::bytes(transaction))
                .unwrap_or_else(|error| panic!("cannot decode: {error}; {row}")),
            flags: json::text(flags),
        }
    }

    /// The coins the inputs spend, in their order.
    fn coins(&self) -> Vec<Coin> {
        let spent = |outpoint| self.prevouts.get(&outpoint).unwrap_or_else(|| panic!("no prevout {outpoint}"));
        let prevouts = self.transaction.as_ref().inputs().map(|input| spent(input.prevout()));
        prevouts.map(|(amount, script)| coin(*amount, script)).collect()
    }
}

fn read_prevout(row: &Value) -> (OutPoint, (Amount, ScriptBuf)) {
    let (fields, amount) = match json::list(row) {
        [fields @ .., amount] if fields.len() == 3 => (fields, json::satoshis(amount)),
        fields => (fields, Amount::ZERO),
    };
    let [txid, index, script] = fields else { panic!("a prevout has three or four fields: {row}") };
    // The index of a coinbase's prevout is written as -1.
    let index = index.as_i64().and_then(|index| i32::try_from(index).ok()).expect("an index has 32 bits");
    let outpoint = OutPoint { txid: json::text(txid).parse().unwrap(), vout: index.cast_unsigned() };
    (outpoint, (amount, assembly::parse(json::text(script))))
}

/// A case under verification.
struct Verifier<'a> {
    data: &'a PrecomputedTransactionData<'a>,
    text: &'a str,
    seed: u64,
}

impl Verifier<'_> {
    /// Verifies all inputs and fails unless the verdict is the expected one.
    fn expect(&self, valid: bool, flags: ScriptVerifyFlags, reason: &str) {
        let got = self.verify(flags);
        let (seed, text) = (self.seed, self.text);
        assert_eq!(got.is_ok(), valid, "{reason}: got {got:?} with flags {flags:?}, seed {seed:#x}; {text}");
    }

    /// The first input that fails, with its error.
    fn verify(&self, flags: ScriptVerifyFlags) -> Result<(), (usize, ScriptError)> {
        let inputs = 0..self.data.transaction().input_count();
        inputs.into_iter().try_for_each(|index| verify_input(self.data, index, flags).map_err(|error| (index, error)))
    }
}

#[test]
fn tx_valid_json() {
    let rows = core_data::read_cases("tx_valid.json");
    assert_eq!(rows.len(), 121, "cases of the file");
    for (row, seed) in rows.iter().zip(SEED..) {
        let (case, text) = (Case::read(row), row.to_string());
        let (transaction, coins) = (case.transaction.as_ref(), case.coins());
        assert!(check_transaction(transaction).is_ok(), "breaks a context-free rule; {text}");
        let data = PrecomputedTransactionData::new(transaction, &coins);
        let verifier = Verifier { data: &data, text: &text, seed };
        let excluded = flags::parse(case.flags);
        assert!((!excluded).is_consistent(), "bad flags; {text}");

        verifier.expect(true, !excluded, "all flags but the excluded");
        let mut random = Random::new(seed);
        for (name, flag) in flags::each() {
            verifier.expect(true, flags::trim(!(excluded | flag)), name);
            let others = flags::random(&mut random);
            verifier.expect(true, flags::trim(!(excluded | others)), "random flags removed");
        }
        for fewer in flags::without_each(excluded) {
            verifier.expect(false, !fewer, "more flags excluded than necessary");
        }
    }
}

#[test]
fn tx_invalid_json() {
    let rows = core_data::read_cases("tx_invalid.json");
    assert_eq!(rows.len(), 93, "cases of the file");
    for (row, seed) in rows.iter().zip(SEED..) {
        let (case, text) = (Case::read(row), row.to_string());
        let transaction = case.transaction.as_ref();
        assert_eq!(check_transaction(transaction).is_err(), case.flags == "BADTX", "got, expected; {text}");
        if case.flags == "BADTX" {
            continue;
        }
        let coins = case.coins();
        let data = PrecomputedTransactionData::new(transaction, &coins);
        let verifier = Verifier { data: &data, text: &text, seed };
        let included = flags::parse(case.flags);
        assert!(included.is_consistent(), "bad flags; {text}");

        verifier.expect(false, included, "the included flags");
        let mut random = Random::new(seed);
        for (name, flag) in flags::each() {
            verifier.expect(false, flags::fill(included | flag), name);
            let others = flags::random(&mut random);
            verifier.expect(false, flags::fill(included | others), "random flags added");
        }
        for fewer in flags::without_each(included) {
            verifier.expect(true, fewer, "more flags included than necessary");
        }
    }
}
