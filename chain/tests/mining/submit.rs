//! What miners are answered.

use std::sync::Arc;

use bitcoin::consensus::encode;
use bitcoin::{Amount, Witness};
use cairn_chain::mining::{TemplateOptions, submit_block, update_uncommitted_block_structures};
use cairn_chain::params::{ActivationOverride, ChainParams, Deployment, RegtestOptions};
use cairn_chain::primitives::Block;

use crate::miner::{Miner, pay, regtest, solve};

/// Finds a nonce for what a test changed.
fn mined(block: &bitcoin::Block) -> Arc<Block> {
    let mut block = block.clone();
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    decoded(&block)
}

fn decoded(block: &bitcoin::Block) -> Arc<Block> {
    Arc::new(Block::decode(encode::serialize(block)).unwrap())
}

fn submit(miner: &mut Miner, block: &Arc<Block>) -> Option<String> {
    submit_block(&mut miner.chain, Arc::clone(block)).unwrap()
}

/// What rust-bitcoin makes of a block.
fn read(block: &Block) -> bitcoin::Block {
    encode::deserialize(block.bytes()).unwrap()
}

#[test]
fn a_block_is_taken_once() {
    let mut miner = Miner::with_coins(1);
    miner.accept(&pay(miner.coinbases[0], 1000));
    let block = solve(miner.template());
    assert_eq!(submit(&mut miner, &block), None);
    assert_eq!(miner.chain.tip().hash, block.hash());
    assert_eq!(submit(&mut miner, &block).as_deref(), Some("duplicate"));
    miner.chain.invalidate_block(&block.hash()).unwrap();
    assert_eq!(submit(&mut miner, &block).as_deref(), Some("duplicate-invalid"));
}

#[test]
fn a_block_beside_the_tip_is_inconclusive() {
    let mut miner = Miner::new(regtest());
    miner.mine_empty(2);
    let block = solve(miner.template());
    let options = TemplateOptions { coinbase_script: crate::miner::padding(1), ..TemplateOptions::default() };
    let sibling = solve(miner.template_with(&options));
    assert_eq!(submit(&mut miner, &block), None);
    assert_eq!(submit(&mut miner, &sibling).as_deref(), Some("inconclusive"));
    assert_eq!(submit(&mut miner, &sibling).as_deref(), Some("duplicate"));
}

#[test]
fn a_block_that_breaks_a_rule_is_told_which() {
    let mut miner = Miner::new(regtest());
    miner.mine_empty(2);
    let good = read(&miner.template().block());
    let mut greedy = good.clone();
    greedy.txdata[0].output[0].value += Amount::from_sat(1);
    let greedy = mined(&greedy);
    assert_eq!(submit(&mut miner, &greedy).as_deref(), Some("bad-cb-amount"));
    assert_eq!(submit(&mut miner, &greedy).as_deref(), Some("duplicate-invalid"));
    let mut orphan = good.clone();
    orphan.header.prev_blockhash = bitcoin::hashes::Hash::from_byte_array([7; 32]);
    assert_eq!(submit(&mut miner, &mined(&orphan)).as_deref(), Some("prev-blk-not-found"));
    let mut unmined = good.clone();
    while unmined.header.validate_pow(unmined.header.target()).is_ok() {
        unmined.header.nonce += 1;
    }
    let unmined = decoded(&unmined);
    assert_eq!(submit(&mut miner, &unmined).as_deref(), Some("high-hash"));
}

#[test]
fn the_witness_of_the_coinbase_is_added_where_it_is_missing() {
    let mut miner = Miner::with_coins(1);
    miner.accept(&pay(miner.coinbases[0], 1000));
    let whole = solve(miner.template());
    let mut bare = read(&whole);
    bare.txdata[0].input[0].witness = Witness::new();
    let bare = decoded(&bare);
    assert_eq!(bare.total_size() + 36, whole.total_size());
    assert_eq!(update_uncommitted_block_structures(&miner.chain, bare.clone()), whole);
    assert_eq!(update_uncommitted_block_structures(&miner.chain, whole.clone()), whole, "there is one");

    // There is nothing to add without a commitment, and none is added on top of a block nobody knows.
    let mut uncommitted = read(&bare);
    uncommitted.txdata[0].output.pop();
    let uncommitted = mined(&uncommitted);
    assert_eq!(update_uncommitted_block_structures(&miner.chain, uncommitted.clone()), uncommitted);
    let mut orphan = read(&bare);
    orphan.header.prev_blockhash = bitcoin::hashes::Hash::from_byte_array([7; 32]);
    let orphan = mined(&orphan);
    assert_eq!(update_uncommitted_block_structures(&miner.chain, orphan.clone()), orphan);

    // Something that is no coinbase is still put together as it should be; it does not have to make sense.
    let mut odd = read(&bare);
    let input = odd.txdata[0].input[0].clone();
    odd.txdata[0].input.extend([input.clone(), input]);
    let odd = update_uncommitted_block_structures(&miner.chain, mined(&odd));
    let witnesses: Vec<_> = read(&odd).txdata[0].input.iter().map(|input| input.witness.len()).collect();
    assert_eq!(witnesses, [1, 0, 0]);

    assert_eq!(submit(&mut miner, &bare), None);
    assert_eq!(miner.chain.block(&whole.hash()).unwrap(), *whole);
}

#[test]
fn before_segwit_no_witness_is_added() {
    let activation = ActivationOverride { deployment: Deployment::Segwit, height: 3 };
    let params = ChainParams::regtest(RegtestOptions { activation_heights: vec![activation], enforce_bip94: false });
    let mut miner = Miner::new(params);
    miner.mine_empty(1);
    let second = solve(miner.template());
    assert!(!second.transaction(0).unwrap().has_witness());
    assert_eq!(update_uncommitted_block_structures(&miner.chain, second.clone()), second);
    miner.connect(second);
    let mut third = read(&solve(miner.template()));
    assert_eq!(third.txdata[0].input[0].witness.len(), 1);
    third.txdata[0].input[0].witness = Witness::new();
    assert_eq!(submit(&mut miner, &mined(&third)), None);
}
