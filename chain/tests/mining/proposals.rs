//! Blocks that are only looked at.

use std::sync::Arc;

use bitcoin::consensus::encode;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, OutPoint, ScriptBuf, Txid, Witness};
use cairn_chain::chainstate::ProposalError;
use cairn_chain::mining::{TemplateOptions, propose_block};
use cairn_chain::validation::{ProposalChecks, block_script_flags};

use crate::miner::{Coin, Miner, anyone, output, pay, solve, spend};

const UNFINISHED: ProposalChecks = ProposalChecks { proof_of_work: false, merkle_root: false };
const WITHOUT_WORK: ProposalChecks = ProposalChecks { proof_of_work: false, merkle_root: true };
const FINISHED: ProposalChecks = ProposalChecks { proof_of_work: true, merkle_root: true };

/// Why a block cannot be the next one.
fn reason(miner: &Miner, block: &Block, checks: ProposalChecks) -> Option<String> {
    let outcome = miner.chain.test_block_validity(decoded(block), checks).unwrap();
    outcome.err().map(|error: ProposalError| error.reject_reason().into_owned())
}

/// What a proposal of a block is answered.
fn propose(miner: &Miner, block: &Block) -> Option<String> {
    propose_block(&miner.chain, decoded(block)).unwrap()
}

fn decoded(block: &Block) -> Arc<cairn_chain::primitives::Block> {
    Arc::new(cairn_chain::primitives::Block::decode(encode::serialize(block)).unwrap())
}

/// Makes the header and the coinbase commit to the transactions.
fn commit(block: &mut Block) {
    let root = block.witness_root().unwrap();
    let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], commitment.as_byte_array()].concat();
    block.txdata[0].output[1].script_pubkey = ScriptBuf::from_bytes(script);
    block.header.merkle_root = block.compute_merkle_root().unwrap();
}

/// A miner with two coins, and a block that spends one.
fn proposal() -> (Miner, Block) {
    let mut miner = Miner::with_coins(3);
    miner.accept(&pay(miner.coinbases[0], 1000));
    let block = encode::deserialize(&miner.template().block_bytes()).unwrap();
    (miner, block)
}

#[test]
fn nothing_changes_whatever_the_outcome() {
    let (mut miner, good) = proposal();
    let before = miner.state();
    let stored = miner.chain.status().unwrap().block_bytes;
    let mut bad = good.clone();
    bad.txdata[0].output[0].value += Amount::from_sat(1);
    commit(&mut bad);
    let mut missing = good.clone();
    missing.txdata.push(pay(miner.coinbases[0], 5));
    commit(&mut missing);
    for _ in 0..3 {
        assert_eq!(propose(&miner, &good), None);
        assert_eq!(propose(&miner, &bad).as_deref(), Some("bad-cb-amount"));
        assert_eq!(propose(&miner, &missing).as_deref(), Some("bad-txns-inputs-missingorspent"));
    }
    assert!(before.4.iter().all(|event| matches!(event, cairn_chain::chainstate::ChainEvent::TipChanged { .. })));
    let after = miner.state();
    assert_eq!((before.0, before.1, before.2, before.3), (after.0, after.1, after.2, after.3));
    assert!(after.4.is_empty(), "nobody is told");
    assert_eq!(miner.chain.status().unwrap().block_bytes, stored);
    assert!(miner.chain.lookup(&good.block_hash()).is_none());
    assert!(miner.chain.fault().is_none());
    miner.mine(miner.template());
}

#[test]
fn what_was_verified_is_still_known() {
    let (mut miner, block) = proposal();
    let flags = block_script_flags(104, &block.block_hash(), &miner.chain.params().consensus);
    let wtxid = block.txdata[1].compute_wtxid();
    let is_known = |miner: &Miner| miner.chain.validation_cache().scripts.contains(&wtxid, flags, false);
    assert!(is_known(&miner));
    assert_eq!(propose(&miner, &block), None);
    assert!(is_known(&miner), "the block comes again when it is mined");
    miner.mine(miner.template());
}

#[test]
fn blocks_that_are_known_are_duplicates() {
    let (mut miner, block) = proposal();
    let params = miner.chain.params().clone();
    let genesis: Block = encode::deserialize(&params.genesis.block).unwrap();
    assert_eq!(propose(&miner, &genesis).as_deref(), Some("duplicate-inconclusive"), "genesis is never connected");
    let template = miner.template();
    let mined: Block = encode::deserialize(miner.mine(template).bytes()).unwrap();
    assert_eq!(propose(&miner, &mined).as_deref(), Some("duplicate"));
    assert_eq!(propose(&miner, &block).as_deref(), Some("inconclusive-not-best-prevblk"));

    // A block beside the tip is kept and never connected.
    let tip = miner.chain.tip().hash;
    miner.chain.invalidate_block(&tip).unwrap();
    assert_eq!(propose(&miner, &mined).as_deref(), Some("duplicate-invalid"));
    let options = TemplateOptions { use_mempool: false, ..TemplateOptions::default() };
    let beside = solve(miner.template_with(&options));
    miner.chain.reconsider_block(&tip).unwrap();
    miner.chain.process_new_block(Arc::clone(&beside), true).unwrap().unwrap();
    assert_eq!(miner.chain.tip().hash, tip);
    let answer = propose_block(&miner.chain, beside).unwrap();
    assert_eq!(answer.as_deref(), Some("duplicate-inconclusive"));
}

