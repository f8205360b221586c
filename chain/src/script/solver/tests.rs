use super::*;
use crate::script::{append_number_push, append_push};
use proptest::prelude::*;

/// A key that has the length its first byte demands.
fn key(first: u8) -> Vec<u8> {
    let mut key = vec![7; if first < 4 { 33 } else { 65 }];
    key[0] = first;
    key
}

fn push(data: &[u8]) -> Vec<u8> {
    let mut script = Vec::new();
    append_push(&mut script, data);
    script
}

fn pay_to_pubkey(key: &[u8]) -> Vec<u8> {
    [push(key), vec![0xac]].concat()
}

fn pay_to_pubkey_hash(hash: &[u8]) -> Vec<u8> {
    [&[0x76, 0xa9][..], &push(hash), &[0x88, 0xac]].concat()
}

fn multisig(required: i64, keys: &[Vec<u8>], total: i64) -> Vec<u8> {
    let mut script = Vec::new();
    append_number_push(&mut script, required);
    for key in keys {
        append_push(&mut script, key);
    }
    append_number_push(&mut script, total);
    script.push(0xae);
    script
}

fn name(script: &[u8]) -> &'static str {
    solve(script).name()
}

#[test]
fn each_form_gives_the_data_it_was_made_of() {
    for first in [2, 3, 4, 6, 7] {
        assert_eq!(solve(&pay_to_pubkey(&key(first))), TxoutType::Pubkey(&key(first)));
    }
    assert_eq!(solve(&pay_to_pubkey_hash(&[5; 20])), TxoutType::PubkeyHash(&[5; 20]));
    let script_hash = [&[0xa9, 20][..], &[6; 20], &[0x87]].concat();
    assert_eq!(solve(&script_hash), TxoutType::ScriptHash(&[6; 20]));
    assert_eq!(solve(&[&[0, 20][..], &[1; 20]].concat()), TxoutType::WitnessV0KeyHash(&[1; 20]));
    assert_eq!(solve(&[&[0, 32][..], &[2; 32]].concat()), TxoutType::WitnessV0ScriptHash(&[2; 32]));
    assert_eq!(solve(&[&[0x51, 32][..], &[3; 32]].concat()), TxoutType::WitnessV1Taproot(&[3; 32]));
    assert_eq!(solve(&[0x51, 2, 0x4e, 0x73]), TxoutType::Anchor);
    let unknown = [&[0x60, 32][..], &[4; 32]].concat();
    assert_eq!(solve(&unknown), TxoutType::WitnessUnknown { version: 16, program: &[4; 32] });
    assert_eq!(solve(&[0x6a, 1, 0, 1, 75, 1, 255]), TxoutType::NullData);
}

#[test]
fn names_are_cores() {
    let named = [
        (vec![], "nonstandard"),
        (vec![0x51, 2, 0x4e, 0x73], "anchor"),
        (pay_to_pubkey(&key(2)), "pubkey"),
        (pay_to_pubkey_hash(&[0; 20]), "pubkeyhash"),
        ([&[0xa9, 20][..], &[6; 20], &[0x87]].concat(), "scripthash"),
        (multisig(1, &[key(2)], 1), "multisig"),
        (vec![0x6a], "nulldata"),
        ([&[0, 20][..], &[1; 20]].concat(), "witness_v0_keyhash"),
        ([&[0, 32][..], &[1; 32]].concat(), "witness_v0_scripthash"),
        ([&[0x51, 32][..], &[1; 32]].concat(), "witness_v1_taproot"),
        (vec![0x52, 2, 1, 1], "witness_unknown"),
    ];
    for (script, expected) in named {
        assert_eq!(name(&script), expected, "{script:?}");
    }
}

#[test]
fn a_wrong_length_is_no_form() {
    assert_eq!(name(&pay_to_pubkey(&[1; 30])), "nonstandard");
    assert_eq!(name(&pay_to_pubkey(&[5; 33])), "nonstandard", "no key starts with 5");
    assert_eq!(name(&pay_to_pubkey(&[2; 65])), "nonstandard", "a compressed key of 65 bytes");
    let longer = [&[0x4c, 33][..], &key(2), &[0xac]].concat();
    assert_eq!(name(&longer), "nonstandard", "the key is not pushed directly");
    for length in [19, 21, 33] {
        assert_eq!(name(&pay_to_pubkey_hash(&vec![1; length])), "nonstandard");
    }
    for length in [19u8, 21] {
        let script = [&[0xa9, length][..], &vec![6; length.into()], &[0x87]].concat();
        assert_eq!(name(&script), "nonstandard");
    }
}

