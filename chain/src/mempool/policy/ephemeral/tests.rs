use super::*;
use crate::mempool::policy::DUST_RELAY_TX_FEE;
use crate::mempool::policy::fixtures::{anchor, input, p2tr, spend, transaction, views};
use crate::primitives::Transaction;

/// A transaction of which the first `dust` outputs are dust and the next is not.
fn parent(seed: u8, dust: usize) -> Transaction {
    let mut outputs = vec![(0, anchor()); dust];
    outputs.push((10_000, p2tr()));
    transaction(3, &[input(seed, 0)], &outputs)
}

fn child(spends: &[(&Transaction, u32)]) -> Transaction {
    let inputs: Vec<_> = spends.iter().map(|(parent, vout)| spend(parent.as_ref().txid(), *vout)).collect();
    transaction(3, &inputs, &[(10_000, p2tr())])
}

/// Which transaction of the package leaves dust behind.
fn check(pool: &[&Transaction], package: &[&Transaction]) -> Option<usize> {
    let pool = views(pool);
    let result = check_ephemeral_spends(&views(package), DUST_RELAY_TX_FEE, |txid| {
        pool.iter().copied().find(|tx| tx.txid() == *txid)
    });
    let error = result.err()?;
    let EphemeralError::MissingSpends { child } = error else { panic!("{error}") };
    assert_eq!(error.reject_reason(), "missing-ephemeral-spends");
    assert_eq!(
        error.debug_message().unwrap(),
        format!("tx {} (wtxid={}) did not spend parent's ephemeral dust", child.txid, child.wtxid)
    );
    package.iter().position(|tx| tx.as_ref().wtxid() == child.wtxid)
}

#[test]
fn dust_pays_no_fee() {
    let check = |dust, base_fee, modified_fee| {
        pre_check_ephemeral_tx(parent(1, dust).as_ref(), DUST_RELAY_TX_FEE, Amount::from_sat(base_fee), modified_fee)
    };
    assert_eq!(check(1, 0, 0), Ok(()));
    for (base_fee, modified_fee) in [(1, 1), (0, 1), (0, -1), (1, 0)] {
        let error = check(1, base_fee, modified_fee).unwrap_err();
        assert_eq!(error, EphemeralError::DustWithFee);
        assert_eq!(check(0, base_fee, modified_fee), Ok(()), "no dust");
    }
    assert_eq!(EphemeralError::DustWithFee.reject_reason(), "dust");
    assert_eq!(EphemeralError::DustWithFee.debug_message().unwrap(), "tx with dust output must be 0-fee");
}

#[test]
fn a_child_spends_all_dust_of_its_parents() {
    let dusty = parent(1, 1);
    for (spends, expected) in
        [(&[(&dusty, 0)][..], false), (&[(&dusty, 1)], true), (&[(&dusty, 1), (&dusty, 0)], false)]
    {
        let child = child(spends);
        assert_eq!(check(&[], &[&dusty, &child]), expected.then_some(1), "in the package");
        assert_eq!(check(&[&dusty], &[&child]), expected.then_some(0), "in the pool");
        assert_eq!(check(&[], &[&child]), None, "confirmed");
    }
    let twice = parent(2, 2);
    assert_eq!(check(&[], &[&twice, &child(&[(&twice, 0)])]), Some(1));
    assert_eq!(check(&[], &[&twice, &child(&[(&twice, 1), (&twice, 0)])]), None);
}

#[test]
fn each_parent_counts() {
    let (first, second, clean) = (parent(1, 1), parent(2, 1), parent(3, 0));
    let of_all = child(&[(&first, 0), (&clean, 0), (&second, 0)]);
    assert_eq!(check(&[&second], &[&first, &clean, &of_all]), None);
    let of_some = child(&[(&first, 0), (&clean, 0), (&second, 1)]);
    assert_eq!(check(&[&second], &[&first, &clean, &of_some]), Some(2));
    assert_eq!(check(&[&first, &second, &clean], &[&of_some]), Some(0));
}

#[test]
fn each_child_counts() {
    let dusty = parent(1, 1);
    let (sweeps, leaves) = (child(&[(&dusty, 0)]), child(&[(&dusty, 1)]));
    // Another child that sweeps the dust does not help: it might not be mined.
    assert_eq!(check(&[], &[&dusty, &sweeps, &leaves]), Some(2));
    assert_eq!(check(&[&dusty], &[&leaves, &sweeps]), Some(0));
    let grandchild = child(&[(&sweeps, 0)]);
    assert_eq!(check(&[], &[&dusty, &sweeps, &grandchild]), None, "only parents count");
}

#[test]
fn what_is_dust_is_the_operators_choice() {
    let below = transaction(2, &[input(1, 0)], &[(329, p2tr()), (10_000, p2tr())]);
    let spender = child(&[(&below, 1)]);
    let check = |rate| check_ephemeral_spends(&views(&[&below, &spender]), rate, |_| None).is_ok();
    assert!(!check(3_000) && check(2_990) && check(0));
}
