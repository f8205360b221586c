//! Decoding a block and checking it on its own, on regtest's rules and on a signet whose challenge anyone can meet.
#![no_main]

use std::sync::{Arc, LazyLock};

use bitcoin::ScriptBuf;
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_chain::validation::check_block;
use libfuzzer_sys::fuzz_target;

static PARAMS: LazyLock<[ChainParams; 2]> = LazyLock::new(|| {
    let regtest = ChainParams::regtest(RegtestOptions::default());
    let mut signet = ChainParams::signet_with_challenge(ScriptBuf::from(vec![0x51]));
    // Regtest's work, which every second header has, so that the checks behind it are reached.
    signet.consensus.pow.limit = regtest.consensus.pow.limit;
    [regtest, signet]
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(block) = Block::decode(bytes.to_vec()) else { return };
    assert_eq!(block.bytes(), bytes);
    assert!(block.stripped_size() <= block.total_size());
    let block = Arc::new(block);
    for params in &*PARAMS {
        let _ = check_block(Arc::clone(&block), &params.consensus);
    }
});
