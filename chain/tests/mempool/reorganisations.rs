//! Blocks that leave the chain.

use std::time::{Duration, Instant};

use bitcoin::absolute::LockTime;
use bitcoin::{Sequence, Transaction};
use cairn_chain::mempool::{MempoolEvent, MempoolOptions, RemovalReason};

use crate::clusters::chain;
use crate::node::Node;
use crate::transactions::{coin_of, coins_of, padded, pay, spend, split};

#[test]
fn transactions_come_back_and_join_their_children() {
    let mut node = Node::new();
    let txs = chain(&mut node, 4, 100);
    let block = node.mine(&txs[..1]);
    node.mine(&txs[1..2]);
    node.accept(&txs[2]);
    node.accept(&txs[3]);
    node.invalidate(&block.hash());
    assert_eq!(node.pool.len(), 4);
    let last = node.pool.index_of(&txs[3].compute_txid()).unwrap();
    assert_eq!(node.pool.graph().ancestors(last).len(), 4);
    let sequence = |tx: &Transaction| node.pool.get(&tx.compute_txid()).unwrap().sequence;
    assert_eq!((sequence(&txs[0]), sequence(&txs[1])), (0, 0), "they stand before what was here all the time");
    assert!(sequence(&txs[2]) > 0);
    node.reconsider(&block.hash());
    assert_eq!(node.pool.len(), 2);
    node.mine_pool();
    assert!(node.pool.is_empty());
}

/// Fees do not matter for what was in a block, and neither does a minimum that rose since; what is dust or too large does.
#[test]
fn what_comes_back_may_be_free() {
    let mut node = Node::new();
    let free = spend(&[node.coin()], 0);
    let mut nonstandard = spend(&[node.coin()], 0);
    nonstandard.output[0].script_pubkey = bitcoin::ScriptBuf::from_bytes(vec![0x51]);
    let mut child = spend(&[coin_of(&nonstandard)], 100);
    child.input[0].witness.clear();
    let block = node.mine(&[free.clone(), nonstandard, child]);
    node.invalidate(&block.hash());
    assert!(node.has(&free) && node.pool.len() == 1);
}

/// A branch takes over that holds some of the transactions of the old one, and conflicts with another.
#[test]
fn a_better_branch() {
    let mut node = Node::new();
    let fork = node.chain.tip().hash;
    let coins = node.coins(3);
    let both = split(&coins[..1], 2, 100);
    let lost = spend(&coins[1..2], 100);
    let back = spend(&coins[2..], 100);
    let old = node.mine(&[both.clone(), lost.clone(), back.clone()]);
    let children = [
        spend(&[coins_of(&both)[0]], 1000),
        spend(&[coin_of(&lost)], 1000),
        spend(&[coin_of(&back), coins_of(&both)[1]], 1000),
    ];
    children.iter().for_each(|child| drop(node.accept(child)));
    let conflict = pay(&coins[1..2], &[1_000_000]);
    let one = node.mine_on(fork, &[both.clone(), conflict.clone()]);
    assert_eq!(node.chain.tip().hash, old.hash());
    node.events();
    node.mine_on(one.hash(), &[]);
    assert_ne!(node.chain.tip().hash, old.hash());
    // What both branches confirm is confirmed, and its children have nothing to fear.
    assert!(!node.has(&both) && node.has(&children[0]), "a child of what is on both branches");
    assert!(!node.has(&lost) && !node.has(&children[1]), "a child of what the new branch makes impossible");
    assert!(node.has(&back) && node.has(&children[2]), "a child of what comes back");
    assert_eq!(node.pool.len(), 3);
    let gone = |event: &MempoolEvent| matches!(event, MempoolEvent::Removed { .. });
    let events = node.events();
    let [MempoolEvent::Removed { transaction, reason, .. }] = &events.into_iter().filter(gone).collect::<Vec<_>>()[..]
    else {
        panic!("one goes")
    };
    assert_eq!((transaction.as_ref().as_ref().txid(), *reason), (children[1].compute_txid(), RemovalReason::Reorg));
    node.mine_pool();
}

#[test]
fn a_coinbase_that_becomes_immature() {
    let mut node = Node::new();
    let coinbase = node.coinbase(4);
    // Height 104 is next, and just right.
    assert_eq!(node.chain.tip().height, 103);
    let spender = spend(&[coinbase], 100);
    node.accept(&spender);
    let child = spend(&[coin_of(&spender)], 100);
    node.accept(&child);
    node.mine(&[]);
    let tip = node.mine(&[]);
    node.invalidate(&tip.hash());
    assert!(node.has(&spender), "still deep enough");
    let below = node.chain.block_hash(103).unwrap();
    node.events();
    node.invalidate(&below);
    assert!(!node.has(&spender) && !node.has(&child));
    let reorg = |event: &MempoolEvent| matches!(event, MempoolEvent::Removed { reason: RemovalReason::Reorg, .. });
    assert!(node.events().iter().filter(|event| reorg(event)).count() >= 2);
}

#[test]
fn a_coinbase_that_is_no_more() {
    let mut node = Node::new();
    let block = node.mine(&[]);
    let coinbase = node.coinbase(104);
    for _ in 0..100 {
        node.mine(&[]);
    }
    let spender = spend(&[coinbase], 100);
    node.accept(&spender);
    let bystander = spend(&[node.coin()], 100);
    node.accept(&bystander);
    node.invalidate(&block.hash());
    assert!(!node.has(&spender) && node.has(&bystander));
}

