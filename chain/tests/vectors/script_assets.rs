//! Spends from legacy to taproot under every consistent set of consensus flags, with and without a cache of signatures
//! (Core: `script_assets_test`, `test/script_assets_tests.cpp`).

use bitcoin::consensus::deserialize;
use bitcoin::{ScriptBuf, TxOut, Witness};
use cairn_chain::coins::Coin;
use cairn_chain::script::{
    CachePolicy, PrecomputedTransactionData, ScriptVerifyFlags, SignatureCache, TransactionSignatureChecker,
};
use serde_json::Value;

use super::spend::{coin, decode, verify_input, verify_with};
use super::{acceptance_data, flags, json};

/// Memory of each cache, in bytes: enough for every signature of the file.
const CACHE_BYTES: usize = 32 << 20;

/// Caches that all entries share.
struct Caches {
    /// Holds every signature that was good, so that none of them makes another one look good.
    kept: SignatureCache,
    /// Gives up each signature as soon as it was found.
    used_up: SignatureCache,
}

/// One entry of the file.
struct Case<'a> {
    entry: &'a Value,
    transaction: bitcoin::Transaction,
    coins: Vec<Coin>,
    index: usize,
    /// The rules the entry is about.
    flags: ScriptVerifyFlags,
}

impl<'a> Case<'a> {
    fn read(entry: &'a Value) -> Self {
        let prevouts = json::list(&entry["prevouts"]).iter();
        Self {
            entry,
            transaction: deserialize(&json::bytes(&entry["tx"])).unwrap(),
            coins: prevouts
                .map(|prevout| deserialize::<TxOut>(&json::bytes(prevout)).unwrap())
                .map(|output| coin(output.value, &output.script_pubkey))
                .collect(),
            index: json::index(&entry["index"]),
            flags: flags::parse(json::text(&entry["flags"])),
        }
    }

    /// Verifies one side of the entry under all `sets` and fails unless each verdict is the expected one.
    fn check(&self, side: &Value, sets: impl Iterator<Item = ScriptVerifyFlags>, expect_ok: bool, caches: &Caches) {
        let mut transaction = self.transaction.clone();
        let input = &mut transaction.input[self.index];
        input.script_sig = ScriptBuf::from(json::bytes(&side["scriptSig"]));
        let items: Vec<_> = json::list(&side["witness"]).iter().map(json::bytes).collect();
        input.witness = Witness::from_slice(&items);

        let transaction = decode(&transaction);
        let data = PrecomputedTransactionData::new(transaction.as_ref(), &self.coins);
        // Like Core, one checker for all sets: what it remembers must not depend on the rules.
        let checker = |cache, policy| TransactionSignatureChecker::new(&data, self.index).with_cache(cache, policy);
        let mut steps = [
            (checker(&caches.kept, CachePolicy::Store), "stored and kept"),
            (checker(&caches.kept, CachePolicy::Store), "found"),
            (checker(&caches.used_up, CachePolicy::Store), "stored to be used up"),
            (checker(&caches.used_up, CachePolicy::Consume), "used up"),
        ];
        for flags in sets {
            let text = || format!("flags {flags:?}; {}", self.entry);
            let plain = verify_input(&data, self.index, flags);
            assert_eq!(plain.is_ok(), expect_ok, "got {plain:?}; {}", text());
            for (checker, step) in &mut steps {
                let cached = verify_with(checker, &data, self.index, flags);
                assert_eq!(cached, plain, "got, expected when good signatures are {step}; {}", text());
            }
        }
    }
}

/// Every set of the consensus rules whose preconditions are met; taproot needs witnesses.
fn consensus_flags() -> Vec<ScriptVerifyFlags> {
    let subsets =
        (0..=ScriptVerifyFlags::MANDATORY.bits()).filter(|bits| bits & !ScriptVerifyFlags::MANDATORY.bits() == 0);
    subsets
        .map(ScriptVerifyFlags::from_bits_retain)
        .filter(|flags| flags.is_consistent())
        .filter(|flags| !flags.contains(ScriptVerifyFlags::TAPROOT) || flags.contains(ScriptVerifyFlags::WITNESS))
        .collect()
}

#[test]
fn there_are_64_consistent_sets_of_consensus_flags() {
    // Four rules stand alone; of P2SH, WITNESS and TAPROOT each needs the one before.
    assert_eq!(consensus_flags().len(), 16 * 4);
}

#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn script_assets_test_json() {
    let file = acceptance_data::read("script_assets_half.json.xz");
    let entries: Vec<Value> = serde_json::from_slice(&file).unwrap();
    assert_eq!(entries.len(), 1380, "entries of the file");
    let sets = consensus_flags();
    let caches = Caches { kept: SignatureCache::new(CACHE_BYTES), used_up: SignatureCache::new(CACHE_BYTES) };
    let (mut successes, mut failures) = (0, 0);
    for entry in &entries {
        let case = Case::read(entry);
        let is_final = entry["final"].as_bool().unwrap_or(false);
        if let Some(success) = entry.get("success") {
            let allowed = sets.iter().copied().filter(|flags| is_final || case.flags.contains(*flags));
            case.check(success, allowed, true, &caches);
            successes += 1;
        }
        if let Some(failure) = entry.get("failure") {
            let demanding = sets.iter().copied().filter(|flags| flags.contains(case.flags));
            case.check(failure, demanding, false, &caches);
            failures += 1;
        }
    }
    assert_eq!((successes, failures), (1380, 1234), "sides of the entries");
}
