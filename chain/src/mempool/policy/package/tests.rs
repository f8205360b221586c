use super::*;
use crate::mempool::policy::fixtures::{input, input_with_witness, p2tr, push, spend, transaction, views};
use crate::primitives::Transaction;
use bitcoin::hex::{DisplayHex, FromHex};
use proptest::prelude::*;

fn tx(seed: u8) -> Transaction {
    transaction(2, &[input(seed, 0)], &[(10_000, p2tr()), (10_000, p2tr())])
}

fn child(spends: &[(&Transaction, u32)]) -> Transaction {
    let inputs: Vec<_> = spends.iter().map(|(parent, vout)| spend(parent.as_ref().txid(), *vout)).collect();
    transaction(2, &inputs, &[(10_000, p2tr()), (10_000, p2tr())])
}

fn check(package: &[&Transaction]) -> Result<(), &'static str> {
    check_well_formed_package(&views(package)).map_err(|error| error.reject_reason())
}

/// A transaction of exactly `weight` weight units, which 4 divides, and which is at least 10,000.
fn heavy(seed: u8, weight: usize) -> Transaction {
    let with = |data: usize| {
        let script = [vec![0x6a], push(&vec![0; data])].concat();
        transaction(2, &[input(seed, 0)], &[(0, script)])
    };
    let base = with(1_000).as_ref().weight();
    let guess = with(1_000 + (weight - base) / 4);
    // Lengths above 65,535 take more bytes.
    with(1_000 + (weight - base) / 4 - (guess.as_ref().weight() - weight) / 4)
}

#[test]
fn at_most_25_transactions() {
    let all: Vec<Transaction> = (0..26).map(tx).collect();
    let all: Vec<&Transaction> = all.iter().collect();
    assert_eq!(check(&all[..25]), Ok(()));
    assert_eq!(check(&all), Err("package-too-many-transactions"));
    assert_eq!(check(&[]), Ok(()));
}

#[test]
fn at_most_404000_weight_units_unless_alone() {
    let (half, more) = (heavy(1, 202_000), heavy(2, 202_000));
    assert_eq!((half.as_ref().weight(), more.as_ref().weight()), (202_000, 202_000));
    assert_eq!(check(&[&half, &more]), Ok(()));
    assert_eq!(check(&[&half, &heavy(2, 202_004)]), Err("package-too-large"));
    assert_eq!(check(&[&heavy(1, 404_004)]), Ok(()), "its own error says more");
}

#[test]
fn no_transaction_twice() {
    let (first, second) = (tx(1), tx(2));
    assert_eq!(check(&[&first, &second, &first]), Err("package-contains-duplicates"));
    let with_witness = |item| transaction(2, &[input_with_witness(vec![], &[vec![item]])], &[(10_000, p2tr())]);
    let (one, other) = (with_witness(1), with_witness(2));
    assert_ne!(one.as_ref().wtxid(), other.as_ref().wtxid());
    assert_eq!(check(&[&one, &other]), Err("package-contains-duplicates"), "the same with another witness");
}

#[test]
fn parents_stand_before_children() {
    let grandparent = tx(1);
    let parent = child(&[(&grandparent, 0)]);
    let grandchild = child(&[(&parent, 0), (&grandparent, 1)]);
    let unrelated = tx(2);
    for (package, expected) in [
        (vec![&grandparent, &parent, &grandchild], true),
        (vec![&unrelated, &grandparent, &parent, &grandchild], true),
        (vec![&grandparent, &parent, &grandchild, &unrelated], true),
        (vec![&parent, &grandparent, &grandchild], false),
        (vec![&grandparent, &grandchild, &parent], false),
        (vec![&grandchild, &unrelated, &grandparent], false),
        (vec![], true),
    ] {
        assert_eq!(is_topologically_sorted(&views(&package)), expected);
        assert_eq!(check(&package), if expected { Ok(()) } else { Err("package-not-sorted") });
    }
    // Relations through a transaction that is missing cannot be seen.
    let great_grandchild = child(&[(&child(&[(&parent, 1)]), 0)]);
    assert!(is_topologically_sorted(&views(&[&great_grandchild, &parent])));
}

#[test]
fn no_two_spend_the_same_output() {
    let parent = tx(1);
    let (first, second) = (child(&[(&parent, 0)]), child(&[(&parent, 0), (&parent, 1)]));
    assert_eq!(check(&[&parent, &first, &second]), Err("conflict-in-package"));
    assert_eq!(check(&[&parent, &first, &child(&[(&parent, 1)])]), Ok(()));
    let twice = transaction(2, &[input(1, 0), input(1, 0)], &[(10_000, p2tr())]);
    assert!(is_consistent(&views(&[&twice])), "consensus reports what one transaction does to itself");
    let nothing = Transaction::decode(Vec::from_hex("0200000000000000ffff").unwrap()).unwrap();
    assert!(!is_consistent(&views(&[&nothing])));
    assert_eq!(check(&[&nothing]), Err("conflict-in-package"));
    assert!(is_consistent(&[]));
}