#[test]
fn broken_rules_are_named_in_core_s_words() {
    type Break = fn(&mut Block);
    let cases: [(&str, Break); 14] = [
        ("bad-txnmrklroot", |block| block.header.merkle_root = Hash::all_zeros()),
        ("bad-diffbits", |block| block.header.bits = bitcoin::CompactTarget::from_consensus(0x207f_fffe)),
        ("time-too-old", |block| block.header.time -= 20_000),
        ("time-too-new", |block| block.header.time += 8000),
        ("bad-version(0x00000001)", |block| block.header.version = bitcoin::block::Version::ONE),
        ("bad-cb-multiple", |block| {
            block.txdata.push(block.txdata[0].clone());
            commit(block);
        }),
        ("bad-cb-missing", |block| {
            block.txdata.remove(0);
            block.header.merkle_root = block.compute_merkle_root().unwrap();
        }),
        ("bad-cb-height", |block| {
            block.txdata[0].input[0].script_sig = ScriptBuf::from_bytes(vec![1, 1]);
            commit(block);
        }),
        ("bad-txns-inputs-duplicate", |block| {
            let input = block.txdata[1].input[0].clone();
            block.txdata[1].input.push(input);
            commit(block);
        }),
        ("bad-witness-nonce-size", |block| block.txdata[0].input[0].witness = Witness::from_slice(&[[0; 31]])),
        ("bad-witness-merkle-match", |block| {
            let output = &mut block.txdata[0].output[1];
            let mut script = output.script_pubkey.to_bytes();
            script[20] ^= 1;
            output.script_pubkey = ScriptBuf::from_bytes(script);
            block.header.merkle_root = block.compute_merkle_root().unwrap();
        }),
        ("unexpected-witness", |block| {
            block.txdata[0].output.pop();
            block.header.merkle_root = block.compute_merkle_root().unwrap();
        }),
        ("bad-txns-in-belowout", |block| {
            block.txdata[1].output[0].value += Amount::from_sat(2000);
            commit(block);
        }),
        ("bad-txns-nonfinal", |block| {
            block.txdata[1].input[0].sequence = bitcoin::Sequence::from_height(200);
            commit(block);
        }),
    ];
    let (mut miner, good) = proposal();
    let before = miner.state();
    for (expected, break_block) in cases {
        let mut block = good.clone();
        break_block(&mut block);
        assert_eq!(reason(&miner, &block, WITHOUT_WORK).as_deref(), Some(expected));
    }
    assert_eq!(miner.state().2, before.2);
}

#[test]
fn scripts_are_run() {
    let (mut miner, mut block) = proposal();
    let nobody = ScriptBuf::from_bytes(vec![0x00]);
    let parent = spend(&[miner.coinbases[1]], &[(1000, nobody)]);
    let child = spend(&[output(&parent, 0)], &[(1000, anyone())]);
    block.txdata.extend([parent, child]);
    commit(&mut block);
    let before = miner.state();
    assert_eq!(
        reason(&miner, &block, WITHOUT_WORK).as_deref(),
        Some(
            "block-script-verify-flag-failed (Script evaluated without error but finished with a false/empty top stack element)"
        )
    );
    assert_eq!(miner.state().2, before.2);
}

#[test]
fn what_is_not_finished_need_not_be_right() {
    let (miner, mut block) = proposal();
    // A nonce that is no proof of work.
    while block.header.validate_pow(block.header.target()).is_ok() {
        block.header.nonce += 1;
    }
    assert_eq!(reason(&miner, &block, FINISHED).as_deref(), Some("high-hash"));
    assert_eq!(reason(&miner, &block, WITHOUT_WORK), None);
    block.header.merkle_root = Hash::all_zeros();
    assert_eq!(reason(&miner, &block, WITHOUT_WORK).as_deref(), Some("bad-txnmrklroot"));
    assert_eq!(reason(&miner, &block, UNFINISHED), None);
    let finished = solve(miner.template());
    let outcome = miner.chain.test_block_validity(finished, FINISHED).unwrap();
    assert!(outcome.is_ok());
}

#[test]
fn a_spend_of_nothing_is_noticed_wherever_it_stands() {
    let (miner, good) = proposal();
    let nowhere = Coin { outpoint: OutPoint { txid: Txid::from_byte_array([7; 32]), vout: 0 }, satoshis: 5000 };
    // A child before its parent.
    let parent = pay(miner.coinbases[1], 1000);
    let child = pay(output(&parent, 0), 1000);
    for transactions in [vec![pay(nowhere, 1)], vec![child, parent]] {
        let mut block = good.clone();
        block.txdata.extend(transactions);
        commit(&mut block);
        assert_eq!(propose(&miner, &block).as_deref(), Some("bad-txns-inputs-missingorspent"));
    }
}
