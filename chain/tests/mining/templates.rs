//! What is in a template.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, ScriptBuf, Sequence, Witness};
use cairn_chain::mempool::FeeRate;
use cairn_chain::mining::{TemplateError, TemplateLimits, TemplateOptions, create_block_template};
use cairn_chain::params::ChainParams;
use cairn_chain::params::{ActivationOverride, Deployment, RegtestOptions};

use crate::miner::{Miner, SUBSIDY, anyone, output, padding, pay, regtest, spend, txids};

#[test]
fn an_empty_pool_gives_a_block_with_nothing_but_a_coinbase() {
    let mut miner = Miner::new(regtest());
    let template = miner.template();
    let genesis = regtest().genesis;
    assert_eq!((template.height, template.previous_block), (1, genesis.hash));
    assert_eq!(template.coinbase.reward.to_sat(), SUBSIDY);
    assert_eq!((template.weight, template.sigop_cost, template.fees()), (8000, 400, Amount::ZERO));
    assert!(template.transactions.is_empty() && template.dependencies().is_empty());
    assert_eq!(u64::from(template.time()), miner.now);
    assert_eq!(template.bits(), genesis.header.bits);
    assert_eq!(template.next.minimum_time(), genesis.header.time + 1);
    assert_eq!(template.long_poll_id(), format!("{}{}", genesis.hash, miner.pool.updates()));
    assert_eq!(template.target().to_compact(), genesis.header.bits);

    let block = template.block();
    let read: bitcoin::Block = encode::deserialize(block.bytes()).unwrap();
    assert_eq!(read.header, template.header());
    assert!(read.check_merkle_root() && read.check_witness_commitment());
    assert_eq!(read.txdata[0].input[0].script_sig.as_bytes(), [0x51, 0]);
    assert_eq!(read.txdata[0].lock_time.to_consensus_u32(), 0);
    miner.mine(template);
    assert_eq!(miner.template().coinbase.lock_time, 1);
}

#[test]
fn children_pay_for_their_parents() {
    let mut miner = Miner::with_coins(3);
    let parent = pay(miner.coinbases[0], 1000);
    let medium = pay(miner.coinbases[1], 10_000);
    let child = pay(output(&parent, 0), 50_000);
    for transaction in [&parent, &medium, &child] {
        miner.accept(transaction);
    }
    let template = miner.template();
    let expected = [&parent, &child, &medium].map(bitcoin::Transaction::compute_txid);
    assert_eq!(txids(&template), expected);
    let size = |transaction: &bitcoin::Transaction| transaction.vsize() as u64;
    let chunks = [FeeRate::new(51_000, size(&parent) + size(&child)), FeeRate::new(10_000, size(&medium))];
    assert_eq!(template.chunk_fee_rates, chunks);
    assert_eq!(template.dependencies(), [vec![], vec![1], vec![]]);
    assert_eq!(template.coinbase.reward.to_sat(), SUBSIDY + 61_000);
    let fees: Vec<u64> = template.transactions.iter().map(|transaction| transaction.fee.to_sat()).collect();
    assert_eq!((fees, template.fees().to_sat()), (vec![1000, 50_000, 10_000], 61_000));
    let weight: u64 = [&parent, &medium, &child].map(|transaction| transaction.weight().to_wu()).iter().sum();
    assert_eq!(template.weight as u64, 8000 + weight);
    let block = miner.mine(template);
    assert_eq!(block.transactions().len(), 4);
    assert!(miner.pool.is_empty());
}

#[test]
fn what_the_operator_pretends_decides_and_what_is_paid_is_collected() {
    let mut miner = Miner::with_coins(2);
    let (poor, rich) = (pay(miner.coinbases[0], 100), pay(miner.coinbases[1], 10_000));
    let (poor, rich) = (miner.accept(&poor), miner.accept(&rich));
    miner.pool.prioritise_transaction(poor, 20_000);
    let template = miner.template();
    assert_eq!(txids(&template), [poor, rich]);
    assert_eq!(template.coinbase.reward.to_sat(), SUBSIDY + 10_100);
    miner.pool.prioritise_transaction(rich, -10_000);
    assert_eq!(txids(&miner.template()), [poor], "it pays nothing, and one satoshi is the least");
}

#[test]
fn chunks_below_the_minimum_are_left_out() {
    let mut miner = Miner::with_coins(2);
    // A parent that pays nothing and a child of the same size that pays for both, or not quite.
    let parent = pay(miner.coinbases[0], 0);
    miner.accept(&parent);
    let both = 2 * parent.vsize() as u64;
    let options = |fee| TemplateOptions { block_min_fee_rate: FeeRate::new(fee, both), ..TemplateOptions::default() };
    let child = pay(output(&parent, 0), 1000);
    let txid = miner.accept(&child);
    assert_eq!(txids(&miner.template_with(&options(1000))), [parent.compute_txid(), txid]);
    assert!(miner.template_with(&options(1001)).transactions.is_empty());
    let nothing = TemplateOptions { use_mempool: false, ..TemplateOptions::default() };
    assert!(miner.template_with(&nothing).transactions.is_empty());
}

#[test]
fn dependencies_are_told_for_each_input() {
    let mut miner = Miner::with_coins(2);
    let coin = miner.coinbases[0];
    let parent = spend(&[coin], &[(coin.satoshis / 2, anyone()), (coin.satoshis / 2 - 1000, anyone())]);
    let both = [output(&parent, 1), output(&parent, 0), miner.coinbases[1]];
    let child = spend(&both, &[(1_000_000, anyone())]);
    miner.accept(&parent);
    miner.accept(&child);
    assert_eq!(miner.template().dependencies(), [vec![], vec![1, 1]]);
}