#[test]
fn a_child_with_its_parents() {
    let (mother, father, stranger) = (tx(1), tx(2), tx(3));
    let spender = child(&[(&mother, 0), (&father, 0)]);
    let dependent = child(&[(&mother, 1)]);
    let of_dependent = child(&[(&mother, 0), (&dependent, 0)]);
    for (package, is_child_with_all, is_tree) in [
        (vec![&mother, &father, &spender], true, true),
        (vec![&mother, &spender], true, true),
        (vec![&mother, &stranger, &spender], false, false),
        (vec![&spender, &mother], false, false),
        (vec![&mother, &dependent, &of_dependent], true, false),
        (vec![&mother], false, false),
        (vec![], false, false),
    ] {
        let package = views(&package);
        assert_eq!(is_child_with_parents(&package), is_child_with_all);
        assert_eq!(is_child_with_parents_tree(&package), is_tree);
        let expected =
            if is_child_with_all || package.len() < 2 { Ok(()) } else { Err(PackageError::NotChildWithParents) };
        assert_eq!(check_child_with_parents(&package), expected);
    }
    assert_eq!(PackageError::NotChildWithParents.reject_reason(), "package-not-child-with-parents");
}

#[test]
fn the_hash_is_of_sorted_wtxids() {
    // Wtxids 85cd…, b474… and e065… as they are shown; as they are stored, the second comes first.
    let [first, second, third] = [
        "02000000000101964b8aa63509579ca6086e6012eeaa4c2f4dd1e283da29b67c8eea38b3c6fd220000000000fdffffff0294c618000000000017a9145afbbb42f4e83312666d0697f9e66259912ecde38768fa2c0000000000160014897388a0889390fd0e153a22bb2cf9d8f019faf50247304402200547406380719f84d68cf4e96cc3e4a1688309ef475b150be2b471c70ea562aa02206d255f5acc40fd95981874d77201d2eb07883657ce1c796513f32b6079545cdf0121023ae77335cefcb5ab4c1dc1fb0d2acfece184e593727d7d5906c78e564c7c11d125cf0c00",
        "01000000010b26e9b7735eb6aabdf358bab62f9816a21ba9ebdb719d5299e88607d722c190000000008b4830450220070aca44506c5cef3a16ed519d7c3c39f8aab192c4e1c90d065f37b8a4af6141022100a8e160b856c2d43d27d8fba71e5aef6405b8643ac4cb7cb3c462aced7f14711a0141046d11fee51b0e60666d5049a9101a72741df480b96ee26488a4d3466b95c9a40ac5eeef87e10a5cd336c19a84565f80fa6c547957b7700ff4dfbdefe76036c339ffffffff021bff3d11000000001976a91404943fdd508053c75000106d3bc6e2754dbcff1988ac2f15de00000000001976a914a266436d2965547608b9e15d9032a7b9d64fa43188ac00000000",
        "0200000000010177862801f77c2c068a70372b4c435ef8dd621291c36a64eb4dd491f02218f5324600000000fdffffff014a0100000000000022512035ea312034cfac01e956a269f3bf147f569c2fbb00180677421262da042290d803402be713325ff285e66b0380f53f2fae0d0fb4e16f378a440fed51ce835061437566729d4883bc917632f3cff474d6384bc8b989961a1d730d4a87ed38ad28bd337b20f1d658c6c138b1c312e072b4446f50f01ae0da03a42e6274f8788aae53416a7fac0063036f7264010118746578742f706c61696e3b636861727365743d7574662d3800357b2270223a226272632d3230222c226f70223a226d696e74222c227469636b223a224342414c222c22616d74223a2236393639227d6821c1f1d658c6c138b1c312e072b4446f50f01ae0da03a42e6274f8788aae53416a7f00000000",
    ]
    .map(|hex| Transaction::decode(Vec::from_hex(hex).unwrap()).unwrap());
    let hash = package_hash(&views(&[&first, &second, &third]));
    for package in [
        [&first, &third, &second],
        [&second, &first, &third],
        [&second, &third, &first],
        [&third, &first, &second],
        [&third, &second, &first],
    ] {
        assert_eq!(package_hash(&views(&package)), hash);
    }
    let mut writer = HashWriter::new();
    for tx in [&first, &second, &third] {
        writer.write(&tx.as_ref().wtxid().to_byte_array());
    }
    assert_eq!(hash, writer.sha256());
    let shown: Vec<u8> = hash.iter().rev().copied().collect();
    assert_eq!(shown.to_lower_hex_string(), PACKAGE_HASH);
    assert_ne!(package_hash(&views(&[&first, &second])), hash);
}

/// Computed with another SHA-256.
const PACKAGE_HASH: &str = "b04f2edb806146af6bc7f312080d14b04b44a499ddba644c2984c134ce6e070f";

proptest! {
    /// Whatever spends only from what stands before is sorted; swapping a child before its parent is noticed.
    #[test]
    fn order_is_what_makes_a_package_sorted(links in proptest::collection::vec(any::<proptest::sample::Index>(), 1..12)) {
        let mut all = vec![tx(200)];
        for (vout, link) in (10u32..).zip(&links) {
            let parent = link.get(&all).as_ref().txid();
            all.push(transaction(2, &[spend(parent, vout)], &[(10_000, p2tr())]));
        }
        let mut package: Vec<&Transaction> = all.iter().collect();
        prop_assert!(is_topologically_sorted(&views(&package)));
        prop_assert!(is_consistent(&views(&package)));
        let hash = package_hash(&views(&package));
        package.reverse();
        prop_assert!(!is_topologically_sorted(&views(&package)), "the root stands last, and the second spends from it");
        prop_assert_eq!(package_hash(&views(&package)), hash);
    }
}
