//! What is kept and what is evicted at the limits.

use super::*;

fn weight(transaction: &Transaction) -> u64 {
    transaction.as_ref().weight() as u64
}

fn have(orphanage: &TxOrphanage, transactions: &[Arc<Transaction>]) -> Vec<bool> {
    transactions.iter().map(|transaction| orphanage.have_tx(&wtxid(transaction))).collect()
}

#[test]
fn either_limit_evicts_the_oldest() {
    let transactions = [numbered(0), numbered(1)];
    let size = weight(&transactions[0]);
    for mut orphanage in [TxOrphanage::new(1, 10 * size), TxOrphanage::new(10, size), TxOrphanage::new(0, 10 * size)] {
        for transaction in &transactions {
            assert!(orphanage.add_tx(transaction, ALICE));
        }
        assert_eq!(have(&orphanage, &transactions), [false, true]);
        orphanage.announcements.check();
    }
    // A limit below a single orphan: none is kept.
    let mut orphanage = TxOrphanage::new(10, size - 1);
    assert!(orphanage.add_tx(&transactions[0], ALICE));
    assert_eq!(orphanage.count_announcements(), 0);
}

#[test]
fn inputs_count() {
    let with_inputs = |count: u32, value| build(&(0..count).map(unknown).collect::<Vec<_>>(), value, 20, 1);
    let score = |transaction: &Arc<Transaction>| {
        let mut orphanage = TxOrphanage::default();
        orphanage.add_tx(transaction, ALICE);
        orphanage.total_latency_score()
    };
    assert_eq!([9, 10, 19, 20, 45].map(|count| score(&with_inputs(count, 1))), [1, 2, 2, 3, 5]);

    let mut orphanage = TxOrphanage::new(5, 1 << 40);
    let (few, many) = (numbered(100), with_inputs(45, 1));
    orphanage.add_tx(&few, ALICE);
    orphanage.add_tx(&many, ALICE);
    assert_eq!(have(&orphanage, &[few, many]), [false, true]);

    let mut orphanage = TxOrphanage::default();
    for value in 0..10 {
        orphanage.add_tx(&with_inputs(9, value), ALICE);
    }
    assert_eq!((orphanage.count_announcements(), orphanage.total_latency_score()), (10, 10));
    for value in 0..10 {
        assert!(orphanage.add_tx(&with_inputs(50, value), ALICE));
        if value < 5 {
            assert!(!orphanage.add_tx(&with_inputs(50, value), BOB));
        }
    }
    // An orphan's inputs count once, announcements each.
    assert_eq!((orphanage.count_announcements(), orphanage.total_latency_score()), (25, 25 + 50));
    assert_eq!((orphanage.announcements_from_peer(ALICE), orphanage.latency_score_from_peer(ALICE)), (20, 70));
    assert_eq!((orphanage.announcements_from_peer(BOB), orphanage.latency_score_from_peer(BOB)), (5, 30));
    orphanage.announcements.check();
}

#[test]
fn what_is_to_be_reconsidered_is_evicted_last() {
    let parents: Vec<_> = (0..7).map(numbered).collect();
    let children: Vec<_> = parents.iter().map(|parent| child(parent)).collect();
    let mut orphanage = TxOrphanage::new(3, 1 << 40);
    for child in &children[..3] {
        orphanage.add_tx(child, ALICE);
    }
    assert_eq!(reconsider(&mut orphanage, &parents[0]), [(wtxid(&children[0]), ALICE)]);
    orphanage.add_tx(&children[3], ALICE);
    assert_eq!(have(&orphanage, &children[..4]), [true, false, true, true]);
    orphanage.add_tx(&children[4], ALICE);
    assert_eq!(have(&orphanage, &children[..5]), [true, false, false, true, true]);
    reconsider(&mut orphanage, &parents[4]);
    reconsider(&mut orphanage, &parents[3]);
    // The only one that does not wait to be reconsidered goes at once, and was new all the same.
    assert!(orphanage.add_tx(&children[5], ALICE));
    assert_eq!(have(&orphanage, &children[..6]), [true, false, false, true, true, false]);
    assert_eq!(orphanage.get_tx_to_reconsider(ALICE), Some(children[0].clone()));
    orphanage.add_tx(&children[6], ALICE);
    assert_eq!(have(&orphanage, &children), [false, false, false, true, true, false, true]);
    // The oldest first, not the one that was marked first.
    assert_eq!(orphanage.get_tx_to_reconsider(ALICE), Some(children[3].clone()));
    assert_eq!(orphanage.get_tx_to_reconsider(ALICE), Some(children[4].clone()));
    orphanage.announcements.check();
}

