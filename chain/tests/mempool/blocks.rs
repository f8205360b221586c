//! Blocks that connect.

use bitcoin::hashes::Hash;
use bitcoin::{Transaction, Witness};
use cairn_chain::mempool::{MempoolEvent, RemovalReason};
use cairn_chain::validation::block_script_flags;

use crate::node::Node;
use crate::transactions::{Coin, coin_of, coins_of, spend, split};

/// What left and why, by txid.
fn removed(events: Vec<MempoolEvent>) -> Vec<(bitcoin::Txid, RemovalReason)> {
    let removed = |event| match event {
        MempoolEvent::Removed { transaction, reason, .. } => Some((transaction.as_ref().as_ref().txid(), reason)),
        MempoolEvent::Added { .. } => None,
    };
    events.into_iter().filter_map(removed).collect()
}

#[test]
fn what_is_confirmed_leaves_and_its_children_stay() {
    let mut node = Node::new();
    let parent = split(&[node.coin()], 2, 100);
    let child = spend(&[coins_of(&parent)[0]], 100);
    let grandchild = spend(&[coin_of(&child), coins_of(&parent)[1]], 200);
    [&parent, &child, &grandchild].into_iter().for_each(|tx| drop(node.accept(tx)));
    node.pool.add_unbroadcast(parent.compute_txid());
    node.pool.add_unbroadcast(child.compute_txid());
    node.events();
    node.mine(std::slice::from_ref(&parent));
    assert!(!node.has(&parent) && node.has(&child) && node.has(&grandchild));
    assert_eq!(removed(node.events()), [(parent.compute_txid(), RemovalReason::Block)]);
    assert_eq!(node.pool.unbroadcast().copied().collect::<Vec<_>>(), [child.compute_txid()]);
    node.mine(&[child, grandchild]);
    assert!(node.pool.is_empty() && node.pool.graph().is_empty());
    assert_eq!((node.pool.virtual_bytes(), node.pool.total_fee(), node.pool.memory()), (0, 0, 0));
}

#[test]
fn what_a_block_conflicts_with_leaves_with_its_descendants() {
    let mut node = Node::new();
    let (coin, other) = (node.coin(), node.coin());
    let loser = spend(&[coin], 100);
    let child = spend(&[coin_of(&loser), other], 200);
    let bystander = spend(&[node.coin()], 100);
    [&loser, &child, &bystander].into_iter().for_each(|tx| drop(node.accept(tx)));
    node.events();
    node.mine(&[spend(&[coin], 7)]);
    assert_eq!(
        removed(node.events()),
        [(loser.compute_txid(), RemovalReason::Conflict), (child.compute_txid(), RemovalReason::Conflict)]
    );
    assert!(node.has(&bystander));
    node.accept(&spend(&[other], 100));
}

/// A miner may take another witness than ours.
#[test]
fn another_witness_confirms_too() {
    let mut node = Node::new();
    let mut tx = spend(&[node.coin()], 100);
    let longer = bitcoin::ScriptBuf::from(vec![0x75, 0x51]); // DROP 1
    tx.output[0].script_pubkey = longer.to_p2wsh();
    node.accept(&tx);
    let mut child = spend(&[coin_of(&tx)], 100);
    child.input[0].witness = Witness::from_slice(&[&[1][..], longer.as_bytes()]);
    node.accept(&child);
    let mut mined = child.clone();
    mined.input[0].witness = Witness::from_slice(&[&[2][..], longer.as_bytes()]);
    assert_eq!(mined.compute_txid(), child.compute_txid());
    node.mine(&[tx, mined]);
    assert!(node.pool.is_empty());
}

#[test]
fn all_of_the_pool_fits_a_block() {
    let mut node = Node::new();
    let mut coins: Vec<Coin> = node.coins(10);
    for round in 0..12 {
        let (one, two) = (coins[round], coins[(round + 1 + round * 3) % coins.len()]);
        let tx = split(&[one, two], 3, 500 + 37 * round as u64);
        coins.retain(|coin| !tx.input.iter().any(|input| input.previous_output == coin.outpoint));
        coins.extend(coins_of(&tx));
        node.accept(&tx);
    }
    node.mine_pool();
    assert!(node.pool.is_empty());
}

/// What the pool verified no block verifies again: the block finds each transaction where the pool left it.
#[test]
fn what_was_verified_is_not_verified_again() {
    let mut node = Node::new();
    let txs: Vec<Transaction> = node.coins(50).iter().map(|coin| spend(&[*coin], 100)).collect();
    txs.iter().for_each(|tx| drop(node.accept(tx)));
    let height = node.chain.tip().height + 1;
    let flags = block_script_flags(height, &bitcoin::BlockHash::all_zeros(), &node.chain.params().consensus);
    let remembered = |node: &Node| {
        let scripts = &node.chain.validation_cache().scripts;
        txs.iter().filter(|tx| scripts.contains(&tx.compute_wtxid(), flags, false)).count()
    };
    assert_eq!(remembered(&node), txs.len());
    node.mine(&txs);
    assert_eq!(remembered(&node), 0, "the block found each, and nobody will ask again");
}
