//! Core's four networks against `kernel/chainparams.cpp` and `chainparamsbase.cpp` of Bitcoin Core v31.99.

use crate::params::*;
use crate::pow::{BitcoinRetarget, Retarget, Work};
use bitcoin::hashes::Hash;
use bitcoin::hex::DisplayHex;
use bitcoin::{Amount, BlockHash, ScriptBuf};

/// Root of all genesis blocks with Bitcoin's own message and Satoshi's key.
const BITCOIN_ROOT: &str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";

struct Expected {
    name: &'static str,
    genesis: (&'static str, &'static str, u32, u32, u32),
    magic: &'static str,
    ports: (u16, u16),
    halving: u32,
    heights: [u32; 5],
    limit: &'static str,
    retarget: (u32, [bool; 3]),
    work: &'static str,
    assume_valid: Option<&'static str>,
    prune_after: u64,
    headers_sync: (u32, usize),
    hrp: &'static str,
    threshold_and_period: (u32, u32),
}

const EXPECTED: [Expected; 4] = [
    Expected {
        name: "main",
        genesis: (
            "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
            BITCOIN_ROOT,
            1231006505,
            0x1d00ffff,
            2083236893,
        ),
        magic: "f9beb4d9",
        ports: (8333, 8332),
        halving: 210000,
        heights: [227931, 388381, 363725, 419328, 481824],
        limit: "00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        retarget: (1209600, [false, false, false]),
        work: "0000000000000000000000000000000000000001128750f82f4c366153a3a030",
        assume_valid: Some("00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac"),
        prune_after: 100000,
        headers_sync: (641, 15218),
        hrp: "bc",
        threshold_and_period: (1815, 2016),
    },
    Expected {
        name: "testnet4",
        genesis: (
            "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
            "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e",
            1714777860,
            0x1d00ffff,
            393743547,
        ),
        magic: "1c163f28",
        ports: (48333, 48332),
        halving: 210000,
        heights: [1, 1, 1, 1, 1],
        limit: "00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        retarget: (1209600, [true, true, false]),
        work: "0000000000000000000000000000000000000000000009a0fe15d0177d086304",
        assume_valid: Some("0000000002368b1e4ee27e2e85676ae6f9f9e69579b29093e9a82c170bf7cf8a"),
        prune_after: 1000,
        headers_sync: (606, 16092),
        hrp: "tb",
        threshold_and_period: (1512, 2016),
    },
    Expected {
        name: "signet",
        genesis: (
            "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
            BITCOIN_ROOT,
            1598918400,
            0x1e0377ae,
            52613770,
        ),
        magic: "0a03cf40",
        ports: (38333, 38332),
        halving: 210000,
        heights: [1, 1, 1, 1, 1],
        limit: "00000377ae000000000000000000000000000000000000000000000000000000",
        retarget: (1209600, [false, false, false]),
        work: "00000000000000000000000000000000000000000000000000000b463ea0a4b8",
        assume_valid: Some("00000008414aab61092ef93f1aacc54cf9e9f16af29ddad493b908a01ff5c329"),
        prune_after: 1000,
        headers_sync: (620, 15724),
        hrp: "tb",
        threshold_and_period: (1815, 2016),
    },
    Expected {
        name: "regtest",
        genesis: (
            "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
            BITCOIN_ROOT,
            1296688602,
            0x207fffff,
            2,
        ),
        magic: "fabfb5da",
        ports: (18444, 18443),
        halving: 150,
        heights: [1, 1, 1, 1, 0],
        limit: "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        retarget: (86400, [true, false, true]),
        work: "0000000000000000000000000000000000000000000000000000000000000000",
        assume_valid: None,
        prune_after: 1000,
        headers_sync: (275, 7017),
        hrp: "bcrt",
        threshold_and_period: (108, 144),
    },
];

