//! `bip341_wallet_vectors.json`: script trees with their outputs and control blocks, and key path signatures with what
//! they sign (Core: `bip341_spk_test_vectors`, `test/script_standard_tests.cpp`; `bip341_keypath_test_vectors`,
//! `test/script_tests.cpp`).

use std::collections::BTreeMap;

use bitcoin::{Script, ScriptBuf, Witness};
use cairn_chain::coins::Coin;
use cairn_chain::hash::HashWriter;
use cairn_chain::primitives::{Transaction, WitnessRef};
use cairn_chain::script::{
    PrecomputedTransactionData, ScriptError, ScriptVerifyFlags, TaprootSpend, TransactionSignatureChecker,
    tap_branch_hash, tap_leaf_hash, tap_tweak_hash, taproot_sighash, verify_script,
};
use secp256k1::{Keypair, Parity, Scalar, Secp256k1, SecretKey, XOnlyPublicKey};
use serde_json::Value;

use super::spend::{coin, verify_input};
use super::{core_data, json};

/// A script that can be revealed.
struct Leaf {
    version: u8,
    script: Vec<u8>,
    hash: [u8; 32],
    /// Hashes beside the way from the leaf to the root.
    path: Vec<[u8; 32]>,
}

/// Collects the leaves of a tree by their ids and returns the tree's root.
fn read_tree(tree: &Value, leaves: &mut BTreeMap<usize, Leaf>) -> [u8; 32] {
    if let Value::Array(children) = tree {
        let [left, right] = children.as_slice() else { panic!("a branch has two children: {tree}") };
        let (mut of_left, mut of_right) = (BTreeMap::new(), BTreeMap::new());
        let (left, right) = (read_tree(left, &mut of_left), read_tree(right, &mut of_right));
        of_left.values_mut().for_each(|leaf| leaf.path.push(right));
        of_right.values_mut().for_each(|leaf| leaf.path.push(left));
        leaves.extend(of_left.into_iter().chain(of_right));
        return tap_branch_hash(&left, &right);
    }
    let version = u8::try_from(json::index(&tree["leafVersion"])).unwrap();
    let script = json::bytes(&tree["script"]);
    let hash = tap_leaf_hash(version, &script);
    leaves.insert(json::index(&tree["id"]), Leaf { version, script, hash, path: Vec::new() });
    hash
}

/// The key `internal` tweaked by `tweak`.
fn tweaked(internal: &[u8; 32], tweak: [u8; 32]) -> (XOnlyPublicKey, Parity) {
    let internal = XOnlyPublicKey::from_slice(internal).unwrap();
    internal.add_tweak(&Secp256k1::verification_only(), &Scalar::from_be_bytes(tweak).unwrap()).unwrap()
}

fn encode_witness(items: &[&[u8]]) -> Vec<u8> {
    bitcoin::consensus::serialize(&Witness::from_slice(items))
}

/// Whether our verifier finds that the output commits to the script, whatever the script then does.
fn is_committed(script_pubkey: &Script, script: &[u8], control_block: &[u8]) -> bool {
    // Nothing that the leaves of the file do before they fail depends on the transaction.
    let bytes = [&2_u32.to_le_bytes()[..], &[1], &[7; 36], &[0], &[0; 4], &[1], &[0; 9], &[0; 4]].concat();
    let transaction = Transaction::decode(bytes).unwrap();
    let coins = [coin(bitcoin::Amount::ZERO, script_pubkey)];
    let data = PrecomputedTransactionData::new(transaction.as_ref(), &coins);
    let witness = encode_witness(&[script, control_block]);
    let verdict = verify_script(
        Script::new(),
        script_pubkey,
        WitnessRef::decode(&witness).unwrap(),
        ScriptVerifyFlags::MANDATORY,
        &mut TransactionSignatureChecker::new(&data, 0),
    );
    verdict != Err(ScriptError::WitnessProgramMismatch)
}

#[test]
fn bip341_script_trees() {
    let vectors = core_data::read("bip341_wallet_vectors.json");
    let cases = json::list(&vectors["scriptPubKey"]);
    assert_eq!(cases.len(), 7, "script trees of the file");
    for case in cases {
        let (given, intermediary, expected) = (&case["given"], &case["intermediary"], &case["expected"]);
        let internal_key = json::array(&given["internalPubkey"]);
        let mut leaves = BTreeMap::new();
        let root = (!given["scriptTree"].is_null()).then(|| read_tree(&given["scriptTree"], &mut leaves));
        let expected_root = (!intermediary["merkleRoot"].is_null()).then(|| json::array(&intermediary["merkleRoot"]));
        assert_eq!(root, expected_root, "got, expected root; {case}");
        let tweak = tap_tweak_hash(&internal_key, root.as_ref());
        assert_eq!(tweak, json::array(&intermediary["tweak"]), "got, expected tweak; {case}");
        let (key, parity) = tweaked(&internal_key, tweak);
        assert_eq!(key.serialize(), json::array(&intermediary["tweakedPubkey"]), "got, expected key; {case}");
        let script_pubkey = ScriptBuf::from([&[0x51, 0x20][..], &key.serialize()].concat());
        assert_eq!(
            script_pubkey.to_hex_string(),
            json::text(&expected["scriptPubKey"]),
            "got, expected script; {case}"
        );

        if root.is_none() {
            continue;
        }
        let hashes: Vec<_> = leaves.values().map(|leaf| leaf.hash).collect();
        let expected_hashes: Vec<_> = json::list(&intermediary["leafHashes"]).iter().map(json::array).collect();
        assert_eq!(hashes, expected_hashes, "got, expected leaf hashes; {case}");
        let control_blocks: Vec<_> = leaves
            .values()
            .map(|leaf| {
                let first = leaf.version | u8::from(parity == Parity::Odd);
                [&[first][..], &internal_key, &leaf.path.concat()].concat()
            })
            .collect();
        let expected_blocks: Vec<_> =
            json::list(&expected["scriptPathControlBlocks"]).iter().map(json::bytes).collect();
        assert_eq!(control_blocks, expected_blocks, "got, expected control blocks; {case}");
        for (leaf, control_block) in leaves.values().zip(&control_blocks) {
            assert!(is_committed(&script_pubkey, &leaf.script, control_block), "a control block is refused; {case}");
            for changed in 0..control_block.len() {
                let mut other = control_block.clone();
                other[changed] ^= 1;
                assert!(!is_committed(&script_pubkey, &leaf.script, &other), "byte {changed} is not checked; {case}");
            }
        }
    }
}

