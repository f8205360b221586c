//! The search for nonces.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use bitcoin::consensus::encode;
use cairn_chain::mining::{BlockTemplate, Mined, MiningJob, mine_block};
use cairn_chain::params::ChainParams;
use cairn_chain::pow::{GrindOptions, GrindOutcome};

use crate::miner::{Miner, pay, regtest};

/// A template whose first good nonce is not zero, and that nonce.
fn template(miner: &Miner) -> (BlockTemplate, u64) {
    let mut template = miner.template();
    loop {
        let mut tries = 1000;
        let Mined::Block(block) = mine_block(template.clone(), &mut tries, &AtomicBool::new(false)) else { panic!() };
        assert_eq!(1000 - tries, u64::from(block.header().nonce), "the nonces before it were used up");
        if block.header().nonce > 0 {
            return (template, block.header().nonce.into());
        }
        template.update_time(u64::from(template.time()) + 1);
    }
}

#[test]
fn tries_are_counted_as_core_counts_them() {
    let miner = Miner::new(regtest());
    let (template, nonce) = template(&miner);
    let never = AtomicBool::new(false);
    let mine = |mut tries: u64| (mine_block(template.clone(), &mut tries, &never), tries);
    assert_eq!(mine(0), (Mined::Stopped, 0));
    assert_eq!(mine(nonce), (Mined::Stopped, 0), "the nonce after as many tries is not tried");
    let (mined, left) = mine(nonce + 1);
    assert!(matches!(mined, Mined::Block(_)) && left == 1);
    assert!(matches!(mine(u64::MAX), (Mined::Block(_), left) if left == u64::MAX - nonce));
    let interrupted = mine_block(template.clone(), &mut 1000, &AtomicBool::new(true));
    assert_eq!(interrupted, Mined::Stopped);
}

#[test]
fn each_extra_nonce_is_another_block() {
    let mut miner = Miner::with_coins(3);
    for place in 0..3 {
        miner.accept(&pay(miner.coinbases[place], 1000));
    }
    let cancel = AtomicBool::new(false);
    let mut job = MiningJob::new(miner.template(), 0xfedc_ba98_7654_3210);
    let mut roots = Vec::new();
    for extra_nonce in [0xfedc_ba98_7654_3210_u64, 0xfedc_ba98_7654_3211] {
        let block: bitcoin::Block = encode::deserialize(job.block(7).bytes()).unwrap();
        assert_eq!(block.header, bitcoin::block::Header { nonce: 7, ..*job.header() });
        assert!(block.check_merkle_root() && block.check_witness_commitment());
        let script = block.txdata[0].input[0].script_sig.as_bytes();
        assert!(script.ends_with(&[&[8][..], &extra_nonce.to_le_bytes()].concat()), "{script:x?}");
        assert_eq!(block.bip34_block_height(), Ok(u64::from(miner.chain.tip().height) + 1));
        roots.push(block.header.merkle_root);
        job.roll(miner.now + 5);
    }
    assert_ne!(roots[0], roots[1]);
    assert_eq!(u64::from(job.header().time), miner.now + 5);
    assert_eq!(job.template().transactions.len(), 3);
    let options = GrindOptions { threads: NonZeroUsize::new(2).unwrap(), ..GrindOptions::new(&cancel) };
    let GrindOutcome::Found { nonce } = job.search(&options).outcome else { panic!("regtest is easy") };
    miner.set_time(miner.now + 5);
    miner.connect(job.block(nonce));
    let mut last = MiningJob::new(miner.template(), u64::MAX);
    last.roll(miner.now);
    assert_ne!(last.header().merkle_root, MiningJob::new(miner.template(), u64::MAX).header().merkle_root);
}

#[test]
fn few_nonces_can_be_asked_for() {
    // Nobody finds a block of main by chance.
    let miner = Miner::new(ChainParams::main());
    let cancel = AtomicBool::new(false);
    let mut job = MiningJob::new(miner.template(), 0);
    let options = GrindOptions { nonces: 0..=99, ..GrindOptions::new(&cancel) };
    let result = job.search(&options);
    assert_eq!((result.outcome, result.hashes), (GrindOutcome::Exhausted, 100));
    job.roll(miner.now);
    assert_eq!(job.search(&options).outcome, GrindOutcome::Exhausted);
}