#[test]
fn every_value_is_cores() {
    for expected in EXPECTED {
        let name = expected.name;
        let params = ChainParams::builtin(name).unwrap();
        let consensus = &params.consensus;
        assert_eq!((params.name.as_str(), params.rpc_name), (name, name));

        let header = params.genesis.header;
        let genesis = (header.block_hash().to_string(), header.merkle_root.to_string());
        assert_eq!(genesis, (expected.genesis.0.to_owned(), expected.genesis.1.to_owned()), "{name}");
        let numbers = (header.time, header.bits.to_consensus(), header.nonce);
        assert_eq!(numbers, (expected.genesis.2, expected.genesis.3, expected.genesis.4), "{name}");
        assert_eq!(consensus.genesis_hash, header.block_hash());

        assert_eq!(params.magic.to_lower_hex_string(), expected.magic, "{name}");
        assert_eq!((params.default_p2p_port, params.default_rpc_port), expected.ports, "{name}");
        assert_eq!(params.address_format.bech32_hrp(), expected.hrp, "{name}");
        assert_eq!(params.prune_after_height, expected.prune_after, "{name}");
        assert_eq!(params.is_mockable, name == "regtest", "{name}");
        let HeadersSyncParams { commitment_period, redownload_buffer_size } = params.headers_sync;
        assert_eq!((commitment_period, redownload_buffer_size), expected.headers_sync, "{name}");
        assert_eq!(params.minimum_chain_work.to_string(), expected.work, "{name}");
        assert_eq!(params.assume_valid.map(|hash| hash.to_string()).as_deref(), expected.assume_valid, "{name}");
        let testdummy = params.testdummy;
        assert_eq!((testdummy.threshold, testdummy.period), expected.threshold_and_period, "{name}");
        assert_eq!((testdummy.bit, testdummy.timeout, testdummy.min_activation_height), (28, None, 0));

        assert_eq!(consensus.subsidy_initial, Amount::from_sat(5_000_000_000));
        assert_eq!(consensus.subsidy_halving_interval, expected.halving, "{name}");
        let ActivationHeights { bip34, bip65, bip66, csv, segwit } = consensus.activation;
        assert_eq!([bip34, bip65, bip66, csv, segwit], expected.heights, "{name}");
        assert_eq!(format!("{:064x}", consensus.pow.limit), expected.limit, "{name}");
        assert_eq!(consensus.pow.target_spacing, 600);
        let (target_timespan, [allow_min_difficulty_blocks, enforce_bip94, no_retargeting]) = expected.retarget;
        let retarget = BitcoinRetarget { target_timespan, allow_min_difficulty_blocks, enforce_bip94, no_retargeting };
        assert_eq!(consensus.pow.retarget, Retarget::Bitcoin(retarget), "{name}");
        assert_eq!(consensus.signet_challenge.is_some(), name == "signet");
    }
}

#[test]
fn the_first_block_of_bitcoin_is_byte_for_byte() {
    let block = ChainParams::main().genesis.block;
    assert_eq!(block.len(), 285);
    let expected = bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin);
    assert_eq!(block, bitcoin::consensus::serialize(&expected));
}

#[test]
fn main_has_its_exceptions_and_nobody_else() {
    let main = ChainParams::main().consensus;
    let hash = |text: &str| text.parse::<BlockHash>().unwrap();
    let bip16 = hash("00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22");
    let taproot = hash("0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad");
    assert_eq!(main.base_script_rules(&bip16), BaseScriptRules::None);
    assert_eq!(main.base_script_rules(&taproot), BaseScriptRules::P2shWitness);
    assert_eq!(main.base_script_rules(&main.genesis_hash), BaseScriptRules::P2shWitnessTaproot);
    assert_eq!(main.bip34_hash, Some(hash("000000000000024b89b42a942fe0d9fea3bb44ab7bd1b19115dd6a759c0808b8")));

    let repeats = [
        (91842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"),
        (91880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"),
    ];
    let overwritten = [
        (91722, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"),
        (91812, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"),
    ];
    for (height, text) in repeats {
        assert!(main.is_bip30_repeat(height, &hash(text)));
        assert!(!main.is_bip30_repeat(height + 1, &hash(text)));
        assert!(!main.is_bip30_unspendable(height, &hash(text)));
    }
    for (height, text) in overwritten {
        assert!(main.is_bip30_unspendable(height, &hash(text)));
        assert!(!main.is_bip30_unspendable(height, &BlockHash::all_zeros()));
        assert!(!main.is_bip30_repeat(height, &hash(text)));
    }
    for name in BUILTIN_NETWORKS.into_iter().filter(|name| *name != "main") {
        let other = ChainParams::builtin(name).unwrap().consensus;
        assert_eq!(other.base_script_rules(&bip16), BaseScriptRules::P2shWitnessTaproot);
        assert!(other.bip34_hash.is_none() && other.bip30_exceptions.is_empty() && other.bip30_unspendable.is_empty());
    }
}

#[test]
fn only_regtest_votes_on_the_test_deployment() {
    let data = ChainParams::main().chain_tx_data;
    assert_eq!((data.time, data.transactions), (1_772_055_173, 1_315_805_869));
    assert_eq!(ChainParams::main().testdummy.start, DeploymentStart::NeverActive);
    assert_eq!(ChainParams::regtest(RegtestOptions::default()).testdummy.start, DeploymentStart::At(0));
}

#[test]
fn regtest_takes_its_options() {
    let heights = ["cltv@1351", "segwit@5", "segwit@6"].map(|text| text.parse().unwrap());
    let changed = ChainParams::regtest(RegtestOptions { activation_heights: heights.to_vec(), enforce_bip94: true });
    assert_eq!(changed.consensus.activation, ActivationHeights { bip34: 1, bip65: 1351, bip66: 1, csv: 1, segwit: 6 });
    assert!(matches!(changed.consensus.pow.retarget, Retarget::Bitcoin(rule) if rule.enforce_bip94));
}

#[test]
fn a_signet_of_ones_own_has_its_own_magic_and_no_history() {
    // OP_TRUE, the challenge of Core's functional tests: `sha256d(0151)` begins with these bytes.
    let own = ChainParams::signet_with_challenge(ScriptBuf::from_bytes(vec![0x51]));
    assert_eq!(own.magic.to_lower_hex_string(), "54d26fbd");
    assert_eq!(own.genesis, ChainParams::signet().genesis);
    assert_eq!((own.minimum_chain_work, own.assume_valid), (Work::ZERO, None));
    assert_ne!(own.spec_hash(), ChainParams::signet().spec_hash());
}
