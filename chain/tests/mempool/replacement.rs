//! Transactions that take the place of others.

use bitcoin::Transaction;
use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::mempool::{MempoolEvent, RemovalReason};

use crate::node::{COIN, Node};
use crate::transactions::{coin_of, coins_of, padded, spend, split, truc};

fn rejecting(tx: &Transaction, words: &str) -> String {
    format!("rejecting replacement {}{words}", tx.compute_txid())
}

/// None of the transactions here signals anything: whatever pays more replaces.
#[test]
fn a_replacement_pays_for_what_goes_and_for_itself() {
    let mut node = Node::new();
    let coin = node.coin();
    let old = padded(spend(&[coin], 5000), 200);
    node.accept(&old);
    let new = |fee| padded(spend(&[coin], fee), 195);
    let tx = new(4999);
    let words = rejecting(&tx, ", less fees than conflicting txs; 0.00004999 < 0.00005");
    assert_eq!(node.refuse(&tx, "insufficient fee", Some(&words)), TransactionVerdict::Reconsiderable);
    let tx = new(5019);
    let words = rejecting(&tx, ", not enough additional fees to relay; 0.00000019 < 0.0000002");
    assert_eq!(node.refuse(&tx, "insufficient fee", Some(&words)), TransactionVerdict::Reconsiderable);
    let tx = new(5020);
    node.events();
    let sequence = node.pool.sequence();
    let admitted = node.accept(&tx);
    let replaced: Vec<_> = admitted.replaced.iter().map(|tx| tx.as_ref().as_ref().txid()).collect();
    assert_eq!(replaced, [old.compute_txid()]);
    assert!(!node.has(&old));
    let events = node.events();
    let [MempoolEvent::Removed { reason, sequence: gone, .. }, MempoolEvent::Added { sequence: come, .. }] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((*reason, *gone, *come), (RemovalReason::Replaced, sequence, sequence + 1));
}

#[test]
fn descendants_count_and_go_too() {
    let mut node = Node::new();
    let (coin, other) = (node.coin(), node.coin());
    let old = split(&[coin], 2, 1000);
    node.accept(&old);
    let [left, right] = coins_of(&old)[..] else { panic!("two outputs") };
    let children = [spend(&[left], 2000), spend(&[right, other], 3000)];
    children.iter().for_each(|child| drop(node.accept(child)));
    let tx = spend(&[coin], 5999);
    let words = rejecting(&tx, ", less fees than conflicting txs; 0.00005999 < 0.00006");
    node.refuse(&tx, "insufficient fee", Some(&words));
    // What the operator pretends counts on both sides.
    node.pool.prioritise_transaction(children[0].compute_txid(), 1);
    let tx = spend(&[coin], 6010);
    let words = rejecting(&tx, ", not enough additional fees to relay; 0.00000009 < 0.0000001");
    node.refuse(&tx, "insufficient fee", Some(&words));
    node.pool.prioritise_transaction(tx.compute_txid(), 1);
    assert_eq!(node.accept(&tx).replaced.len(), 3);
    assert_eq!(node.pool.len(), 1);
}

#[test]
fn miners_must_gain() {
    let mut node = Node::new();
    let coin = node.coin();
    node.accept(&spend(&[coin], 10_000));
    let tx = padded(spend(&[coin], 20_000), 5000);
    let words = Some("insufficient feerate: does not improve feerate diagram");
    assert_eq!(node.refuse(&tx, "replacement-failed", words), TransactionVerdict::Reconsiderable);
    node.accept(&padded(spend(&[coin], 20_000), 190));
}

#[test]
fn at_most_100_clusters_are_touched() {
    let mut node = Node::new();
    let coins = node.coins(101);
    coins.iter().for_each(|coin| drop(node.accept(&spend(&[*coin], 100))));
    let tx = spend(&coins, 1_000_000);
    let words = rejecting(&tx, "; too many conflicting clusters (101 > 100)");
    let verdict = node.refuse(&tx, "too many potential replacements", Some(&words));
    assert_eq!(verdict, TransactionVerdict::MempoolPolicy);
    assert_eq!(node.accept(&spend(&coins[..100], 1_000_000)).replaced.len(), 100);
}