#[test]
fn only_the_peer_that_exceeds_its_share_loses() {
    let transactions: Vec<_> = (0..100).map(numbered).collect();
    let mut orphanage = TxOrphanage::new(60, 1 << 40);
    let from = |orphanage: &TxOrphanage, peer| orphanage.announcements_from_peer(PeerNumber(peer));
    for transaction in &transactions[..60] {
        orphanage.add_tx(transaction, ALICE);
    }
    assert_eq!(from(&orphanage, 0), 60);
    for index in 0..10 {
        orphanage.add_tx(&transactions[60 + index], BOB);
        assert_eq!((from(&orphanage, 0), from(&orphanage, 1)), (59 - index, index + 1));
        assert!(!orphanage.have_tx(&wtxid(&transactions[index])));
    }
    // Duplicates of what the first has: its announcement goes, the orphan stays.
    for (index, transaction) in transactions.iter().enumerate().take(20).skip(10) {
        orphanage.add_tx(transaction, CAROL);
        assert_eq!((from(&orphanage, 0), from(&orphanage, 1), from(&orphanage, 2)), (59 - index, 10, index - 9));
        assert!(!orphanage.have_tx_from_peer(&wtxid(transaction), ALICE));
        assert!(orphanage.have_tx(&wtxid(transaction)));
    }
    let announcements = orphanage.count_announcements();
    for peer in 3..6 {
        for index in 0..10 {
            orphanage.add_tx(&transactions[peer * 10 + index], PeerNumber(peer as u64));
            assert_eq!(orphanage.count_announcements(), announcements);
        }
    }
    assert_eq!([0, 1, 2, 3, 4, 5].map(|peer| from(&orphanage, peer)), [10; 6]);
    orphanage.announcements.check();
}

#[test]
fn limits_follow_the_number_of_peers() {
    let mut orphanage = TxOrphanage::default();
    let limits = |orphanage: &TxOrphanage| {
        assert_eq!((orphanage.max_global_latency_score(), orphanage.reserved_peer_usage()), (3000, 404_000));
        (orphanage.max_peer_latency_score(), orphanage.max_global_usage())
    };
    assert_eq!(limits(&orphanage), (3000, 404_000));
    for (number, expected) in [(0, (3000, 404_000)), (1, (1500, 808_000)), (2, (1000, 1_212_000))] {
        orphanage.add_tx(&numbered(number), PeerNumber(number.into()));
        assert_eq!(limits(&orphanage), expected);
    }
    orphanage.add_tx(&numbered(3), CAROL);
    assert_eq!(limits(&orphanage), (1000, 1_212_000));
    orphanage.erase_for_peer(CAROL);
    assert_eq!(limits(&orphanage), (1500, 808_000));
    orphanage.erase_tx(&wtxid(&numbered(0)));
    assert_eq!(limits(&orphanage), (3000, 404_000));
}

#[test]
fn one_large_orphan_evicts_as_many_as_it_needs() {
    let normal = weight(&numbered(0));
    let large = build(&[unknown(1000)], 1, 20 + usize::try_from(normal * 19 / 8).unwrap(), 1);
    let size = weight(&large);
    assert!((10 * normal..11 * normal).contains(&size));
    let mut orphanage = TxOrphanage::new(20, size);
    for number in 0..20 {
        orphanage.add_tx(&numbered(number), if number < 10 { ALICE } else { BOB });
    }
    assert_eq!(orphanage.count_announcements(), 20);
    orphanage.add_tx(&large, BOB);
    assert_eq!((orphanage.announcements_from_peer(ALICE), orphanage.announcements_from_peer(BOB)), (10, 1));
    assert!(orphanage.have_tx_from_peer(&wtxid(&large), BOB));
    orphanage.announcements.check();
}

#[test]
fn what_is_heavier_than_standard_is_ignored() {
    // Each byte outside the witness weighs four.
    let of_weight = |target: u64| {
        let size = usize::try_from((target - weight(&build(&[unknown(1)], 1, 1 << 16, 1))) / 4).unwrap() + (1 << 16);
        let transaction = build(&[unknown(1)], 1, size, 1);
        assert!(weight(&transaction).abs_diff(target) < 4);
        transaction
    };
    let mut orphanage = TxOrphanage::default();
    assert!(!orphanage.add_tx(&of_weight(400_004), ALICE));
    assert_eq!(orphanage.count_announcements(), 0);
    assert!(orphanage.add_tx(&of_weight(400_000), ALICE));
    assert_eq!(orphanage.count_announcements(), 1);
}

#[test]
fn a_peer_that_leaves_takes_its_reserve_along() {
    let size = weight(&numbered(0));
    let mut orphanage = TxOrphanage::new(100, 2 * size);
    for number in 0..4 {
        orphanage.add_tx(&numbered(number), ALICE);
        orphanage.add_announcer(&wtxid(&numbered(number)), BOB);
    }
    assert_eq!((orphanage.count_unique_orphans(), orphanage.max_global_usage()), (4, 4 * size));
    orphanage.erase_for_peer(ALICE);
    assert_eq!((orphanage.count_unique_orphans(), orphanage.max_global_usage()), (2, 2 * size));
    assert!(orphanage.have_tx(&wtxid(&numbered(3))));
}

#[test]
fn more_peers_than_scores_to_share() {
    let mut orphanage = TxOrphanage::new(3, 1 << 20);
    for number in 0..10 {
        orphanage.add_tx(&numbered(number), PeerNumber(number.into()));
    }
    // All have as many, so the latest loses: the newcomer itself.
    assert_eq!(
        have(&orphanage, &(0..10).map(numbered).collect::<Vec<_>>()),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|n| n < 3)
    );
    orphanage.announcements.check();
}
