use super::*;
use crate::mempool::policy::fixtures::{
    anchor, coin, input, input_with_witness, p2pkh, p2sh, p2tr, p2wpkh, p2wsh, push, transaction,
};
use crate::script::ScriptError;
use proptest::prelude::*;

fn check(script_sig: Vec<u8>, script_pubkey: &[u8], witness: &[Vec<u8>]) -> Result<(), WitnessStandardnessError> {
    let tx = transaction(2, &[input(9, 0), input_with_witness(script_sig, witness)], &[(10_000, p2pkh())]);
    check_witness_standard(tx.as_ref(), &[coin(&p2pkh()), coin(script_pubkey)])
}

#[test]
fn a_witness_belongs_to_a_witness_program() {
    let witness = [vec![1]];
    assert_eq!(check(vec![], &p2wpkh(), &witness), Ok(()));
    assert_eq!(check(vec![], &[0x52, 2, 1, 1], &witness), Ok(()), "without meaning, but a witness program");
    assert_eq!(check(vec![], &p2pkh(), &witness), Err(WitnessStandardnessError::NoWitnessProgram { index: 1 }));
    assert_eq!(check(vec![], &p2pkh(), &[]), Ok(()), "without witness");
    assert_eq!(check(vec![], &anchor(), &witness), Err(WitnessStandardnessError::AnchorWithWitness { index: 1 }));
    assert_eq!(check(vec![], &anchor(), &[]), Ok(()));
    let error = check(vec![], &anchor(), &witness).unwrap_err();
    assert_eq!(error.reject_reason(), "bad-witness-nonstandard");
}

#[test]
fn a_redeem_script_may_be_the_witness_program() {
    let witness = [vec![1]];
    let nested = |redeem_script: &[u8]| check(push(redeem_script), &p2sh(redeem_script), &witness);
    assert_eq!(nested(&p2wpkh()), Ok(()));
    assert_eq!(nested(&p2pkh()), Err(WitnessStandardnessError::NoWitnessProgram { index: 1 }));
    assert_eq!(nested(&anchor()), Ok(()), "an anchor stands in the output itself");
    assert_eq!(check(vec![], &p2sh(&[]), &witness), Err(WitnessStandardnessError::RedeemScriptMissing { index: 1 }));
    assert_eq!(
        check(vec![0x50], &p2sh(&[]), &witness),
        Err(WitnessStandardnessError::ScriptSigMalformed { index: 1, source: ScriptError::BadOpcode })
    );
}

#[test]
fn witness_scripts_have_limits() {
    let with_script = |items: Vec<Vec<u8>>, script: usize| {
        let witness = [items, vec![vec![0x51; script]]].concat();
        let nested = check(push(&p2wsh()), &p2sh(&p2wsh()), &witness);
        assert_eq!(check(vec![], &p2wsh(), &witness), nested, "alike behind a script hash");
        nested
    };
    assert_eq!(with_script(vec![], 3_600), Ok(()));
    assert_eq!(with_script(vec![], 3_601), Err(WitnessStandardnessError::P2wshScriptSize { index: 1, got: 3_601 }));
    assert_eq!(with_script(vec![vec![]; 100], 1), Ok(()));
    assert_eq!(
        with_script(vec![vec![]; 101], 1),
        Err(WitnessStandardnessError::P2wshStackItems { index: 1, got: 101 })
    );
    assert_eq!(with_script(vec![vec![7; 80]; 2], 1), Ok(()));
    assert_eq!(
        with_script(vec![vec![7; 80], vec![7; 81]], 1),
        Err(WitnessStandardnessError::StackItemSize { index: 1, got: 81 })
    );
    assert_eq!(check(vec![], &p2wpkh(), &[vec![7; 81], vec![0; 3_601]]), Ok(()), "key hashes have none");
}

