use super::*;
use crate::mempool::policy::fixtures::{
    anchor, input, input_with_script_sig, multisig, p2pk, p2pkh, p2sh, p2tr, p2wpkh, p2wsh, push, transaction,
};
use crate::primitives::Transaction;
use proptest::prelude::*;

fn check(tx: &Transaction, options: &PolicyOptions) -> Result<(), &'static str> {
    check_standard(tx.as_ref(), options).map_err(|error| error.reject_reason())
}

/// Whether a transaction with these outputs is standard, each of 10,000 satoshis.
fn check_outputs(scripts: &[Vec<u8>], options: &PolicyOptions) -> Result<(), &'static str> {
    let outputs: Vec<_> = scripts.iter().map(|script| (10_000, script.clone())).collect();
    check(&transaction(2, &[input(1, 0)], &outputs), options)
}

fn check_output_script(script: Vec<u8>) -> Result<(), &'static str> {
    check_outputs(&[script], &PolicyOptions::default())
}

fn check_script_sig(script_sig: Vec<u8>) -> Result<(), &'static str> {
    let tx = transaction(2, &[input(1, 0), input_with_script_sig(script_sig)], &[(10_000, p2pkh())]);
    check(&tx, &PolicyOptions::default())
}

#[test]
fn versions_one_to_three() {
    for (version, expected) in
        [(0, Err("version")), (1, Ok(())), (2, Ok(())), (3, Ok(())), (4, Err("version")), (-1, Err("version"))]
    {
        let tx = transaction(version, &[input(1, 0)], &[(10_000, p2pkh())]);
        assert_eq!(check(&tx, &PolicyOptions::default()), expected, "{version}");
    }
}

#[test]
fn weight_up_to_400000() {
    let padded = |extra: usize| {
        // 2,300 outputs of 43 bytes leave less than 1,100 of the 100,000, which the last output fills.
        let mut outputs = vec![(10_000, p2tr()); 2_300];
        outputs.push((0, vec![0x6a]));
        let empty = transaction(2, &[input(1, 0)], &outputs).as_ref().weight();
        // The script's length takes three bytes instead of one.
        let fill = (MAX_STANDARD_TX_WEIGHT - empty) / 4 - 2 - 3 + extra;
        outputs.pop();
        let data = vec![0; fill];
        outputs.push((0, [vec![0x6a], push(&data)].concat()));
        transaction(2, &[input(1, 0)], &outputs)
    };
    assert_eq!(padded(0).as_ref().weight(), MAX_STANDARD_TX_WEIGHT);
    assert_eq!(check(&padded(0), &PolicyOptions::default()), Ok(()));
    assert_eq!(check(&padded(1), &PolicyOptions::default()), Err("tx-size"));
}

#[test]
fn script_sigs_up_to_1650_bytes_of_pushes() {
    assert_eq!(check_script_sig(vec![0x51; 1_650]), Ok(()));
    assert_eq!(check_script_sig(vec![0x51; 1_651]), Err("scriptsig-size"));
    assert_eq!(check_script_sig(vec![0x61; 1_651]), Err("scriptsig-size"), "the size comes first");
    assert_eq!(check_script_sig(vec![0x61]), Err("scriptsig-not-pushonly"), "OP_NOP");
    assert_eq!(check_script_sig(vec![0x50]), Ok(()), "OP_RESERVED counts as a push");
    assert_eq!(check_script_sig(vec![2, 0]), Err("scriptsig-not-pushonly"), "truncated");
}

#[test]
fn outputs_of_known_forms() {
    for script in [p2pk(33), p2pk(65), p2pkh(), p2sh(&[]), p2wpkh(), p2wsh(), p2tr(), anchor(), vec![0x52, 2, 1, 1]] {
        assert_eq!(check_output_script(script.clone()), Ok(()), "{script:?}");
    }
    for script in [vec![], vec![0x51], vec![0x6a, 0x61], vec![0, 2, 1, 1]] {
        assert_eq!(check_output_script(script.clone()), Err("scriptpubkey"), "{script:?}");
    }
}

#[test]
fn bare_multisig_of_up_to_three_keys_if_permitted() {
    for (required, total) in [(1, 1), (1, 2), (2, 2), (1, 3), (3, 3)] {
        assert_eq!(check_output_script(multisig(required, total)), Ok(()), "{required} of {total}");
    }
    assert_eq!(check_output_script(multisig(1, 4)), Err("scriptpubkey"));
    assert_eq!(check_output_script(multisig(4, 3)), Err("scriptpubkey"));
    let forbidden = PolicyOptions { permit_bare_multisig: false, ..PolicyOptions::default() };
    assert_eq!(check_outputs(&[multisig(1, 1)], &forbidden), Err("bare-multisig"));
    assert_eq!(check_outputs(&[multisig(1, 4)], &forbidden), Err("scriptpubkey"));
    assert_eq!(check_outputs(&[p2pk(33), p2sh(&multisig(1, 1))], &forbidden), Ok(()));
}

