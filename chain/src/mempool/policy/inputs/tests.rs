use super::*;
use crate::mempool::policy::fixtures::{
    anchor, coin, input_with_script_sig, multisig, p2pk, p2pkh, p2sh, p2tr, p2wpkh, p2wsh, push, transaction,
};
use crate::script::ScriptError;
use proptest::prelude::*;

/// The debug message about a transaction whose inputs have these scripts and spend these outputs.
fn check(spends: &[(Vec<u8>, Vec<u8>)]) -> Result<(), String> {
    let inputs: Vec<_> = spends.iter().map(|(script_sig, _)| input_with_script_sig(script_sig.clone())).collect();
    let coins: Vec<_> = spends.iter().map(|(_, script_pubkey)| coin(script_pubkey)).collect();
    let tx = transaction(2, &inputs, &[(10_000, p2pkh())]);
    check_inputs_standard(tx.as_ref(), &coins).map_err(|error| {
        assert_eq!(error.reject_reason(), "bad-txns-nonstandard-inputs");
        error.debug_message().unwrap()
    })
}

fn check_one(script_sig: Vec<u8>, script_pubkey: Vec<u8>) -> Result<(), String> {
    check(&[(vec![], p2pkh()), (script_sig, script_pubkey)])
}

#[test]
fn what_is_spent_has_a_form_with_a_meaning() {
    for script in [p2pk(33), p2pkh(), p2wpkh(), p2wsh(), p2tr(), anchor(), multisig(1, 20)] {
        assert_eq!(check_one(vec![], script.clone()), Ok(()), "{script:?}");
    }
    for script in [vec![], vec![0x51], vec![0, 2, 1, 1], vec![0xac]] {
        assert_eq!(check_one(vec![], script), Err("input 1 script unknown".to_owned()));
    }
    for script in [vec![0x52, 2, 1, 1], vec![0x51, 2, 0x4e, 0x74]] {
        assert_eq!(check_one(vec![], script), Err("input 1 witness program is undefined".to_owned()));
    }
}

#[test]
fn redeem_scripts_are_there_and_cheap() {
    let reveal = |redeem_script: &[u8]| check_one(push(redeem_script), p2sh(redeem_script));
    assert_eq!(reveal(&[0xac; 15]), Ok(()));
    assert_eq!(reveal(&[0xac; 16]), Err("p2sh redeemscript sigops exceed limit (input 1: 16 > 15)".to_owned()));
    assert_eq!(reveal(&multisig(1, 15)), Ok(()));
    let of_sixteen = [&[0x60, 0xae][..], &[0x51]].concat();
    assert_eq!(reveal(&of_sixteen), Err("p2sh redeemscript sigops exceed limit (input 1: 16 > 15)".to_owned()));
    assert_eq!(check_one(vec![], p2sh(&[])), Err("input 1 P2SH redeemscript missing".to_owned()));
    assert_eq!(check_one(vec![0], p2sh(&[])), Ok(()), "an empty redeem script");
}

#[test]
fn script_sigs_of_script_hashes_run() {
    for (script_sig, error) in [
        (vec![0x50], ScriptError::BadOpcode),
        (vec![2, 1], ScriptError::BadOpcode),
        (push(&[0; 521]), ScriptError::PushSize),
        (vec![0; 1_001], ScriptError::StackSize),
    ] {
        assert_eq!(check_one(script_sig, p2sh(&[])), Err(format!("p2sh scriptsig malformed (input 1: {error})")));
    }
    let message = check_one(vec![0x50], p2sh(&[])).unwrap_err();
    assert_eq!(message, "p2sh scriptsig malformed (input 1: Opcode missing or not understood)");
    assert_eq!(check_one(vec![0x50], p2pkh()), Ok(()), "others are not run here");
}

#[test]
fn sigops_of_all_inputs_together() {
    let exceeded = Err("non-witness sigops exceed bip54 limit".to_owned());
    // Multisigs of twenty keys count twenty.
    let bare = |count: usize| vec![(vec![], multisig(1, 20)); count];
    assert_eq!(check(&bare(125)), Ok(()));
    assert_eq!(check(&[bare(125), vec![(vec![], p2pk(33))]].concat()), exceeded);
    assert_eq!(check(&[bare(124), vec![(vec![], p2pkh()); 20]].concat()), Ok(()));
    // Redeem scripts count, and so do operations of the scriptSig itself.
    let revealed = |sigops: usize| vec![(push(&vec![0xac; sigops]), p2sh(&vec![0xac; sigops]))];
    assert_eq!(check(&[bare(124), revealed(15), revealed(5)].concat()), Ok(()));
    assert_eq!(check(&[bare(124), revealed(15), revealed(6)].concat()), exceeded);
    assert_eq!(check(&[bare(124), vec![(vec![0xac; 19], p2pkh())]].concat()), Ok(()));
    assert_eq!(check(&[bare(124), vec![(vec![0xac; 20], p2pkh())]].concat()), exceeded);
    // A number before the multisig makes the count accurate, up to sixteen.
    assert_eq!(check(&vec![(vec![], multisig(1, 16)); 156]), Ok(()), "2496");
    assert_eq!(check(&vec![(vec![], multisig(1, 16)); 157]), exceeded, "2512");
    // Witnesses do not count.
    assert_eq!(check(&vec![(vec![], p2wpkh()); 3_000]), Ok(()));
    // This rule comes before all others.
    assert_eq!(check(&[vec![(vec![], vec![0x51])], bare(126)].concat()), exceeded);
}

#[test]
fn the_first_input_is_reported() {
    assert_eq!(
        check(&[(vec![], p2pkh()), (vec![], vec![0x52, 2, 1, 1]), (vec![], vec![])]),
        Err("input 1 witness program is undefined".to_owned())
    );
}

#[test]
fn coinbases_have_no_coins() {
    let mut null = input_with_script_sig(vec![1, 1]);
    null.previous_output = bitcoin::OutPoint::null();
    let tx = transaction(2, &[null], &[(10_000, p2pkh())]);
    assert_eq!(check_inputs_standard(tx.as_ref(), &[]), Ok(()));
}

proptest! {
    #[test]
    fn any_scripts_are_judged(
        script_sig in proptest::collection::vec(any::<u8>(), 0..60),
        script_pubkey in proptest::collection::vec(any::<u8>(), 0..60),
        is_p2sh: bool,
    ) {
        let script_pubkey = if is_p2sh { p2sh(&script_sig) } else { script_pubkey };
        let verdict = check_one(script_sig.clone(), script_pubkey.clone());
        if verdict.is_ok() {
            let is_known = !matches!(solve(&script_pubkey), TxoutType::Nonstandard | TxoutType::WitnessUnknown { .. });
            prop_assert!(is_known);
            prop_assert!(!is_p2sh || redeem_script(&script_sig).is_ok_and(|script| script.is_some()));
        }
    }
}