#[test]
fn witness_programs_without_meaning() {
    for (version, length, expected) in [
        (0, 19, "nonstandard"),
        (0, 31, "nonstandard"),
        (0, 40, "nonstandard"),
        (0, 1, "nonstandard"),
        (0x51, 31, "witness_unknown"),
        (0x51, 33, "witness_unknown"),
        (0x51, 40, "witness_unknown"),
        (0x51, 41, "nonstandard"),
        (0x51, 2, "witness_unknown"),
        (0x51, 1, "nonstandard"),
        (0x50, 32, "nonstandard"),
        (0x61, 32, "nonstandard"),
    ] {
        let script = [&[version, length][..], &vec![0xff; length.into()]].concat();
        assert_eq!(name(&script), expected, "{version} {length}");
    }
    assert_eq!(name(&[0x52, 2, 0x4e, 0x73]), "witness_unknown", "an anchor has version 1");
}

#[test]
fn data_outputs_hold_pushes_only() {
    assert_eq!(name(&[0x6a, 0x50]), "nulldata", "the reserved opcode counts as a push");
    assert_eq!(name(&[0x6a, 0x60, 0]), "nulldata");
    assert_eq!(name(&[0x6a, 1, 75, 0x93]), "nonstandard", "OP_ADD");
    assert_eq!(name(&[0x6a, 2, 75]), "nonstandard", "a truncated push");
}

#[test]
fn multisig_from_one_of_one_to_twenty_of_twenty() {
    for (required, total) in [(1, 1), (2, 3), (16, 16), (1, 17), (17, 20), (20, 20)] {
        let keys = vec![key(2); usize::try_from(total).unwrap()];
        let script = multisig(required, &keys, total);
        let TxoutType::Multisig { required: got, keys } = solve(&script) else { panic!("{required} of {total}") };
        assert_eq!((i64::from(got), keys.len()), (required, usize::try_from(total).unwrap()));
    }
    assert_eq!(name(&multisig(1, &vec![key(2); 21], 21)), "nonstandard");
    let script = multisig(1, &[key(2), key(4), key(7)], 3);
    assert_eq!(
        solve(&script),
        TxoutType::Multisig { required: 1, keys: vec![&key(2)[..], &key(4)[..], &key(7)[..]] },
        "keys of all lengths, in their order"
    );
}

#[test]
fn multisig_counts_must_fit() {
    for (required, keys, total) in [(0, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 1), (1, 0, 1), (1, 0, 0), (-1, 1, 1)] {
        assert_eq!(name(&multisig(required, &vec![key(3); keys], total)), "nonstandard", "{required} {keys} {total}");
    }
    // `1 <key> 1 OP_CHECKMULTISIG` with the numbers pushed as bytes, which OP_1 would do shorter.
    let long_form = [&[1, 1][..], &push(&key(2)), &[0x51, 0xae]].concat();
    assert_eq!(name(&long_form), "nonstandard");
    // 17 as a number of two bytes.
    let keys: Vec<u8> = (0..17).flat_map(|_| push(&key(2))).collect();
    assert_eq!(name(&[&[0x51][..], &keys, &[1, 17, 0xae]].concat()), "multisig");
    assert_eq!(name(&[&[0x51][..], &keys, &[2, 17, 0, 0xae]].concat()), "nonstandard");
}

#[test]
fn multisig_keys_may_be_pushed_by_any_opcode() {
    let script = [&[0x51, 0x4c, 33][..], &key(2), &[0x4d, 65, 0], &key(4), &[0x52, 0xae]].concat();
    assert_eq!(solve(&script), TxoutType::Multisig { required: 1, keys: vec![&key(2)[..], &key(4)[..]] });
}

#[test]
fn multisig_ends_with_its_opcode() {
    let good = multisig(1, &[key(2)], 1);
    assert_eq!(name(&good), "multisig");
    assert_eq!(name(&[&good[..], &[0xae]].concat()), "nonstandard");
    assert_eq!(name(&[&good[..good.len() - 1], &[0xaf]].concat()), "nonstandard", "OP_CHECKMULTISIGVERIFY");
    // The last byte is 0xae, but belongs to a push.
    assert_eq!(name(&[&good[..good.len() - 2], &[1, 0xae]].concat()), "nonstandard");
    assert_eq!(name(&[0xae]), "nonstandard");
    assert_eq!(name(&[0x51, 0xae]), "nonstandard");
}

proptest! {
    #[test]
    fn any_bytes_have_a_form(script in proptest::collection::vec(any::<u8>(), 0..80)) {
        let form = solve(&script);
        // What can be told from the first byte agrees with the form.
        prop_assert_eq!(matches!(form, TxoutType::NullData), script.first() == Some(&0x6a) && is_push_only(&script[1..]));
        prop_assert_eq!(matches!(form, TxoutType::ScriptHash(_)), is_pay_to_script_hash(&script));
    }

    /// A changed byte of a multisig never makes keys and count disagree.
    #[test]
    fn a_changed_multisig_is_consistent_or_none(position in 0usize..105, value: u8) {
        let mut script = multisig(2, &[key(2), key(3), key(2)], 3);
        script[position] = value;
        if let TxoutType::Multisig { required, keys } = solve(&script) {
            prop_assert!((1..=keys.len()).contains(&usize::from(required)) && keys.len() <= 20);
            prop_assert!(keys.iter().all(|key| has_key_length(key)));
        }
    }
}
