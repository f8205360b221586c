//! Times, targets, subsidies and versions of different networks.

use std::sync::Arc;

use bitcoin::consensus::encode;
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::mining::{TemplateOptions, create_block_template, propose_block};
use cairn_chain::params::ChainParams;
use cairn_chain::pow::{BitcoinRetarget, Retarget, Target, next_work_required};
use cairn_chain::primitives::Block;
use cairn_chain::validation::{DeploymentStatistics, ThresholdState, block_subsidy, deployment_info};

use crate::miner::{Miner, regtest};

/// Regtest's first block and limit, with testnet4's rules about time and difficulty and periods of ten blocks.
fn short_periods() -> ChainParams {
    let mut params = regtest();
    params.consensus.pow.retarget = Retarget::Bitcoin(BitcoinRetarget {
        target_timespan: 10 * 600,
        allow_min_difficulty_blocks: true,
        enforce_bip94: true,
        no_retargeting: false,
    });
    params
}

#[test]
fn subsidies_halve() {
    let mut miner = Miner::new(regtest());
    miner.mine_empty(148);
    for (height, satoshis) in [(149, 5_000_000_000), (150, 2_500_000_000), (151, 2_500_000_000)] {
        let template = miner.template();
        assert_eq!((template.height, template.coinbase.reward.to_sat()), (height, satoshis));
        miner.mine(template);
    }
    miner.mine_empty(148);
    let template = miner.template();
    assert_eq!((template.height, template.coinbase.reward.to_sat()), (300, 1_250_000_000));
    miner.mine(template);
}

#[test]
fn regtest_votes_for_the_test_deployment_until_it_holds() {
    let mut miner = Miner::new(regtest());
    let options = TemplateOptions { test_block_validity: false, ..TemplateOptions::default() };
    let mut versions = Vec::new();
    let mut available = Vec::new();
    for height in 1..450 {
        let template = miner.template_with(&options);
        assert_eq!(template.height, height);
        versions.push(template.version);
        let rules = template.rules();
        assert_eq!(rules.version, template.version);
        assert_eq!(rules.rules.contains(&"testdummy"), height >= 432);
        available.push(rules.available);
        miner.mine(template);
    }
    // A period of 144 blocks begins at each of 144, 288 and 432.
    let at = |height: usize| (versions[height - 1], available[height - 1].clone());
    for height in [1, 143, 432, 449] {
        assert_eq!(at(height), (0x2000_0000, vec![]), "{height}");
    }
    for height in [144, 287, 288, 431] {
        assert_eq!(at(height), (0x3000_0000, vec![("testdummy", 28)]), "{height}");
    }

    // What getdeploymentinfo says about blocks below the tip.
    let testdummy = miner.chain.params().testdummy;
    let info = |height| {
        let hash = miner.chain.block_hash(height).unwrap();
        deployment_info(&miner.chain.chain_to(&hash).unwrap(), &testdummy)
    };
    assert_eq!((info(0).state, info(0).next_state), (ThresholdState::Defined, ThresholdState::Defined));
    assert_eq!((info(143).state, info(143).next_state), (ThresholdState::Defined, ThresholdState::Started));
    let statistics = DeploymentStatistics { period: 144, threshold: 108, elapsed: 107, count: 107, possible: true };
    assert_eq!((info(250).since, info(250).statistics), (144, Some(statistics)));
    assert_eq!((info(431).state, info(431).active_since), (ThresholdState::LockedIn, Some(432)));
    assert_eq!((info(449).state, info(449).since), (ThresholdState::Active, 432));
}

#[test]
fn the_clock_is_the_time_but_not_below_the_median() {
    let mut miner = Miner::new(regtest());
    miner.mine_empty(20);
    let tip = miner.chain.active_chain().tip().time;
    miner.set_time(u64::from(tip) + 12_345);
    let mut template = miner.template();
    assert_eq!(template.time(), tip + 12_345);
    template.update_time(0);
    assert_eq!(template.time(), tip + 12_345, "time does not go back");
    template.update_time(u64::from(tip) + 20_000);
    assert_eq!((template.time(), template.header().time), (tip + 20_000, tip + 20_000));

    miner.set_time(u64::from(tip) - 7000);
    let median = miner.chain.active_chain().median_time_past();
    let template = miner.template();
    assert_eq!((template.time(), template.next.minimum_time()), (median + 1, median + 1));
    miner.mine(template);
}

