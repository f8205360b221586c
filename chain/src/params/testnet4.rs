//! Bitcoin's fourth test network (Core: `CTestNet4Params`; BIP94).

use bitcoin::Amount;
use ruint::uint;

use super::genesis::unspendable_script;
use super::{
    ActivationHeights, AddressFormat, ChainParams, ChainTxData, ConsensusParams, GenesisParts, HeadersSyncParams,
    VersionBitsDeployment, block_hash,
};
use crate::pow::{BitcoinRetarget, PowParams, Retarget, Work};

impl ChainParams {
    /// Bitcoin's fourth test network.
    #[must_use]
    pub fn testnet4() -> Self {
        let genesis = GenesisParts {
            message: "03/May/2024 000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e".to_owned(),
            output_script: unspendable_script(),
            ..GenesisParts::bitcoin(1_714_777_860, 393_743_547, 0x1d00_ffff)
        }
        .build();
        Self {
            name: "testnet4".to_owned(),
            rpc_name: "testnet4",
            address_format: AddressFormat::TEST,
            magic: [0x1c, 0x16, 0x3f, 0x28],
            default_p2p_port: 48_333,
            default_rpc_port: 48_332,
            consensus: ConsensusParams {
                genesis_hash: genesis.hash,
                subsidy_initial: Amount::from_int_btc(50),
                subsidy_halving_interval: 210_000,
                activation: ActivationHeights { bip34: 1, bip65: 1, bip66: 1, csv: 1, segwit: 1 },
                bip34_hash: None,
                script_flag_exceptions: Vec::new(),
                bip30_exceptions: Vec::new(),
                bip30_unspendable: Vec::new(),
                pow: PowParams {
                    limit: uint!(0x00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff_U256),
                    target_spacing: 10 * 60,
                    retarget: Retarget::Bitcoin(BitcoinRetarget {
                        target_timespan: 14 * 24 * 60 * 60,
                        allow_min_difficulty_blocks: true,
                        enforce_bip94: true,
                        no_retargeting: false,
                    }),
                },
                signet_challenge: None,
            },
            genesis,
            minimum_chain_work: Work::new(uint!(0x9a0fe15d0177d086304_U256)),
            // Height 123613.
            assume_valid: Some(block_hash("0000000002368b1e4ee27e2e85676ae6f9f9e69579b29093e9a82c170bf7cf8a")),
            is_mockable: false,
            prune_after_height: 1000,
            testdummy: VersionBitsDeployment::testdummy_never(VersionBitsDeployment::SEVENTY_FIVE_PERCENT),
            chain_tx_data: ChainTxData {
                time: 1_772_013_387,
                transactions: 14_191_421,
                rate: 0.018_485_795_795_284_12,
            },
            headers_sync: HeadersSyncParams { commitment_period: 606, redownload_buffer_size: 16_092 },
            seeds: Vec::new(),
        }
    }
}