#[test]
fn transactions_that_are_not_final_any_more_wait() {
    let mut miner = Miner::with_coins(2);
    let mut locked = pay(miner.coinbases[0], 1000);
    // Final in the next block, and only there.
    locked.lock_time = LockTime::from_height(miner.chain.tip().height).unwrap();
    locked.input[0].sequence = Sequence::ZERO;
    let child = pay(output(&locked, 0), 100_000);
    let other = pay(miner.coinbases[1], 10);
    for transaction in [&locked, &child, &other] {
        miner.accept(transaction);
    }
    assert_eq!(miner.template().transactions.len(), 3);
    // The tip goes, and nobody tells the pool.
    let tip = miner.chain.tip().hash;
    miner.chain.invalidate_block(&tip).unwrap();
    assert_eq!(txids(&miner.template()), [other.compute_txid()]);
}

/// Puts a transaction into the pool, and another that spends it with a witness.
fn accept_child_with_witness(miner: &mut Miner) {
    let coin = miner.coinbases[0];
    let witness_script = anyone();
    let funding = spend(&[coin], &[(coin.satoshis - 1000, witness_script.to_p2wsh())]);
    miner.accept(&funding);
    let mut child = pay(output(&funding, 0), 5000);
    child.input[0].witness = Witness::from_slice(&[witness_script.as_bytes()]);
    miner.accept(&child);
}

#[test]
fn the_commitment_is_to_all_witnesses() {
    let mut miner = Miner::with_coins(2);
    accept_child_with_witness(&mut miner);
    let template = miner.template();
    let block: bitcoin::Block = encode::deserialize(&template.block_bytes()).unwrap();
    assert!(block.check_witness_commitment() && block.check_merkle_root());
    let root = block.witness_root().unwrap();
    let commitment = bitcoin::Block::compute_witness_commitment(&root, &[0; 32]);
    let script =
        ScriptBuf::from_bytes([&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], commitment.as_byte_array()].concat());
    assert_eq!(template.coinbase.witness_commitment, script);
    assert_eq!(block.txdata[0].output[1].script_pubkey, script);
    assert_eq!(block.txdata[0].input[0].witness.to_vec(), [[0; 32]]);
    miner.mine(template);
}

#[test]
fn transactions_can_be_chosen_by_hand() {
    let mut miner = Miner::with_coins(2);
    let transactions = [pay(miner.coinbases[0], 1000), pay(miner.coinbases[1], 2000)];
    let mut template = miner.template();
    let commitment = template.coinbase.witness_commitment.clone();
    let decoded = |transaction: &bitcoin::Transaction| {
        std::sync::Arc::new(cairn_chain::primitives::Transaction::decode(encode::serialize(transaction)).unwrap())
    };
    template.replace_transactions(transactions.iter().map(decoded).collect());
    assert_ne!(template.coinbase.witness_commitment, commitment);
    assert_eq!(template.coinbase.reward.to_sat(), SUBSIDY, "their fees are not collected");
    assert_eq!(miner.mine(template).transactions().len(), 3);
}

#[test]
fn before_segwit_witnesses_wait() {
    let activation = ActivationOverride { deployment: Deployment::Segwit, height: 104 };
    let params = ChainParams::regtest(RegtestOptions { activation_heights: vec![activation], enforce_bip94: false });
    let mut miner = Miner::new(params);
    miner.mine_empty(101);
    accept_child_with_witness(&mut miner);

    let template = miner.template();
    assert_eq!(template.height, 102);
    assert!(template.transactions.is_empty(), "the parent is in one chunk with its child");
    assert_eq!(template.coinbase.witness, None);
    assert_eq!(template.rules().rules, ["csv"]);
    assert_eq!(template.limits(), TemplateLimits { sigops: 20_000, size: 1_000_000, weight: None });
    assert_eq!(template.sigops(400), 100);
    miner.mine(template);
    miner.mine(miner.template());
    let template = miner.template();
    assert_eq!((template.height, template.transactions.len()), (104, 2));
    assert_eq!(template.rules().rules, ["csv", "!segwit", "taproot"]);
    assert_eq!(template.limits(), TemplateLimits { sigops: 80_000, size: 4_000_000, weight: Some(4_000_000) });
    miner.mine(template);
}

#[test]
fn options_are_checked_and_so_is_the_block() {
    let miner = Miner::with_coins(1);
    let template = |options: &TemplateOptions| create_block_template(&miner.chain, &miner.pool, options);
    let options = TemplateOptions { block_reserved_weight: 1999, ..TemplateOptions::default() };
    assert!(matches!(template(&options), Err(TemplateError::Options(_))));
    // Nobody keeps a miner from paying a script that is too large; only the block is.
    let options = TemplateOptions { coinbase_script: padding(1_000_000), ..TemplateOptions::default() };
    let error = template(&options).unwrap_err();
    assert_eq!(error.to_string(), "TestBlockValidity failed: bad-blk-length");
    let options = TemplateOptions { test_block_validity: false, ..options };
    assert!(template(&options).unwrap().block_bytes().len() > 1_000_000);
    let options = TemplateOptions { block_version: Some(3), ..TemplateOptions::default() };
    let error = template(&options).unwrap_err();
    assert_eq!(error.to_string(), "TestBlockValidity failed: bad-version(0x00000003)");
    let options = TemplateOptions { block_version: Some(0x2000_0001), ..TemplateOptions::default() };
    assert_eq!(template(&options).unwrap().header().version.to_consensus(), 0x2000_0001);
}