#[test]
fn late_blocks_are_easy_on_test_networks() {
    let mut miner = Miner::new(short_periods());
    let limit = miner.chain.params().consensus.pow.limit_bits();
    miner.spacing = 60;
    miner.mine_empty(9);
    // The period was far too short, so the target is harder, though not by four: with a limit like this the rule overflows.
    let template = miner.template();
    let regular = next_work_required(&miner.chain.active_chain(), template.time(), &short_periods().consensus.pow);
    assert_eq!((template.height, template.bits()), (10, regular));
    assert!(template.target() < Target::new(miner.chain.params().consensus.pow.limit));
    miner.mine(template);

    let parent = u64::from(miner.chain.active_chain().tip().time);
    miner.set_time(parent + 1200);
    let mut template = miner.template();
    assert_eq!(template.bits(), regular);
    template.update_time(parent + 1201);
    assert_eq!((template.bits(), template.header().bits), (limit, limit));
    assert_eq!(template.target().to_compact(), limit);
    let hash = miner.mine(template).hash();
    // Taken back, the same block is made without being late.
    miner.chain.invalidate_block(&hash).unwrap();
    miner.set_time(parent + 1200);
    let template = miner.template();
    assert_eq!((template.height, template.bits()), (11, regular));
    miner.mine(template);
    // After an easy block the regular target comes back.
    miner.set_time(miner.now + 5000);
    let template = miner.template();
    assert_eq!(template.bits(), limit);
    miner.mine(template);
    assert_eq!(miner.template().bits(), regular);
}

#[test]
fn a_period_does_not_start_far_before_the_last_one_ended() {
    let mut miner = Miner::new(short_periods());
    miner.mine_empty(8);
    // The last block of the period is almost two hours ahead of everybody's clock.
    let now = miner.now;
    let mut template = miner.template();
    template.update_time(now + 7000);
    miner.mine(template);
    miner.set_time(now + 60);
    let template = miner.template();
    let parent = miner.chain.active_chain().tip().time;
    assert_eq!((template.height, u64::from(parent)), (10, now + 7000));
    assert_eq!((template.time(), template.next.minimum_time()), (parent - 600, parent - 600));
    assert_eq!(propose_block(&miner.chain, template.block()).unwrap(), None);

    let mut early: bitcoin::Block = encode::deserialize(&template.block_bytes()).unwrap();
    early.header.time -= 1;
    let early = Arc::new(Block::decode(encode::serialize(&early)).unwrap());
    let answer = propose_block(&miner.chain, early).unwrap();
    assert_eq!(answer.as_deref(), Some("time-timewarp-attack"));
    miner.mine(template);
}

#[test]
fn devnet_s_targets_follow_its_schedule() {
    let mut miner = Miner::new(ChainParams::devnet());
    let params = miner.chain.params().consensus.pow.clone();
    miner.spacing = 3;
    miner.mine_empty(139);
    let template = miner.template();
    assert_eq!((template.height, template.bits()), (140, params.limit_bits()));
    miner.mine(template);
    let template = miner.template();
    assert_eq!((template.height, template.bits().to_consensus()), (141, 0x1f00_ffff));
    // Three seconds later than the anchor is on schedule; 120 seconds of delay double the target.
    miner.set_time(miner.now + 120);
    let template = miner.template();
    assert_eq!(template.bits().to_consensus(), 0x1f00_ffff, "a block's own delay counts for the next one");
    miner.mine(template);
    let template = miner.template();
    assert_eq!(template.bits().to_consensus(), 0x1f01_fffe);
    let demanded = next_work_required(&miner.chain.active_chain(), template.time(), &params);
    assert_eq!(template.bits(), demanded);
    miner.mine(template);
    assert_eq!(miner.chain.tip().height, 142);
}

#[test]
fn every_network_has_a_first_template() {
    for params in [
        ChainParams::cairn(),
        ChainParams::devnet(),
        ChainParams::main(),
        ChainParams::testnet4(),
        ChainParams::signet(),
        regtest(),
    ] {
        let name = params.name.clone();
        let genesis = params.genesis.clone();
        let reward = block_subsidy(1, &params.consensus);
        let is_signet = params.consensus.signet_challenge.is_some();
        let has_segwit = params.consensus.activation.segwit <= 1;
        let miner = Miner::new(params);
        let template = create_block_template(&miner.chain, &miner.pool, &TemplateOptions::default()).unwrap();
        let header = template.header();
        assert_eq!((header.prev_blockhash, header.bits), (genesis.hash, genesis.header.bits), "{name}");
        assert_eq!((header.version.to_consensus(), template.coinbase.reward), (0x2000_0000, reward), "{name}");
        assert_eq!(template.rules().rules.contains(&"!signet"), is_signet, "{name}");
        assert_eq!(template.rules().rules.contains(&"!segwit"), has_segwit, "{name}");
        assert_eq!(propose_block(&miner.chain, template.block()).unwrap(), None, "{name}");
    }
}
