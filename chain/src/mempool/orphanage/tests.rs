//! Core's own tests of the orphanage (`test/orphanage_tests.cpp`), and a comparison with a naive model.

use super::*;
use bitcoin::hashes::Hash;

mod limits;
mod model;

const ALICE: PeerNumber = PeerNumber(0);
const BOB: PeerNumber = PeerNumber(1);
const CAROL: PeerNumber = PeerNumber(2);
const DAVE: PeerNumber = PeerNumber(3);

/// A transaction that spends `prevouts` and has two outputs, the first worth `value` satoshis with a script of
/// `script_size` bytes, and a witness of one item that is `witness`.
fn build(prevouts: &[OutPoint], value: u64, script_size: usize, witness: u8) -> Arc<Transaction> {
    let mut bytes = vec![2, 0, 0, 0, 0, 1];
    crate::serialize::append_compact_size(&mut bytes, prevouts.len());
    for prevout in prevouts {
        bytes.extend_from_slice(prevout.txid.as_byte_array());
        bytes.extend_from_slice(&prevout.vout.to_le_bytes());
        bytes.extend_from_slice(&[0, 0xff, 0xff, 0xff, 0xff]);
    }
    bytes.push(2);
    bytes.extend_from_slice(&value.to_le_bytes());
    crate::serialize::append_with_size(&mut bytes, &vec![0x6a; script_size]);
    bytes.extend_from_slice(&[0; 9]);
    for _ in prevouts {
        bytes.extend_from_slice(&[1, 1, witness]);
    }
    bytes.extend_from_slice(&[0; 4]);
    Arc::new(Transaction::decode(bytes).unwrap())
}

/// An outpoint that nothing else has.
fn unknown(number: u32) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([0xee; 32]), vout: number }
}

/// A transaction unlike those with other numbers, of the same weight.
fn numbered(number: u32) -> Arc<Transaction> {
    build(&[unknown(number)], u64::from(number), 20, 1)
}

fn txid(transaction: &Transaction) -> Txid {
    transaction.as_ref().txid()
}

fn wtxid(transaction: &Transaction) -> Wtxid {
    transaction.as_ref().wtxid()
}

fn output(transaction: &Transaction, vout: u32) -> OutPoint {
    OutPoint { txid: txid(transaction), vout }
}

/// A transaction that spends the first output of `parent`.
fn child(parent: &Transaction) -> Arc<Transaction> {
    build(&[output(parent, 0)], 7, 20, 1)
}

fn block(transactions: &[&Arc<Transaction>]) -> Block {
    let mut bytes = vec![0; 80];
    crate::serialize::append_compact_size(&mut bytes, transactions.len());
    for transaction in transactions {
        bytes.extend_from_slice(Transaction::as_ref(transaction).bytes());
    }
    Block::decode(bytes).unwrap()
}

/// Adds the children of a transaction to work sets, the first announcer's.
fn reconsider(orphanage: &mut TxOrphanage, parent: &Transaction) -> Vec<(Wtxid, PeerNumber)> {
    orphanage.add_children_to_work_set(parent.as_ref(), &mut |_| 0)
}

#[test]
fn orphans_with_the_same_txid_are_told_apart() {
    let mut orphanage = TxOrphanage::default();
    let parent = numbered(1);
    let normal = build(&[output(&parent, 0)], 7, 20, 1);
    let mutated = build(&[output(&parent, 0)], 7, 20, 5);
    assert_eq!(txid(&normal), txid(&mutated));
    assert!(orphanage.add_tx(&normal, ALICE));
    assert!(!orphanage.erase_tx(&wtxid(&mutated)));
    assert_eq!(orphanage.get_tx(&wtxid(&normal)), Some(&normal));
    assert_eq!(orphanage.get_tx(&wtxid(&mutated)), None);
    assert!(orphanage.add_tx(&mutated, ALICE));
    assert!(orphanage.have_tx(&wtxid(&normal)) && orphanage.have_tx(&wtxid(&mutated)));
    assert_eq!(orphanage.get_children_from_same_peer(&txid(&parent), ALICE), [mutated.clone(), normal.clone()]);
    assert!(orphanage.erase_tx(&wtxid(&mutated)));
    assert!(orphanage.have_tx(&wtxid(&normal)) && !orphanage.have_tx(&wtxid(&mutated)));
    assert!(orphanage.erase_tx(&wtxid(&normal)));
    assert_eq!((orphanage.count_unique_orphans(), orphanage.max_peer_latency_score()), (0, 3000));
    orphanage.announcements.check();
}

