//! Minimum fees, eviction, expiry and what the operator pretends.

use bitcoin::Transaction;
use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::mempool::{DEFAULT_MEMPOOL_EXPIRY, MempoolEvent, MempoolOptions, RemovalReason};

use crate::node::Node;
use crate::transactions::{coin_of, padded, spend};

#[test]
fn the_minimum_for_relay_holds_to_the_satoshi() {
    let mut node = Node::new();
    for (virtual_size, least) in [(150, 15), (151, 16), (1000, 100), (1001, 101)] {
        let coin = node.coin();
        let tx = |fee| padded(spend(&[coin], fee), virtual_size);
        let words = format!("{} < {least}", least - 1);
        let verdict = node.refuse(&tx(least - 1), "min relay fee not met", Some(&words));
        assert_eq!(verdict, TransactionVerdict::Reconsiderable);
        let admitted = node.accept(&tx(least));
        assert_eq!((admitted.virtual_size, admitted.base_fee.to_sat()), (virtual_size, least));
    }
}

#[test]
fn what_the_operator_pretends_counts_before_and_after_entry() {
    let mut node = Node::new();
    let free = spend(&[node.coin()], 0);
    let txid = free.compute_txid();
    node.refuse(&free, "min relay fee not met", Some("0 < 10"));
    node.pool.prioritise_transaction(txid, 9);
    node.refuse(&free, "min relay fee not met", Some("9 < 10"));
    node.pool.prioritise_transaction(txid, 1);
    let admitted = node.accept(&free);
    assert_eq!((admitted.base_fee.to_sat(), admitted.effective_fee_rate.fee), (0, 10));
    assert_eq!(node.pool.total_fee(), 0);

    let other = spend(&[node.coin()], 1000);
    node.accept(&other);
    let first = |node: &Node| node.pool.entries_by_mining_order().next().unwrap().tx().txid();
    assert_eq!(first(&node), other.compute_txid());
    node.pool.prioritise_transaction(txid, 10_000);
    node.check();
    assert_eq!(first(&node), txid);
    assert_eq!(node.pool.get(&txid).unwrap().modified_fee(), 10_010);
    node.pool.prioritise_transaction(txid, i64::MAX);
    node.pool.prioritise_transaction(txid, i64::MAX);
    node.check();
    assert_eq!(node.pool.get(&txid).unwrap().modified_fee(), i64::MAX);
    node.pool.prioritise_transaction(txid, i64::MIN);
    node.pool.prioritise_transaction(txid, 1);
    node.check();
    assert!(node.pool.prioritised_transactions().is_empty());
    assert_eq!(node.pool.get(&txid).unwrap().modified_fee(), 0);
    // A block ends it, for what it confirms and for what it conflicts with.
    node.pool.prioritise_transaction(txid, 5);
    node.pool.prioritise_transaction(other.compute_txid(), 5);
    let mut conflict = other.clone();
    conflict.output[0].value = bitcoin::Amount::from_sat(1000);
    node.mine(&[free, conflict]);
    assert!(node.pool.is_empty() && node.pool.prioritised_transactions().is_empty());
}

#[test]
fn what_stays_too_long_goes_with_its_descendants() {
    let mut node = Node::new();
    let old = spend(&[node.coin()], 100);
    node.accept(&old);
    node.wait(1);
    let child = spend(&[coin_of(&old)], 100);
    let other = spend(&[node.coin()], 100);
    node.accept(&child);
    node.accept(&other);
    node.wait(DEFAULT_MEMPOOL_EXPIRY - 1);
    let young = spend(&[node.coin()], 100);
    node.accept(&young);
    assert!(node.has(&old), "exactly as old as it may be");
    node.events();
    node.wait(1);
    let last = spend(&[node.coin()], 100);
    node.accept(&last);
    assert!(!node.has(&old) && !node.has(&child) && node.has(&other));
    let expired = |event: &MempoolEvent| matches!(event, MempoolEvent::Removed { reason: RemovalReason::Expiry, .. });
    assert_eq!(node.events().iter().filter(|event| expired(event)).count(), 2);
}

/// A pool with room for about so many transactions of 10,000 virtual bytes.
fn small_pool(transactions: usize) -> Node {
    Node::with(MempoolOptions { max_bytes: transactions * 12_000, ..MempoolOptions::default() })
}

fn large(node: &mut Node, fee: u64) -> Transaction {
    padded(spend(&[node.coin()], fee), 10_000)
}