#[test]
fn nothing_spends_what_it_replaces() {
    let mut node = Node::new();
    let coin = node.coin();
    let old = spend(&[coin], 100);
    node.accept(&old);
    let between = spend(&[coin_of(&old)], 100);
    node.accept(&between);
    for parent in [&old, &between] {
        let tx = spend(&[coin, coin_of(parent)], 10_000);
        let words = format!("{} spends conflicting transaction {}", tx.compute_txid(), old.compute_txid());
        let verdict = node.refuse(&tx, "bad-txns-spends-conflicting-tx", Some(&words));
        assert_eq!(verdict, TransactionVerdict::Invalid);
    }
    // Of several, Core names the one with the lowest txid.
    let coins = node.coins(6);
    let old: Vec<_> = coins.iter().map(|coin| split(&[*coin], 2, 100)).collect();
    old.iter().for_each(|tx| drop(node.accept(tx)));
    let mut inputs = coins.clone();
    inputs.extend(old.iter().map(coin_of));
    let tx = spend(&inputs, 100_000);
    let lowest = old.iter().map(Transaction::compute_txid).min().unwrap();
    let words = format!("{} spends conflicting transaction {lowest}", tx.compute_txid());
    node.refuse(&tx, "bad-txns-spends-conflicting-tx", Some(&words));
}

/// A replacement may have unconfirmed parents of its own, also such that joined the cluster of what goes.
#[test]
fn clusters_that_lose_a_link_fall_apart() {
    let mut node = Node::new();
    let (one, two) = (split(&[node.coin()], 2, 100), split(&[node.coin()], 2, 100));
    node.accept(&one);
    node.accept(&two);
    let joint = spend(&[coins_of(&one)[0], coins_of(&two)[0]], 1000);
    node.accept(&joint);
    let index = node.pool.index_of(&one.compute_txid()).unwrap();
    assert_eq!(node.pool.graph().cluster(index).len(), 3);
    let new = spend(&[coins_of(&one)[0], coins_of(&one)[1]], 3000);
    assert_eq!(node.accept(&new).replaced.len(), 1);
    assert_eq!(node.pool.graph().cluster(index).len(), 2);
}

#[test]
fn the_other_child_of_a_restricted_parent_is_evicted() {
    let mut node = Node::new();
    let parent = truc(split(&[node.coin()], 2, 100));
    node.accept(&parent);
    let [left, right] = coins_of(&parent)[..] else { panic!("two outputs") };
    let old = truc(spend(&[left], 1000));
    node.accept(&old);
    let low = truc(spend(&[right], 999));
    let words = rejecting(&low, ", less fees than conflicting txs; 0.00000999 < 0.00001");
    let reason = "insufficient fee (including sibling eviction)";
    assert_eq!(node.refuse(&low, reason, Some(&words)), TransactionVerdict::Reconsiderable);
    let low = truc(spend(&[right], 1009));
    let words = rejecting(&low, ", not enough additional fees to relay; 0.00000009 < 0.0000001");
    node.refuse(&low, reason, Some(&words));
    // A package evicts no sibling.
    let high = truc(spend(&[right], 2000));
    let other = truc(spend(&[node.coin()], 100));
    let result = node.test_package(&[&other, &high]);
    assert_eq!(result.error.unwrap().reject_reason(), "transaction failed");
    let admitted = node.accept(&high);
    assert_eq!(admitted.replaced.len(), 1);
    assert!(!node.has(&old));
    // It may replace a child that shares its coin, and then evicts nobody else.
    let again = truc(spend(&[left, right], 4000));
    assert_eq!(node.accept(&again).replaced.len(), 1);
    assert_eq!(node.pool.len(), 2);
}

#[test]
fn a_large_sum_is_replaced_by_a_larger() {
    let mut node = Node::new();
    let coins = node.coins(2);
    node.accept(&spend(&coins[..1], COIN - 1000));
    let tx = spend(&coins, 2 * COIN - 1000);
    node.accept(&tx);
    assert_eq!(node.pool.len(), 1);
}
