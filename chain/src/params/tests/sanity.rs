//! What must hold of any network (Core: `sanity_check_chainparams`, `src/test/pow_tests.cpp`).

use std::collections::HashSet;

use crate::params::compact::target_from_bits;
use crate::params::*;
use crate::pow::Retarget;
use bitcoin::consensus::deserialize;
use bitcoin::{Block, Target};
use ruint::aliases::U256;

fn networks() -> impl Iterator<Item = ChainParams> {
    BUILTIN_NETWORKS.into_iter().map(|name| ChainParams::builtin(name).unwrap())
}

#[test]
fn genesis_is_a_block_with_the_work_it_claims() {
    for params in networks() {
        let Genesis { block, header, hash } = &params.genesis;
        let decoded: Block = deserialize(block).unwrap();
        assert_eq!((decoded.header, decoded.block_hash()), (*header, *hash));
        assert!(decoded.check_merkle_root());
        assert!(decoded.txdata[0].input[0].script_sig.len() <= 100);
        header.validate_pow(header.target()).unwrap();
        assert_eq!(params.consensus.genesis_hash, *hash);
    }
}

#[test]
fn no_target_is_above_the_limit() {
    for params in networks() {
        let pow = &params.consensus.pow;
        assert!(target_from_bits(params.genesis.header.bits).unwrap() <= pow.limit, "{}", params.name);
        assert!(pow.target_spacing > 0 && params.consensus.subsidy_halving_interval > 0);
        // Retargeting compares and rounds through the compact form, which loses digits.
        assert!(Target::from_be_bytes(pow.limit.to_be_bytes()).to_compact_lossy() >= params.genesis.header.bits);
        match &pow.retarget {
            Retarget::Asert(rule) => {
                assert!(target_from_bits(rule.anchor_bits).unwrap() <= pow.limit);
                assert!(rule.half_life > 0);
            }
            Retarget::Bitcoin(rule) => {
                assert_eq!(rule.target_timespan % pow.target_spacing, 0);
                let highest = U256::MAX / (U256::from(rule.target_timespan) * U256::from(4));
                assert!(rule.no_retargeting || pow.limit < highest, "{}", params.name);
            }
        }
    }
}

#[test]
fn magics_and_spec_hashes_differ() {
    assert_eq!(networks().map(|params| params.magic).collect::<HashSet<_>>().len(), BUILTIN_NETWORKS.len());
    assert_eq!(networks().map(|params| params.spec_hash()).collect::<HashSet<_>>().len(), BUILTIN_NETWORKS.len());
}