#[test]
fn bip341_key_path_spending() {
    let vectors = core_data::read("bip341_wallet_vectors.json");
    let [case] = json::list(&vectors["keyPathSpending"]) else { panic!("the file has one transaction") };
    let transaction = Transaction::decode(json::bytes(&case["given"]["rawUnsignedTx"])).unwrap();
    let spent = json::list(&case["given"]["utxosSpent"]).iter();
    let coins: Vec<Coin> = spent
        .map(|output| {
            coin(json::satoshis(&output["amountSats"]), Script::from_bytes(&json::bytes(&output["scriptPubKey"])))
        })
        .collect();
    let data = PrecomputedTransactionData::new(transaction.as_ref(), &coins);
    let inputs = json::list(&case["inputSpending"]);
    assert_eq!(inputs.len(), 7, "key path inputs of the file");
    for input in inputs {
        check_key_path_input(&data, input, &case["intermediary"]);
    }

    let signed = Transaction::decode(json::bytes(&case["auxiliary"]["fullySignedTx"])).unwrap();
    assert_eq!(signed.as_ref().input_count(), 9);
    let data = PrecomputedTransactionData::new(signed.as_ref(), &coins);
    for index in 0..9 {
        let verdict = verify_input(&data, index, ScriptVerifyFlags::STANDARD);
        assert_eq!(verdict, Ok(()), "input {index} of the signed transaction");
    }
}

/// Checks the key, the tweak, the signed hash and the signature of one input.
fn check_key_path_input(data: &PrecomputedTransactionData<'_>, case: &Value, shared_hashes: &Value) {
    let (given, intermediary) = (&case["given"], &case["intermediary"]);
    let index = json::index(&given["txinIndex"]);
    let hash_type = u8::try_from(json::index(&given["hashType"])).unwrap();

    let secret = SecretKey::from_slice(&json::bytes(&given["internalPrivkey"])).unwrap();
    let (internal, _) = Keypair::from_secret_key(&Secp256k1::new(), &secret).x_only_public_key();
    let internal = internal.serialize();
    assert_eq!(internal, json::array(&intermediary["internalPubkey"]), "got, expected key; {case}");
    let root = (!given["merkleRoot"].is_null()).then(|| json::array(&given["merkleRoot"]));
    let tweak = tap_tweak_hash(&internal, root.as_ref());
    assert_eq!(tweak, json::array(&intermediary["tweak"]), "got, expected tweak; {case}");
    let script_pubkey = data.spent_output(index).script_pubkey.as_script();
    let (output_key, _) = tweaked(&internal, tweak);
    assert_eq!(script_pubkey.as_bytes()[2..], output_key.serialize(), "got, expected output key; {case}");

    let sighash = taproot_sighash(data, index, hash_type, &TaprootSpend::default());
    assert_eq!(sighash, Some(json::array(&intermediary["sigHash"])), "got, expected hash; {case}");
    // The message holds the shared hashes, so equal hashes of it mean that ours are the published ones.
    let message = json::bytes(&intermediary["sigMsg"]);
    let mut writer = HashWriter::tagged("TapSighash");
    writer.write(&message);
    assert_eq!(sighash, Some(writer.sha256()), "got, expected hash of the message; {case}");
    for name in json::list(&intermediary["precomputedUsed"]) {
        let hash = json::text(&shared_hashes[json::text(name)]);
        assert!(json::text(&intermediary["sigMsg"]).contains(hash), "{name} is not in the message; {case}");
    }

    let [signature] = json::list(&case["expected"]["witness"]) else { panic!("a key path witness is one signature") };
    let mut signature = json::bytes(signature);
    let verify = |signature: &[u8]| {
        let witness = encode_witness(&[signature]);
        verify_script(
            Script::new(),
            script_pubkey,
            WitnessRef::decode(&witness).unwrap(),
            ScriptVerifyFlags::STANDARD,
            &mut TransactionSignatureChecker::new(data, index),
        )
    };
    assert_eq!(verify(&signature), Ok(()), "got, expected; {case}");
    signature[63] ^= 1;
    assert_eq!(verify(&signature), Err(ScriptError::SchnorrSig), "got, expected of a changed signature; {case}");
}