#[test]
fn lock_times_that_are_no_longer_over() {
    let mut node = Node::new();
    let below = node.mine(&[]);
    node.mine(&[]);
    let height = node.chain.tip().height;
    let mut absolute = spend(&[node.coin()], 100);
    absolute.lock_time = LockTime::from_consensus(height);
    absolute.input[0].sequence = Sequence::ZERO;
    node.accept(&absolute);
    // The coins are of block 103, and the next block is three above it.
    let mut relative = spend(&[node.coin()], 100);
    relative.input[0].sequence = Sequence::from_height(u16::try_from(height + 1 - 103).unwrap());
    node.accept(&relative);
    let mut shorter = spend(&[node.coin()], 100);
    shorter.input[0].sequence = Sequence::from_height(1);
    node.accept(&shorter);
    // This one's parent leaves the chain, and a coin of the pool is never old enough.
    let parent = split(&[node.coin()], 2, 100);
    node.mine(std::slice::from_ref(&parent));
    let mut child = spend(&[coins_of(&parent)[0]], 100);
    child.input[0].sequence = Sequence::from_height(1);
    node.accept(&child);
    let free = spend(&[coins_of(&parent)[1]], 100);
    node.accept(&free);
    node.invalidate(&below.hash());
    for (tx, stays) in
        [(&absolute, false), (&relative, false), (&shorter, true), (&parent, true), (&child, false), (&free, true)]
    {
        assert_eq!(node.has(tx), stays);
    }
}

/// Lock points are computed again when the block that made a coin is another than before.
#[test]
fn lock_points_follow_their_coin() {
    let mut node = Node::new();
    let fork = node.chain.tip().hash;
    let parent = spend(&[node.coin()], 100);
    let old = node.mine(std::slice::from_ref(&parent));
    let mut child = spend(&[coin_of(&parent)], 100);
    child.input[0].sequence = Sequence::from_height(1);
    node.accept(&child);
    let before = node.pool.get(&child.compute_txid()).unwrap().lock_points;
    assert_eq!(before.highest_input_block.hash, old.hash());
    let one = node.mine_on(fork, &[]);
    let two = node.mine_on(one.hash(), &[parent]);
    let after = node.pool.get(&child.compute_txid()).unwrap().lock_points;
    assert_eq!(after.highest_input_block.hash, two.hash());
    assert_eq!(after.locks.height, before.locks.height + 1);
}

#[test]
fn clusters_that_come_back_too_large_are_trimmed() {
    let mut node = Node::new();
    let confirmed = chain(&mut node, 40, 100);
    let block = node.mine(&confirmed);
    let mut tip = coin_of(&confirmed[39]);
    let mut pooled = Vec::new();
    for _ in 0..40 {
        let tx = spend(&[tip], 1000);
        tip = coin_of(&tx);
        node.accept(&tx);
        pooled.push(tx);
    }
    node.events();
    node.invalidate(&block.hash());
    assert_eq!(node.pool.len(), 64);
    assert!(confirmed.iter().all(|tx| node.has(tx)) && node.has(&pooled[23]) && !node.has(&pooled[24]));
    let trimmed =
        |event: &MempoolEvent| matches!(event, MempoolEvent::Removed { reason: RemovalReason::SizeLimit, .. });
    assert_eq!(node.events().iter().filter(|event| trimmed(event)).count(), 16);
}

#[test]
fn what_comes_back_must_fit_the_memory() {
    let mut node = Node::with(MempoolOptions { max_bytes: 120_000, ..MempoolOptions::default() });
    let large: Vec<_> = (0..30u64).map(|number| padded(spend(&[node.coin()], 20_000 + number), 10_000)).collect();
    let block = node.mine(&large);
    node.invalidate(&block.hash());
    assert!(node.pool.memory() <= 120_000);
    let count = node.pool.len();
    assert!((8..=12).contains(&count), "{count}");
    assert!(large[30 - count..].iter().all(|tx| node.has(tx)), "what pays most");
    assert!(node.min_fee_per_kvb() > 2000);
}

/// However deep a reorganisation is, what comes back takes no more than 20 megabytes; what depends on the rest goes.
#[test]
fn no_more_than_20_megabytes_come_back() {
    let mut node = Node::new();
    let mut blocks = Vec::new();
    let mut confirmed = Vec::new();
    for _ in 0..24 {
        let txs: Vec<_> = node.coins(9).iter().map(|coin| padded(spend(&[*coin], 20_000), 99_000)).collect();
        blocks.push(node.mine(&txs).hash());
        confirmed.extend(txs);
    }
    let last = spend(&[coin_of(confirmed.last().unwrap())], 1000);
    node.accept(&last);
    node.invalidate(&blocks[0]);
    let back = confirmed.iter().filter(|tx| node.has(tx)).count();
    assert!((195..=203).contains(&back), "{back}");
    assert!(confirmed[..back].iter().all(|tx| node.has(tx)), "the oldest, whose coins are there");
    assert!(!node.has(&last));
}

#[test]
fn thousands_come_back_quickly() {
    let mut node = Node::new();
    let mut first = None;
    let mut coins = node.coins(200);
    let (mut count, mut pooled) = (0, 0);
    for round in 0..20 {
        let txs: Vec<_> = coins.iter().map(|coin| spend(&[*coin], 100)).collect();
        coins = txs.iter().map(coin_of).collect();
        if round < 15 {
            let block = node.mine(&txs);
            first.get_or_insert(block.hash());
            count += txs.len();
        } else {
            for tx in &txs {
                node.pool.accept(&node.chain, crate::transactions::ours(tx)).unwrap();
            }
            pooled += txs.len();
        }
    }
    assert_eq!((count, pooled), (3000, 1000));
    node.chain.invalidate_block(&first.unwrap()).unwrap();
    let start = Instant::now();
    let before = node.pool.len();
    node.follow();
    let took = start.elapsed();
    assert_eq!((before, node.pool.len()), (1000, 4000));
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(node.pool.total_fee(), 400_000);
}
