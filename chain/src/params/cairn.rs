//! Our own public network and the default one.

use bitcoin::{Amount, CompactTarget};
use ruint::uint;

use super::genesis::unspendable_script;
use super::{
    ActivationHeights, AddressFormat, ChainParams, ChainTxData, ConsensusParams, GenesisParts, HeadersSyncParams,
    VersionBitsDeployment,
};
use crate::pow::{AsertRetarget, PowParams, Retarget, Work};

/// Target of the genesis block and the easiest one: 2^24 hashes, some seconds of a laptop, so that the chain can always
/// be carried on by whoever is left.
const BITS: u32 = 0x1e00_ffff;

/// Blocks between two halvings: four years of one block a minute, as Bitcoin's 210,000 are four years of its blocks.
pub(super) const HALVING_INTERVAL: u32 = 2_102_400;

impl ChainParams {
    /// Cairn's own network.
    #[must_use]
    pub fn cairn() -> Self {
        let genesis = genesis_parts().build();
        let pow = PowParams {
            // The target BITS stands for.
            limit: uint!(0x000000ffff000000000000000000000000000000000000000000000000000000_U256),
            target_spacing: 60,
            retarget: Retarget::Asert(AsertRetarget {
                anchor_height: 0,
                anchor_bits: CompactTarget::from_consensus(BITS),
                // 288 blocks, the two days of Bitcoin Cash's aserti3-2d.
                half_life: 288 * 60,
            }),
        };
        let headers_sync = HeadersSyncParams::for_pow(&pow);
        Self {
            name: "cairn".to_owned(),
            rpc_name: "regtest",
            address_format: AddressFormat::REGTEST,
            // Not valid as UTF-8, so unlikely in ordinary data, as Core wants of a magic.
            magic: [0xca, 0xe1, 0xa7, 0xf5],
            // Bitcoin's port plus 200, so that both nodes can run on one machine.
            default_p2p_port: 8533,
            default_rpc_port: 18_443,
            consensus: ConsensusParams {
                genesis_hash: genesis.hash,
                subsidy_initial: Amount::from_int_btc(50),
                subsidy_halving_interval: HALVING_INTERVAL,
                activation: ActivationHeights::FROM_THE_START,
                bip34_hash: None,
                script_flag_exceptions: Vec::new(),
                bip30_exceptions: Vec::new(),
                bip30_unspendable: Vec::new(),
                pow,
                signet_challenge: None,
            },
            genesis,
            minimum_chain_work: Work::ZERO,
            assume_valid: None,
            is_mockable: false,
            prune_after_height: 100_000,
            testdummy: VersionBitsDeployment::testdummy_never(VersionBitsDeployment::NINETY_PERCENT),
            // No less than a coinbase a block.
            chain_tx_data: ChainTxData { rate: 1.0 / 60.0, ..ChainTxData::default() },
            headers_sync,
            seeds: Vec::new(),
        }
    }
}

/// What Cairn's first block is made of.
fn genesis_parts() -> GenesisParts {
    GenesisParts {
        message: "21/Nov/2026 Cairn: stone upon stone, a way anyone can follow".to_owned(),
        output_script: unspendable_script(),
        reward: Amount::from_int_btc(50),
        version: 1,
        // 2026-11-21T00:00:00Z.
        time: 1_795_219_200,
        bits: CompactTarget::from_consensus(BITS),
        nonce: 17_061_152,
    }
}