#[test]
fn taproot_has_neither_annex_nor_long_items() {
    let control = |first: u8| [vec![first], vec![2; 32]].concat();
    let taproot = |witness: &[Vec<u8>]| check(vec![], &p2tr(), witness);
    let annex = Err(WitnessStandardnessError::Annex { index: 1 });
    assert_eq!(taproot(&[vec![7; 64]]), Ok(()), "a key path");
    assert_eq!(taproot(&[vec![0x50; 64]]), Ok(()), "an only item is no annex");
    assert_eq!(taproot(&[vec![7; 64], vec![0x50]]), annex);
    assert_eq!(taproot(&[vec![7; 80], vec![0x51], control(0xc0), vec![0x50]]), annex);
    assert_eq!(taproot(&[vec![7; 64], vec![]]), Err(WitnessStandardnessError::EmptyControlBlock { index: 1 }));
    for parity in [0xc0, 0xc1] {
        assert_eq!(taproot(&[vec![7; 80], vec![0x51; 9_000], control(parity)]), Ok(()));
        assert_eq!(
            taproot(&[vec![7; 81], vec![0x51], control(parity)]),
            Err(WitnessStandardnessError::StackItemSize { index: 1, got: 81 })
        );
    }
    assert_eq!(taproot(&[vec![7; 81], vec![0x51], control(0xc2)]), Ok(()), "another leaf version");
    let many = [vec![vec![]; 900], vec![vec![0x51], control(0xc0)]].concat();
    assert_eq!(taproot(&many), Ok(()), "any number of items");
    let nested = check(push(&p2tr()), &p2sh(&p2tr()), &[vec![7; 81], vec![0x51], control(0xc0), vec![0x50]]);
    assert_eq!(nested, Ok(()), "no taproot behind a script hash");
    let shorter = [&[0x51, 31][..], &[4; 31]].concat();
    assert_eq!(check(vec![], &shorter, &[vec![7; 81], vec![0x50]]), Ok(()), "no taproot with 31 bytes");
}

#[test]
fn witness_programs_spent_without_witness_are_told() {
    let spends = |script_sig: Vec<u8>, script_pubkey: &[u8]| {
        let tx = transaction(2, &[input(9, 0), input_with_witness(script_sig, &[])], &[(10_000, p2pkh())]);
        spends_non_anchor_witness_program(tx.as_ref(), &[coin(&p2pkh()), coin(script_pubkey)])
    };
    for program in [p2wpkh(), p2wsh(), p2tr(), vec![0x52, 2, 1, 1], vec![0, 2, 1, 1]] {
        assert!(spends(vec![], &program), "{program:?}");
        assert!(spends(push(&program), &p2sh(&program)), "nested: {program:?}");
    }
    assert!(!spends(vec![], &p2pkh()));
    assert!(!spends(vec![], &anchor()));
    assert!(spends(push(&anchor()), &p2sh(&anchor())), "an anchor stands in the output itself");
    assert!(!spends(push(&p2pkh()), &p2sh(&p2pkh())));
    assert!(!spends(vec![], &p2sh(&[])), "nothing is revealed");
    assert!(!spends(vec![0x50], &p2sh(&[])), "the scriptSig fails");
    assert!(!spends(push(&p2wpkh()), &p2pkh()));
}

#[test]
fn coinbases_are_left_alone() {
    let mut null = input_with_witness(vec![1, 1], &[vec![0; 32]]);
    null.previous_output = bitcoin::OutPoint::null();
    let tx = transaction(2, &[null], &[(10_000, p2pkh())]);
    assert_eq!(check_witness_standard(tx.as_ref(), &[]), Ok(()));
    assert!(!spends_non_anchor_witness_program(tx.as_ref(), &[]));
}

proptest! {
    #[test]
    fn any_witness_is_judged(
        script_sig in proptest::collection::vec(any::<u8>(), 0..50),
        program in proptest::sample::select(vec![p2wsh(), p2tr(), p2wpkh(), p2pkh(), anchor(), p2sh(&p2wsh())]),
        witness in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..90), 0..5),
    ) {
        let verdict = check(script_sig, &program, &witness);
        prop_assert!(!witness.is_empty() || verdict.is_ok());
        if verdict.is_ok() && program == p2wsh() && !witness.is_empty() {
            prop_assert!(witness[..witness.len() - 1].iter().all(|item| item.len() <= 80));
        }
    }
}