#[test]
fn a_full_pool_evicts_what_pays_least_and_asks_for_more() {
    let mut node = small_pool(10);
    let fees = |node: &Node| {
        let mut fees: Vec<_> = node.pool.entries().map(|entry| entry.base_fee.to_sat()).collect();
        fees.sort_unstable();
        fees
    };
    let mut fee = 10_000;
    while node.min_fee_per_kvb() == 0 {
        fee += 1000;
        let tx = large(&mut node, fee);
        node.accept(&tx);
    }
    assert!(node.pool.memory() <= 120_000);
    // The first one went, which paid 1,100 satoshis for 1,000 virtual bytes; and 100 more.
    assert_eq!(fees(&node)[0], 12_000);
    assert_eq!(node.min_fee_per_kvb(), 1200);
    let tx = large(&mut node, 11_999);
    let verdict = node.refuse(&tx, "mempool min fee not met", Some("11999 < 12000"));
    assert_eq!(verdict, TransactionVerdict::Reconsiderable);

    // One that pays the minimum and no more is evicted itself, or the one that pays as much.
    let before = node.pool.len();
    let tx = large(&mut node, 12_000);
    match node.try_accept(&tx) {
        Ok(_) => assert!(node.has(&tx)),
        Err(rejection) => {
            assert_eq!(rejection.error.reject_reason(), "mempool full");
            assert_eq!(rejection.error.debug_message(), None);
            assert_eq!(rejection.error.verdict(), TransactionVerdict::Reconsiderable);
            let (rate, includes) = rejection.effective.unwrap();
            assert_eq!((rate.fee, rate.size, includes), (12_000, 10_000, vec![tx.compute_wtxid()]));
            assert!(!node.has(&tx));
        }
    }
    assert_eq!(node.pool.len(), before);
    assert_eq!(node.min_fee_per_kvb(), 1300);
}

#[test]
fn one_that_pays_least_is_told_that_the_pool_is_full() {
    let mut node = small_pool(10);
    let first = large(&mut node, 50_000);
    node.accept(&first);
    let (each, mut count) = (node.pool.memory(), 1);
    while node.pool.memory() + each <= 120_000 {
        let tx = large(&mut node, 50_000);
        node.accept(&tx);
        count += 1;
    }
    assert_eq!(node.min_fee_per_kvb(), 0);
    let low = large(&mut node, 10_000);
    node.events();
    let rejection = node.try_accept(&low).unwrap_err();
    assert_eq!(rejection.error.reject_reason(), "mempool full");
    assert_eq!(node.pool.len(), count);
    assert_eq!(node.min_fee_per_kvb(), 1100);
    // Whoever hears that it came hears that it went.
    let events = node.events();
    let [MempoolEvent::Added { sequence: added, .. }, MempoolEvent::Removed { reason, sequence: removed, .. }] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((*reason, *removed), (RemovalReason::SizeLimit, added + 1));
    node.refuse(&low, "mempool min fee not met", Some("10000 < 11000"));
}

/// Fills a small pool until it evicts.
fn filled() -> Node {
    let mut node = small_pool(10);
    while node.min_fee_per_kvb() == 0 {
        let tx = large(&mut node, 100_000);
        let _ = node.try_accept(&tx);
    }
    assert_eq!(node.min_fee_per_kvb(), 10_100);
    node
}

#[test]
fn the_minimum_falls_once_a_block_came() {
    let mut node = filled();
    node.wait(100 * 60 * 60);
    assert_eq!(node.min_fee_per_kvb(), 10_100, "no block made room");
    node.mine(&[]);
    let halflife = 12 * 60 * 60;
    node.wait(halflife);
    assert_eq!(node.min_fee_per_kvb(), 5050);
    node.mine_pool();
    assert!(node.pool.is_empty());
    // An empty pool forgets four times as fast.
    node.wait(halflife / 4);
    assert_eq!(node.min_fee_per_kvb(), 2525);
    node.wait(halflife);
    assert_eq!(node.min_fee_per_kvb(), 158);
    node.wait(halflife / 4);
    assert_eq!(node.min_fee_per_kvb(), 100, "never less than the step");
    node.wait(halflife / 4);
    assert_eq!(node.min_fee_per_kvb(), 0);
    let tx = padded(spend(&[node.coin()], 1000), 10_000);
    node.accept(&tx);
}

/// Blocks come every ten minutes, and nothing gets in between. The minimum has to fall all the same.
#[test]
fn blocks_do_not_hold_the_minimum_up() {
    let mut node = filled();
    for _ in 0..=72 {
        node.mine(&[]);
        node.wait(600);
    }
    let minimum = node.min_fee_per_kvb();
    assert!((4900..5150).contains(&minimum), "12 hours and 10 minutes later it is {minimum}");
}

/// Only what came alone, has no parents here and paid for its place while the chain was current says what fees buy.
#[test]
fn what_estimates_learn_from() {
    let mut node = Node::new();
    let tracked = |node: &Node| node.pool.fee_estimator().tracked_transactions();
    assert_eq!(u64::from(node.pool.fee_estimator().best_seen_height()), 103);
    let coin = node.coin();
    let parent = spend(&[coin], 100);
    node.accept(&parent);
    assert_eq!(tracked(&node), 1);
    node.accept(&spend(&[coin_of(&parent)], 100));
    assert_eq!(tracked(&node), 1, "a child");
    let alone = spend(&[node.coin()], 100);
    assert!(node.submit_package(&[&alone], None).error.is_none());
    assert_eq!(tracked(&node), 1, "of a package");
    node.accept(&spend(&[coin], 1000));
    assert_eq!(tracked(&node), 1, "one replaced the other");
    node.wait(3 * 60 * 60);
    let current = spend(&[node.coin()], 100);
    node.accept(&current);
    assert_eq!(tracked(&node), 2, "exactly as old as the tip may be");
    node.wait(1);
    let stale = spend(&[node.coin()], 100);
    node.accept(&stale);
    assert_eq!(tracked(&node), 2, "the tip is too old");
    let block = node.mine_pool();
    assert_eq!(tracked(&node), 0);
    node.invalidate(&block.hash());
    assert_eq!((node.pool.len(), tracked(&node)), (4, 0), "they come back from a block");
}