#[test]
fn children_come_newest_first_and_from_the_peer_alone() {
    let (first, second) = (numbered(1), numbered(2));
    let spends_first = build(&[output(&first, 0)], 1, 20, 1);
    let spends_second = build(&[output(&second, 1)], 2, 20, 1);
    let spends_twice = build(&[output(&first, 0), output(&first, 1)], 3, 20, 1);
    let spends_both = build(&[output(&first, 0), output(&second, 0)], 4, 20, 1);
    let mut orphanage = TxOrphanage::default();
    for transaction in [&spends_first, &spends_second, &spends_twice, &spends_both] {
        assert!(orphanage.add_tx(transaction, BOB));
    }
    assert!(!orphanage.add_tx(&spends_twice, ALICE));
    assert!(!orphanage.add_tx(&spends_second, ALICE));
    assert!(!orphanage.add_tx(&spends_first, DAVE));
    let children = |orphanage: &TxOrphanage, parent, peer| orphanage.get_children_from_same_peer(&txid(parent), peer);
    assert_eq!(children(&orphanage, &first, BOB), [&spends_both, &spends_twice, &spends_first].map(Arc::clone));
    assert_eq!(children(&orphanage, &second, BOB), [&spends_both, &spends_second].map(Arc::clone));
    assert_eq!(children(&orphanage, &first, ALICE), [&spends_twice].map(Arc::clone));
    assert_eq!(children(&orphanage, &first, CAROL), []);
    assert_eq!(children(&orphanage, &spends_both, BOB), []);
    // What is to be reconsidered comes first.
    let lone = build(&[unknown(9), output(&first, 1)], 5, 20, 1);
    let mut other = TxOrphanage::default();
    other.add_tx(&spends_second, BOB);
    other.add_tx(&spends_both, BOB);
    other.add_tx(&lone, BOB);
    // Output 1 of the second alone is spent by one orphan.
    assert_eq!(reconsider(&mut other, &second).len(), 2);
    assert_eq!(children(&other, &first, BOB), [spends_both.clone(), lone.clone()]);
}

#[test]
fn a_block_removes_what_it_contains_and_what_conflicts() {
    let mut orphanage = TxOrphanage::default();
    let control = numbered(100);
    let same = build(&[unknown(0)], 1, 20, 1);
    let (in_block, other_witness) = (build(&[unknown(1)], 2, 20, 1), build(&[unknown(1)], 2, 20, 5));
    let (spends, conflicts) = (build(&[unknown(2)], 3, 20, 1), build(&[unknown(2)], 4, 20, 1));
    let (partly, overlaps) = (build(&[unknown(3), unknown(4)], 5, 20, 1), build(&[unknown(4), unknown(5)], 6, 20, 1));
    for orphan in [&control, &same, &other_witness, &conflicts, &overlaps] {
        assert!(orphanage.add_tx(orphan, ALICE));
    }
    orphanage.add_announcer(&wtxid(&overlaps), BOB);
    let block = block(&[&same, &in_block, &spends, &partly]);
    orphanage.erase_for_block(&block);
    assert_eq!((orphanage.count_unique_orphans(), orphanage.count_announcements()), (1, 1));
    assert!(orphanage.have_tx(&wtxid(&control)));
    orphanage.announcements.check();
    orphanage.erase_for_block(&block);
    orphanage.erase_tx(&wtxid(&control));
    orphanage.erase_for_block(&block);
    assert_eq!(orphanage.total_orphan_usage(), 0);
}

