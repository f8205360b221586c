//! `script_tests.json`: a scriptSig and a witness against a scriptPubKey, with the exact error (Core:
//! `script_json_test`, `test/script_tests.cpp`).

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Witness};
use cairn_chain::script::{PrecomputedTransactionData, ScriptError, ScriptVerifyFlags, tap_leaf_hash, tap_tweak_hash};
use secp256k1::{Keypair, Parity, Scalar, Secp256k1, SecretKey, XOnlyPublicKey};
use serde_json::Value;

use super::random::Random;
use super::spend::{coin, decode, verify_input};
use super::{assembly, core_data, flags, json};

/// Start of the seeds of the random flags: each case adds its number.
const SEED: u64 = 0x0005_c217_7e57;
/// Sets of random flags each case is verified under.
const RANDOM_FLAGS: usize = 256;
/// The leaf version of tapscript (BIP342).
const LEAF_TAPSCRIPT: u8 = 0xc0;

/// One case of the file.
struct Case {
    witness: Witness,
    amount: Amount,
    script_sig: ScriptBuf,
    script_pubkey: ScriptBuf,
    flags: ScriptVerifyFlags,
    expected: Result<(), ScriptError>,
}

/// An output key that commits to a script, and the control block that proves it.
struct TaprootOutput {
    key: XOnlyPublicKey,
    control_block: Vec<u8>,
}

impl TaprootOutput {
    /// The output whose only leaf is `script` and whose internal key is that of the secret one.
    fn with_leaf(script: &[u8]) -> Self {
        let secp = Secp256k1::new();
        let mut one = [0; 32];
        one[31] = 1;
        let (internal, _) = Keypair::from_secret_key(&secp, &SecretKey::from_slice(&one).unwrap()).x_only_public_key();
        let root = tap_leaf_hash(LEAF_TAPSCRIPT, script);
        let tweak = Scalar::from_be_bytes(tap_tweak_hash(&internal.serialize(), Some(&root))).unwrap();
        let (key, parity) = internal.add_tweak(&secp, &tweak).unwrap();
        let mut control_block = vec![LEAF_TAPSCRIPT | u8::from(parity == Parity::Odd)];
        control_block.extend(internal.serialize());
        Self { key, control_block }
    }
}

impl Case {
    /// Reads `[[witness…, amount]?, scriptSig, scriptPubKey, flags, error, comment…]`.
    fn read(row: &Value) -> Self {
        let mut fields = json::list(row);
        let (mut witness, mut amount, mut taproot) = (Witness::new(), Amount::ZERO, None);
        if let [Value::Array(stack), rest @ ..] = fields {
            fields = rest;
            let (last, items) = stack.split_last().expect("a witness has an amount");
            amount = json::bitcoins(last);
            (witness, taproot) = read_witness(items);
        }
        let [script_sig, script_pubkey, flags, error, ..] = fields else { panic!("a case has four fields: {row}") };
        let script_pubkey = match json::text(script_pubkey) {
            "0x51 0x20 #TAPROOTOUTPUT#" => {
                let key = taproot.expect("a control block comes with the output").key;
                ScriptBuf::from([&[0x51, 0x20][..], &key.serialize()].concat())
            }
            text => assembly::parse(text),
        };
        Self {
            witness,
            amount,
            script_sig: assembly::parse(json::text(script_sig)),
            script_pubkey,
            flags: flags::parse(json::text(flags)),
            expected: read_error(json::text(error)),
        }
    }

    /// The transaction that spends the output of a crediting one; only what the case states varies in them.
    fn spending_transaction(&self) -> bitcoin::Transaction {
        let transaction = |input, output| bitcoin::Transaction {
            version: Version::ONE,
            lock_time: LockTime::ZERO,
            input: vec![input],
            output: vec![output],
        };
        let crediting = transaction(
            TxIn {
                previous_output: OutPoint::null(),
                script_sig: ScriptBuf::from(vec![0, 0]),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            },
            TxOut { value: self.amount, script_pubkey: self.script_pubkey.clone() },
        );
        transaction(
            TxIn {
                previous_output: OutPoint { txid: crediting.compute_txid(), vout: 0 },
                script_sig: self.script_sig.clone(),
                sequence: Sequence::MAX,
                witness: self.witness.clone(),
            },
            TxOut { value: self.amount, script_pubkey: ScriptBuf::new() },
        )
    }

    /// Verifies the case as the file says, and then that neither fewer rules make a good spend bad nor more rules a bad
    /// one good.
    fn check(&self, text: &str, seed: u64) {
        let transaction = decode(&self.spending_transaction());
        let coins = [coin(self.amount, &self.script_pubkey)];
        let data = PrecomputedTransactionData::new(transaction.as_ref(), &coins);
        let mut base = self.flags;
        if base.contains(ScriptVerifyFlags::CLEANSTACK) {
            base |= ScriptVerifyFlags::P2SH | ScriptVerifyFlags::WITNESS;
        }
        assert_eq!(verify_input(&data, 0, base), self.expected, "got, expected; {text}");

        let is_good = self.expected.is_ok();
        let mut random = Random::new(seed);
        for _ in 0..RANDOM_FLAGS {
            let others = flags::random(&mut random);
            let combined = if is_good { base - others } else { base | others };
            if combined.is_consistent() {
                let got = verify_input(&data, 0, combined);
                assert_eq!(got.is_ok(), is_good, "got {got:?} with flags {combined:?}, seed {seed:#x}; {text}");
            }
        }
    }
}

/// Reads a witness, whose items are bytes or templates of a taproot spend.
fn read_witness(items: &[Value]) -> (Witness, Option<TaprootOutput>) {
    let (mut witness, mut taproot) = (Witness::new(), None);
    for item in items {
        let text = json::text(item);
        if let Some(script) = text.strip_prefix("#SCRIPT#") {
            witness.push(assembly::parse(script));
        } else if text == "#CONTROLBLOCK#" {
            let output = TaprootOutput::with_leaf(witness.last().expect("the script comes before its control block"));
            witness.push(&output.control_block);
            taproot = Some(output);
        } else {
            witness.push(json::bytes(item));
        }
    }
    (witness, taproot)
}

/// The verdict of the name of an error; one name is shorter in the file than in Core's sources.
fn read_error(name: &str) -> Result<(), ScriptError> {
    let name = match name {
        "OK" => return Ok(()),
        "NULLFAIL" => "SIG_NULLFAIL",
        same => same,
    };
    let error = ScriptError::ALL.iter().find(|error| error.name() == name);
    Err(*error.unwrap_or_else(|| panic!("no error has the name `{name}`")))
}

#[test]
fn script_tests_json() {
    let rows = core_data::read_cases("script_tests.json");
    assert_eq!(rows.len(), 1222, "cases of the file");
    for (row, seed) in rows.iter().zip(SEED..) {
        Case::read(row).check(&row.to_string(), seed);
    }
}
