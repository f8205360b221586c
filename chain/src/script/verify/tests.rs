//! Spends of one tapscript, for the rules about keys whose order matters.

use bitcoin::Amount;
use secp256k1::{Scalar, Secp256k1, XOnlyPublicKey};

use super::*;
use crate::coins::{Coin, CoinScript};
use crate::primitives::Transaction;
use crate::script::{PrecomputedTransactionData, tap_tweak_hash};

/// An internal key nobody needs to sign with: the x coordinate of the curve's generator.
const INTERNAL_KEY: [u8; 32] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc,
    0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];

/// Spends an output whose only leaf is `script` with the stack `items`.
fn spend_tapscript(script: &[u8], items: &[&[u8]], flags: ScriptVerifyFlags) -> Result<(), ScriptError> {
    let root = tap_leaf_hash(0xc0, script);
    let tweak = Scalar::from_be_bytes(tap_tweak_hash(&INTERNAL_KEY, Some(&root))).unwrap();
    let internal_key = XOnlyPublicKey::from_slice(&INTERNAL_KEY).unwrap();
    let (output_key, parity) = internal_key.add_tweak(&Secp256k1::new(), &tweak).unwrap();
    let script_pubkey = [&[0x51, 32][..], &output_key.serialize()].concat();
    let control = [&[0xc0 | parity.to_u8()][..], &INTERNAL_KEY].concat();

    let items = [items, &[script, &control]].concat();
    let mut witness = vec![u8::try_from(items.len()).unwrap()];
    for item in items {
        witness.push(u8::try_from(item.len()).unwrap());
        witness.extend(item);
    }
    // Version 2, one input with sequence 0, one output of nothing.
    let bytes = [&[2, 0, 0, 0, 1][..], &[1; 36], &[0, 0, 0, 0, 0, 1], &[0; 9], &[0; 4]].concat();
    let transaction = Transaction::decode(bytes).unwrap();
    let spent = [Coin {
        amount: Amount::from_sat(1),
        script_pubkey: CoinScript::from(Script::from_bytes(&script_pubkey)),
        height: 0,
        is_coinbase: false,
    }];
    let data = PrecomputedTransactionData::new(transaction.as_ref(), &spent);
    verify_script(
        Script::new(),
        Script::from_bytes(&script_pubkey),
        WitnessRef::decode(&witness).unwrap(),
        flags,
        &mut TransactionSignatureChecker::new(&data, 0),
    )
}

/// `<key> OP_CHECKSIG OP_NOT`: succeeds when the check answers no, without ending the script.
fn check_sig_not(key: &[u8]) -> Vec<u8> {
    let mut script = Vec::new();
    append_push(&mut script, key);
    script.extend([0xac, 0x91]);
    script
}

#[test]
fn an_empty_signature_answers_no_for_a_known_key_type_under_every_flag() {
    let script = check_sig_not(&INTERNAL_KEY);
    for flags in [ScriptVerifyFlags::MANDATORY, ScriptVerifyFlags::STANDARD] {
        assert_eq!(spend_tapscript(&script, &[&[]], flags), Ok(()), "{flags:?}");
        assert_eq!(spend_tapscript(&script, &[&[1; 64]], flags), Err(ScriptError::SchnorrSig), "{flags:?}");
        assert_eq!(spend_tapscript(&script, &[&[1; 63]], flags), Err(ScriptError::SchnorrSigSize), "{flags:?}");
    }
}

#[test]
fn unknown_key_types_pass_by_consensus_and_not_by_policy() {
    let script = check_sig_not(&[2; 33]);
    assert_eq!(spend_tapscript(&script, &[&[]], ScriptVerifyFlags::MANDATORY), Ok(()));
    // Any signature is good, so OP_NOT leaves false.
    assert_eq!(spend_tapscript(&script, &[&[1]], ScriptVerifyFlags::MANDATORY), Err(ScriptError::EvalFalse));
    let discouraged = Err(ScriptError::DiscourageUpgradablePubkeyType);
    assert_eq!(spend_tapscript(&script, &[&[]], ScriptVerifyFlags::STANDARD), discouraged);
}

#[test]
fn an_empty_key_ends_the_script_and_the_budget_comes_first() {
    let empty_key = Err(ScriptError::TapscriptEmptyPubkey);
    assert_eq!(spend_tapscript(&check_sig_not(&[]), &[&[]], ScriptVerifyFlags::MANDATORY), empty_key);
    assert_eq!(spend_tapscript(&check_sig_not(&[]), &[&[1]], ScriptVerifyFlags::MANDATORY), empty_key);

    // Witness: count 1, signature 2, script 1 + length, control block 34. Each check costs 50, and 50 are free.
    let checks = |count: usize| {
        let mut script = Vec::new();
        for _ in 0..count {
            script.extend([0x76, 1, 2, 0xac, 0x75]); // OP_DUP <key of an unknown type> OP_CHECKSIG OP_DROP
        }
        script
    };
    // 1 + 2 + (1 + 5n) + 34 + 50 is at least 50n for n = 1.
    assert_eq!(spend_tapscript(&checks(1), &[&[1]], ScriptVerifyFlags::MANDATORY), Ok(()));
    let too_many = Err(ScriptError::TapscriptValidationWeight);
    assert_eq!(spend_tapscript(&checks(2), &[&[1]], ScriptVerifyFlags::MANDATORY), too_many);
    assert_eq!(spend_tapscript(&checks(2), &[&[]], ScriptVerifyFlags::MANDATORY), Err(ScriptError::EvalFalse));
}