#[test]
fn data_of_all_outputs_together() {
    let data = |size: usize| {
        let mut script = vec![0x51; size];
        script[0] = 0x6a;
        script
    };
    let limit = |max_datacarrier_bytes| PolicyOptions { max_datacarrier_bytes, ..PolicyOptions::default() };
    assert_eq!(check_outputs(&[data(83)], &limit(Some(83))), Ok(()));
    assert_eq!(check_outputs(&[data(84)], &limit(Some(83))), Err("datacarrier"));
    assert_eq!(check_outputs(&[data(40), p2pkh(), data(43)], &limit(Some(83))), Ok(()));
    assert_eq!(check_outputs(&[data(41), p2pkh(), data(43)], &limit(Some(83))), Err("datacarrier"));
    assert_eq!(check_outputs(&[data(1)], &limit(Some(1))), Ok(()));
    for none in [Some(0), None] {
        assert_eq!(check_outputs(&[data(1)], &limit(none)), Err("datacarrier"));
        assert_eq!(check_outputs(&[p2pkh()], &limit(none)), Ok(()));
    }
    assert_eq!(PolicyOptions::default().max_datacarrier_bytes, Some(100_000));
}

#[test]
fn one_dust_output_is_left_to_the_rules_about_ephemeral_dust() {
    let dust = |count: usize| transaction(2, &[input(1, 0)], &vec![(545, p2pkh()); count]);
    assert_eq!(check(&dust(1), &PolicyOptions::default()), Ok(()));
    assert_eq!(check(&dust(2), &PolicyOptions::default()), Err("dust"));
    let lower = PolicyOptions { dust_relay_fee: 2_990, ..PolicyOptions::default() };
    assert_eq!(check(&dust(2), &lower), Ok(()));
    let data = transaction(2, &[input(1, 0)], &[(0, vec![0x6a]), (0, vec![0x6a]), (0, anchor())]);
    assert_eq!(check(&data, &PolicyOptions::default()), Ok(()), "data is no dust");
}

#[test]
fn the_first_broken_rule_is_reported() {
    let everything_wrong = |version, script_sig: Vec<u8>| {
        transaction(version, &[input_with_script_sig(script_sig)], &[(0, vec![]), (0, vec![])])
    };
    let options = PolicyOptions::default();
    assert_eq!(check(&everything_wrong(4, vec![0x61]), &options), Err("version"));
    assert_eq!(check(&everything_wrong(3, vec![0x61]), &options), Err("scriptsig-not-pushonly"));
    assert_eq!(check(&everything_wrong(3, vec![]), &options), Err("scriptpubkey"));
}

#[test]
fn sixty_five_bytes_without_witness() {
    // 60 bytes and the script.
    for (script, expected) in [(vec![0x6a, 3, 1, 1, 1], Ok(())), (vec![0x6a, 2, 1, 1], Err("tx-size-small"))] {
        let tx = transaction(2, &[input(1, 0)], &[(0, script)]);
        assert_eq!(check_nonwitness_size(tx.as_ref()).map_err(|error| error.reject_reason()), expected);
    }
}

#[test]
fn a_fifth_of_a_blocks_sigops() {
    assert_eq!(check_sigop_cost(16_000), Ok(()));
    let error = check_sigop_cost(16_001).unwrap_err();
    assert_eq!(error.reject_reason(), "bad-txns-too-many-sigops");
    assert_eq!(error.debug_message().as_deref(), Some("16001"));
    assert_eq!(StandardnessError::Version { got: 4 }.debug_message(), None);
}

proptest! {
    /// No bytes panic, and what is standard holds what the rules promise.
    #[test]
    fn any_scripts_are_judged(
        version in 0i32..6,
        script_sig in proptest::collection::vec(any::<u8>(), 0..60),
        script in proptest::collection::vec(any::<u8>(), 0..60),
        value: i64,
    ) {
        let tx = transaction(version, &[input_with_script_sig(script_sig.clone())], &[(value, script.clone())]);
        let verdict = check_standard(tx.as_ref(), &PolicyOptions::default());
        let expected = (1..=3).contains(&version) && is_push_only(&script_sig) && solve(&script) != TxoutType::Nonstandard;
        prop_assert!(expected || verdict.is_err());
        let many_keys = matches!(verdict, Err(StandardnessError::ScriptPubkey { .. }))
            && matches!(solve(&script), TxoutType::Multisig { .. });
        prop_assert!(!expected || verdict.is_ok() || many_keys);
    }
}
