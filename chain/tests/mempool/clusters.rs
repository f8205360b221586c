//! How many transactions may hang together, and how large they may be.

use bitcoin::Transaction;
use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::mempool::{ClusterLimits, MempoolOptions};

use crate::node::Node;
use crate::transactions::{coin_of, coins_of, padded, spend, split};

/// A transaction and descendants in a row.
pub(crate) fn chain(node: &mut Node, length: usize, fee: u64) -> Vec<Transaction> {
    let mut chain = vec![spend(&[node.coin()], fee)];
    while chain.len() < length {
        chain.push(spend(&[coin_of(chain.last().unwrap())], fee));
    }
    chain
}

#[test]
fn a_cluster_has_64_transactions() {
    let mut node = Node::new();
    let chain = chain(&mut node, 65, 100);
    chain[..64].iter().for_each(|tx| drop(node.accept(tx)));
    assert_eq!(node.refuse(&chain[64], "too-large-cluster", None), TransactionVerdict::MempoolPolicy);
    // One more does fit when another goes for it.
    let mut replacement = chain[63].clone();
    replacement.output[0].value -= bitcoin::Amount::from_sat(100);
    node.accept(&replacement);
    let index = node.pool.index_of(&chain[0].compute_txid()).unwrap();
    assert_eq!(node.pool.graph().cluster(index).len(), 64);
    // Confirmed ones do not count.
    node.mine(&chain[..1]);
    node.accept(&spend(&[coin_of(&replacement)], 100));
}

#[test]
fn two_clusters_join_only_if_they_fit() {
    let mut node = Node::new();
    let (one, two) = (chain(&mut node, 32, 100), chain(&mut node, 32, 100));
    one.iter().chain(&two).for_each(|tx| drop(node.accept(tx)));
    let joint = [coin_of(&one[31]), coin_of(&two[31])];
    node.refuse(&spend(&joint, 1000), "too-large-cluster", None);
    // With a replacement, the refusal comes behind the rules about fees.
    let conflict = spend(&[coin_of(&one[30]), coin_of(&two[31])], 1000);
    node.accept(&conflict);
    let index = node.pool.index_of(&one[0].compute_txid()).unwrap();
    assert_eq!(node.pool.graph().cluster(index).len(), 64);
    let low = spend(&[coin_of(&two[30]), node.coin()], 50);
    let words =
        format!("rejecting replacement {}, less fees than conflicting txs; 0.0000005 < 0.000011", low.compute_txid());
    node.refuse(&low, "insufficient fee", Some(&words));
}

#[test]
fn a_cluster_has_101_000_virtual_bytes() {
    let mut node = Node::new();
    let parent = padded(spend(&[node.coin()], 10_000), 99_000);
    node.accept(&parent);
    let child = |size| padded(spend(&[coin_of(&parent)], 10_000), size);
    let weight = |tx: &Transaction| parent.weight().to_wu() + tx.weight().to_wu();
    // What is counted is weight: the three quarters of a virtual byte that rounding adds to each are not.
    assert_eq!((weight(&child(2001)), weight(&child(2002))), (403_998, 404_002));
    node.refuse(&child(2002), "too-large-cluster", None);
    node.accept(&child(2001));
}

#[test]
fn the_operator_may_choose_less() {
    let limits = ClusterLimits { count: 3, ..ClusterLimits::default() };
    let mut node = Node::with(MempoolOptions { cluster_limits: limits, ..MempoolOptions::default() });
    let parent = split(&[node.coin()], 3, 100);
    node.accept(&parent);
    let coins = coins_of(&parent);
    node.accept(&spend(&coins[..1], 100));
    node.accept(&spend(&coins[1..2], 100));
    node.refuse(&spend(&coins[2..], 100), "too-large-cluster", None);
}
