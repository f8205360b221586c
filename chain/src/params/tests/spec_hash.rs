//! The hash nodes of one network share.

use crate::params::*;
use crate::pow::{AsertRetarget, BitcoinRetarget, Retarget, Work};
use bitcoin::hashes::Hash;
use bitcoin::hex::DisplayHex;
use bitcoin::{Amount, BlockHash, CompactTarget, ScriptBuf};
use ruint::aliases::U256;

/// A change here separates every node from those of the release before.
#[test]
fn golden() {
    let hash = |name: &&str| ChainParams::builtin(name).unwrap().spec_hash().to_lower_hex_string();
    let hashes: Vec<String> = BUILTIN_NETWORKS.iter().map(|name| format!("{name} {}", hash(name))).collect();
    assert_eq!(
        hashes,
        [
            "cairn 68471f3091e5385224286f02fafb0bb361665a9dd9f5166843c5ad7f5e69d4dd",
            "devnet 89a01039bbc55857e9ef21d713d1498903a16cb35e2bf75a7b4f8223743e5507",
            "main 3b440d01222a90ac8b5491a8a4de39adbaed32f9cded6d92b5f882e12c7b9246",
            "testnet4 b126ff5aed90a641929478056f5e2d2ca9954c30b7e8553baef3b29429148a7e",
            "signet 09f8e9c01a2c0517f443868c9bd6d43a1f7a4ee831e407bab1101ad6ebe91c70",
            "regtest 364a51f4ffe8f1c17207aff8e9b4dfddde66145e2bc35e074333d2320104b50f"
        ]
    );
}

fn bitcoin(params: &mut ChainParams, change: impl FnOnce(&mut BitcoinRetarget)) {
    match &mut params.consensus.pow.retarget {
        Retarget::Bitcoin(rule) => change(rule),
        Retarget::Asert(_) => panic!("main retargets as Bitcoin does"),
    }
}

fn asert(params: &mut ChainParams, change: impl FnOnce(&mut AsertRetarget)) {
    let mut rule =
        AsertRetarget { anchor_height: 7, anchor_bits: CompactTarget::from_consensus(0x1d00ffff), half_life: 3 };
    change(&mut rule);
    params.consensus.pow.retarget = Retarget::Asert(rule);
}

type Change = fn(&mut ChainParams);

/// Every consensus field of the main network, which has them all but the signet challenge, changed one at a time.
const CHANGES: &[Change] = &[
    |_| (),
    |p| p.name.push('x'),
    |p| p.genesis.block[80] ^= 1,
    |p| p.consensus.genesis_hash = BlockHash::all_zeros(),
    |p| p.consensus.subsidy_initial = Amount::from_sat(1),
    |p| p.consensus.subsidy_halving_interval += 1,
    |p| p.consensus.activation.bip34 += 1,
    |p| p.consensus.activation.bip65 += 1,
    |p| p.consensus.activation.bip66 += 1,
    |p| p.consensus.activation.csv += 1,
    |p| p.consensus.activation.segwit += 1,
    |p| p.consensus.bip34_hash = None,
    |p| p.consensus.bip34_hash = Some(BlockHash::all_zeros()),
    |p| p.consensus.script_flag_exceptions.truncate(1),
    |p| p.consensus.script_flag_exceptions[0].hash = BlockHash::all_zeros(),
    |p| p.consensus.script_flag_exceptions[0].rules = BaseScriptRules::P2shWitness,
    |p| p.consensus.script_flag_exceptions[0].rules = BaseScriptRules::P2shWitnessTaproot,
    |p| p.consensus.bip30_exceptions[0].height += 1,
    |p| p.consensus.bip30_exceptions[1].hash = BlockHash::all_zeros(),
    |p| p.consensus.bip30_exceptions.truncate(1),
    |p| p.consensus.bip30_unspendable[0].height += 1,
    |p| p.consensus.bip30_unspendable[1].hash = BlockHash::all_zeros(),
    |p| std::mem::swap(&mut p.consensus.bip30_exceptions, &mut p.consensus.bip30_unspendable),
    |p| p.consensus.pow.limit -= U256::ONE,
    |p| p.consensus.pow.target_spacing += 1,
    |p| bitcoin(p, |rule| rule.target_timespan += 1),
    |p| bitcoin(p, |rule| rule.allow_min_difficulty_blocks = true),
    |p| bitcoin(p, |rule| rule.enforce_bip94 = true),
    |p| bitcoin(p, |rule| rule.no_retargeting = true),
    |p| asert(p, |_| ()),
    |p| asert(p, |rule| rule.anchor_height += 1),
    |p| asert(p, |rule| rule.anchor_bits = CompactTarget::from_consensus(0x1d00fffe)),
    |p| asert(p, |rule| rule.half_life += 1),
    |p| p.consensus.signet_challenge = Some(ScriptBuf::new()),
    |p| p.consensus.signet_challenge = Some(ScriptBuf::from_bytes(vec![0x51])),
];

#[test]
fn any_changed_rule_changes_it() {
    let mut hashes = std::collections::HashMap::new();
    for (index, change) in CHANGES.iter().enumerate() {
        let mut params = ChainParams::main();
        change(&mut params);
        if let Some(same) = hashes.insert(params.spec_hash(), index) {
            panic!("changes {same} and {index} have the same hash");
        }
    }
}

#[test]
fn what_is_no_rule_does_not_change_it() {
    let main = ChainParams::main();
    let other = ChainParams {
        magic: [0; 4],
        default_p2p_port: 1,
        default_rpc_port: 2,
        minimum_chain_work: Work::ZERO,
        assume_valid: None,
        is_mockable: true,
        prune_after_height: 1,
        headers_sync: HeadersSyncParams { commitment_period: 1, redownload_buffer_size: 1 },
        seeds: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
        ..main.clone()
    };
    assert_eq!(other.spec_hash(), main.spec_hash());
}