#[test]
fn an_orphan_stays_as_long_as_one_peer_has_it() {
    let mut orphanage = TxOrphanage::default();
    let orphan = numbered(1);
    let mutated = build(&[unknown(1)], 1, 20, 5);
    assert!(orphanage.add_tx(&orphan, ALICE));
    assert!(!orphanage.add_tx(&orphan, ALICE));
    assert!(orphanage.add_tx(&mutated, ALICE));
    assert!(orphanage.add_announcer(&wtxid(&orphan), CAROL));
    assert!(!orphanage.add_announcer(&wtxid(&orphan), CAROL));
    assert!(!orphanage.add_announcer(&wtxid(&numbered(7)), CAROL), "nobody sent it");
    assert!(!orphanage.add_tx(&orphan, BOB));
    let weight = Transaction::as_ref(&orphan).weight() as u64;
    assert_eq!((orphanage.count_unique_orphans(), orphanage.count_announcements()), (2, 4));
    assert_eq!((orphanage.total_orphan_usage(), orphanage.usage_by_peer(ALICE)), (2 * weight, 2 * weight));
    assert_eq!((orphanage.usage_by_peer(BOB), orphanage.usage_by_peer(DAVE)), (weight, 0));
    assert_eq!((orphanage.total_latency_score(), orphanage.latency_score_from_peer(ALICE)), (4, 2));
    let mut all = orphanage.get_orphan_transactions();
    assert!(all.is_sorted_by_key(|orphan| wtxid(&orphan.transaction)));
    all.sort_by_key(|orphan| orphan.announcers.len());
    assert_eq!(all[0], OrphanInfo { transaction: mutated.clone(), announcers: [ALICE].into() });
    assert_eq!(all[1], OrphanInfo { transaction: orphan.clone(), announcers: [ALICE, BOB, CAROL].into() });

    orphanage.erase_for_peer(ALICE);
    assert!(orphanage.have_tx(&wtxid(&orphan)) && !orphanage.have_tx_from_peer(&wtxid(&orphan), ALICE));
    assert!(!orphanage.have_tx(&wtxid(&mutated)));
    orphanage.erase_for_peer(BOB);
    orphanage.erase_for_peer(DAVE);
    assert_eq!(orphanage.count_unique_orphans(), 1);
    orphanage.announcements.check();
    orphanage.erase_for_peer(CAROL);
    assert_eq!(orphanage.count_unique_orphans(), 0);
    assert_eq!(orphanage.get_orphan_transactions(), []);
}

#[test]
fn one_announcer_of_each_child_gets_work() {
    let parent = numbered(1);
    let orphan = child(&parent);
    for chosen in 0..3 {
        let mut orphanage = TxOrphanage::default();
        for peer in [ALICE, BOB, CAROL] {
            orphanage.add_tx(&orphan, peer);
        }
        let peer = PeerNumber(chosen as u64);
        let mut random_below = |bound| {
            assert_eq!(bound, 3);
            chosen
        };
        let added = orphanage.add_children_to_work_set(Transaction::as_ref(&parent), &mut random_below);
        assert_eq!(added, [(wtxid(&orphan), peer)]);
        assert_eq!(
            [ALICE, BOB, CAROL].map(|peer| orphanage.have_tx_to_reconsider(peer)),
            [0, 1, 2].map(|n| n == chosen)
        );
        assert_eq!(reconsider(&mut orphanage, &parent), [], "it has been given out");
        orphanage.announcements.check();

        let mut taken = TxOrphanage::default();
        taken.add_tx(&orphan, peer);
        reconsider(&mut taken, &parent);
        assert_eq!(taken.get_tx_to_reconsider(peer), Some(orphan.clone()));
        assert_eq!(taken.get_tx_to_reconsider(peer), None);
        assert!(taken.have_tx(&wtxid(&orphan)), "it stays until it is known what it is");
        assert_eq!(reconsider(&mut taken, &parent), [(wtxid(&orphan), peer)]);

        orphanage.erase_for_peer(peer);
        assert!([ALICE, BOB, CAROL].iter().all(|peer| !orphanage.have_tx_to_reconsider(*peer)));
        assert_eq!(reconsider(&mut orphanage, &parent).len(), 1, "another announcer can get it");
        assert!(orphanage.erase_tx(&wtxid(&orphan)));
        orphanage.announcements.check();
    }
    // A choice beyond the bound is brought within.
    let mut orphanage = TxOrphanage::default();
    orphanage.add_tx(&orphan, BOB);
    let added = orphanage.add_children_to_work_set(Transaction::as_ref(&parent), &mut |_| usize::MAX);
    assert_eq!(added, [(wtxid(&orphan), BOB)]);
}

#[test]
fn all_outputs_of_a_parent_are_looked_at() {
    let parent = numbered(1);
    let mut orphanage = TxOrphanage::default();
    let of_first = build(&[output(&parent, 0)], 1, 20, 1);
    let of_second = build(&[output(&parent, 1)], 2, 20, 1);
    let of_both = build(&[output(&parent, 1), output(&parent, 0)], 3, 20, 1);
    let of_none = build(&[output(&parent, 2)], 4, 20, 1);
    for orphan in [&of_first, &of_second, &of_both, &of_none] {
        orphanage.add_tx(orphan, ALICE);
    }
    let added: BTreeSet<Wtxid> = reconsider(&mut orphanage, &parent).iter().map(|(wtxid, _)| *wtxid).collect();
    assert_eq!(added, [&of_first, &of_second, &of_both].map(|orphan| wtxid(orphan)).into());
    // The oldest first, whatever the order of the outputs.
    let order: Vec<_> = std::iter::from_fn(|| orphanage.get_tx_to_reconsider(ALICE)).collect();
    assert_eq!(order, [of_first, of_second, of_both]);
}
