//! The two networks that are Cairn's own.

use crate::params::*;
use crate::pow::{AsertRetarget, Retarget, Work};
use bitcoin::{Amount, CompactTarget};

fn asert(anchor_height: u32, anchor_bits: u32, half_life: u32) -> Retarget {
    let anchor_bits = CompactTarget::from_consensus(anchor_bits);
    Retarget::Asert(AsertRetarget { anchor_height, anchor_bits, half_life })
}

#[test]
fn cairn_is_what_it_is() {
    let cairn = ChainParams::cairn();
    let header = cairn.genesis.header;
    assert_eq!(header.block_hash().to_string(), "000000dc26e37b6e717d279f209dcc70c4880295549394f78845c605bec8b41a");
    assert_eq!(header.merkle_root.to_string(), "9e591a2f7c1b730b5efaa06d3a97c228a14fcfdfc705b143ea5ce8832123a880");
    assert_eq!((header.time, header.bits.to_consensus()), (1795219200, 0x1e00ffff));
    assert_eq!(format!("{:064x}", cairn.consensus.pow.limit), format!("000000ffff{:054}", 0));
    assert_eq!(cairn.consensus.pow.target_spacing, 60);
    assert_eq!(cairn.consensus.pow.retarget, asert(0, 0x1e00ffff, 17280));
    assert_eq!(cairn.consensus.subsidy_initial, Amount::from_int_btc(50));
    assert_eq!(cairn.consensus.subsidy_halving_interval, 2_102_400);
}

#[test]
fn devnet_is_regtest_with_a_schedule() {
    let devnet = ChainParams::devnet();
    let regtest = ChainParams::regtest(RegtestOptions::default());
    assert_eq!(devnet.genesis, regtest.genesis);
    assert_eq!(devnet.consensus.pow.limit, regtest.consensus.pow.limit);
    assert_ne!(devnet.magic, regtest.magic);
    assert_eq!(devnet.consensus.pow.target_spacing, 3);
    assert_eq!(devnet.consensus.pow.retarget, asert(140, 0x1f00ffff, 120));
    assert_eq!(devnet.consensus.subsidy_halving_interval, 2_102_400);
    assert!(devnet.is_mockable && !ChainParams::cairn().is_mockable);
}

#[test]
fn ours_present_themselves_as_regtest() {
    for params in [ChainParams::cairn(), ChainParams::devnet()] {
        assert_eq!((params.rpc_name, params.default_rpc_port), ("regtest", 18443));
        assert_eq!(params.address_format, AddressFormat::REGTEST);
        assert_eq!(params.consensus.activation, ActivationHeights { bip34: 1, bip65: 1, bip66: 1, csv: 1, segwit: 0 });
        assert_eq!((params.minimum_chain_work, params.assume_valid), (Work::ZERO, None));
    }
}

/// 33 zero bytes are no public key, so no signature by it verifies.
#[test]
fn nobody_holds_the_key_of_cairns_genesis() {
    let script = genesis::unspendable_script();
    assert_eq!(script.len(), 35);
    assert!(bitcoin::PublicKey::from_slice(&script.as_bytes()[1..34]).is_err());
}
