//! What may happen between check, verification and admission.

use cairn_chain::mempool::{Candidate, VerifiedCandidate};

use bitcoin::Transaction;

use crate::node::Node;
use crate::transactions::{coin_of, ours, pay, spend};

fn check(node: &Node, tx: &Transaction) -> Candidate {
    node.pool.check(&node.chain, ours(tx)).unwrap()
}

fn verified(node: &Node, tx: &Transaction) -> VerifiedCandidate {
    check(node, tx).verify_scripts(node.chain.validation_cache()).unwrap()
}

/// Admits what may fail now; the reason if it does.
fn admit(node: &mut Node, candidate: VerifiedCandidate) -> Option<String> {
    let result = node.pool.admit(&node.chain, candidate);
    node.check();
    result.err().map(|rejection| rejection.error.reject_reason().into_owned())
}

#[test]
fn nothing_happened() {
    let mut node = Node::new();
    let tx = spend(&[node.coin()], 100);
    let candidate = verified(&node, &tx);
    assert_eq!(candidate.admitted().txid, tx.compute_txid());
    assert!(node.pool.is_empty());
    assert_eq!(admit(&mut node, candidate), None);
    assert!(node.has(&tx));
}

#[test]
fn scripts_are_verified_elsewhere() {
    let mut node = Node::new();
    let txs: Vec<_> = node.coins(20).iter().map(|coin| spend(&[*coin], 100)).collect();
    let candidates: Vec<_> = txs.iter().map(|tx| check(&node, tx)).collect();
    let cache = node.chain.validation_cache();
    let verified: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            candidates.into_iter().map(|candidate| scope.spawn(|| candidate.verify_scripts(cache).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for candidate in verified {
        assert_eq!(admit(&mut node, candidate), None);
    }
    assert_eq!(node.pool.len(), 20);
}

#[test]
fn the_same_came_first() {
    let mut node = Node::new();
    let tx = spend(&[node.coin()], 100);
    let (one, two) = (verified(&node, &tx), verified(&node, &tx));
    assert_eq!(admit(&mut node, one), None);
    assert_eq!(admit(&mut node, two).as_deref(), Some("txn-already-in-mempool"));
}

#[test]
fn a_conflict_came_first() {
    let mut node = Node::new();
    let coin = node.coin();
    let (poor, rich) = (spend(&[coin], 100), spend(&[coin], 1000));
    let (first, second) = (verified(&node, &poor), verified(&node, &rich));
    assert_eq!(admit(&mut node, first), None);
    let late = verified(&node, &spend(&[coin], 500));
    assert_eq!(admit(&mut node, second), None, "it replaces what it did not know of");
    assert!(node.has(&rich) && !node.has(&poor));
    assert_eq!(admit(&mut node, late).as_deref(), Some("insufficient fee"));
}

#[test]
fn what_it_would_replace_has_gone() {
    let mut node = Node::new();
    let coin = node.coin();
    let old = spend(&[coin], 100);
    node.accept(&old);
    let new = verified(&node, &spend(&[coin], 1000));
    node.mine(&[old]);
    assert_eq!(admit(&mut node, new).as_deref(), Some("bad-txns-inputs-missingorspent"));
}

#[test]
fn it_was_confirmed_meanwhile() {
    let mut node = Node::new();
    let tx = spend(&[node.coin()], 100);
    let candidate = verified(&node, &tx);
    node.mine(std::slice::from_ref(&tx));
    assert_eq!(admit(&mut node, candidate).as_deref(), Some("txn-already-known"));
}

#[test]
fn its_parent_was_confirmed_or_replaced_meanwhile() {
    let mut node = Node::new();
    let coin = node.coin();
    let parent = spend(&[coin], 100);
    node.accept(&parent);
    let child = spend(&[coin_of(&parent)], 100);
    let candidate = verified(&node, &child);
    node.mine_pool();
    assert_eq!(admit(&mut node, candidate), None);
    assert_eq!(node.pool.graph().len(), 1);

    let coin = node.coin();
    let parent = spend(&[coin], 100);
    node.accept(&parent);
    let child = spend(&[coin_of(&parent)], 100);
    let candidate = verified(&node, &child);
    node.accept(&spend(&[coin], 1000));
    assert_eq!(admit(&mut node, candidate).as_deref(), Some("bad-txns-inputs-missingorspent"));
}

#[test]
fn the_operator_changed_his_mind_meanwhile() {
    let mut node = Node::new();
    let tx = spend(&[node.coin()], 100);
    let candidate = verified(&node, &tx);
    node.pool.prioritise_transaction(tx.compute_txid(), 5000);
    assert_eq!(admit(&mut node, candidate), None);
    assert_eq!(node.pool.get(&tx.compute_txid()).unwrap().modified_fee(), 5100);
    let tx = spend(&[node.coin()], 100);
    let candidate = verified(&node, &tx);
    node.pool.prioritise_transaction(tx.compute_txid(), -100);
    assert_eq!(admit(&mut node, candidate).as_deref(), Some("min relay fee not met"));
}

/// The chain moves first and the pool hears of it afterwards. A candidate that was checked between is still welcome.
#[test]
fn the_pool_heard_late_of_a_chain_that_moved() {
    let mut node = Node::new();
    let block = node.mine(&[]);
    let tx = spend(&[node.coin()], 100);
    node.chain.invalidate_block(&block.hash()).unwrap();
    let candidate = verified(&node, &tx);
    node.follow();
    assert_eq!(admit(&mut node, candidate), None);
    let tx = spend(&[node.coin()], 100);
    node.chain.reconsider_block(&block.hash()).unwrap();
    let candidate = verified(&node, &tx);
    node.follow();
    assert_eq!(admit(&mut node, candidate), None);
}

/// Somebody sends a transaction again while the pool does not know yet that its block left the chain.
#[test]
fn what_comes_back_was_sent_again_before() {
    let mut node = Node::new();
    let parent = spend(&[node.coin()], 100);
    let block = node.mine(std::slice::from_ref(&parent));
    let child = spend(&[coin_of(&parent)], 100);
    node.accept(&child);
    node.chain.invalidate_block(&block.hash()).unwrap();
    let candidate = verified(&node, &parent);
    node.pool.admit(&node.chain, candidate).unwrap();
    node.follow();
    assert!(node.has(&parent) && node.has(&child));
}

#[test]
fn a_candidate_that_is_dropped_leaves_nothing() {
    let mut node = Node::new();
    let coin = node.coin();
    node.accept(&spend(&[coin], 100));
    let before = (node.pool.memory(), node.pool.sequence(), node.pool.updates());
    drop(verified(&node, &pay(&[coin], &[1_000_000])));
    assert_eq!(before, (node.pool.memory(), node.pool.sequence(), node.pool.updates()));
    node.check();
}

/// Remembers the coins of a candidate as the node does, which may be late.
fn remember(node: &mut Node, candidate: &VerifiedCandidate) {
    let coins: Vec<_> = candidate.coins().map(|(outpoint, coin)| (outpoint, coin.clone())).collect();
    assert!(!coins.is_empty());
    node.chain.remember_coins(&candidate.tip(), coins);
}

#[test]
fn a_coin_that_was_spent_meanwhile_is_not_remembered() {
    let mut node = Node::new();
    let coin = node.coin();
    let candidate = verified(&node, &spend(&[coin], 100));
    remember(&mut node, &candidate);
    assert!(node.chain.coin(&coin.outpoint).unwrap().is_some());
    node.mine(&[spend(&[coin], 1000)]);
    // From here on it is no change of the cache that hides the coin.
    node.chain.flush().unwrap();
    node.chain.flush().unwrap();
    remember(&mut node, &candidate);
    assert_eq!(node.chain.coin(&coin.outpoint).unwrap(), None);
}

#[test]
fn a_coin_whose_block_was_taken_back_meanwhile_is_not_remembered() {
    let mut node = Node::new();
    let parent = spend(&[node.coin()], 100);
    node.mine(std::slice::from_ref(&parent));
    let coin = coin_of(&parent);
    let candidate = verified(&node, &spend(&[coin], 100));
    let hash = node.chain.tip().hash;
    node.chain.invalidate_block(&hash).unwrap();
    remember(&mut node, &candidate);
    assert_eq!(node.chain.coin(&coin.outpoint).unwrap(), None);
}
