//! The network for tests, where a block costs two hashes (Core: `CRegTestParams`).

use bitcoin::Amount;
use ruint::aliases::U256;
use ruint::uint;

use super::deployment::ActivationOverride;
use super::{
    ActivationHeights, AddressFormat, ChainParams, ChainTxData, ConsensusParams, Genesis, GenesisParts,
    HeadersSyncParams, VersionBitsDeployment,
};
use crate::pow::{BitcoinRetarget, PowParams, Retarget, Work};

/// The easiest target of regtest, and of any network: the work of a block is 2^256 / (target + 1), so that with a target
/// twice as easy a block would count for a single hash.
pub(super) const POW_LIMIT: U256 = uint!(0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff_U256);

/// What tests may change about regtest (Core: `CChainParams::RegTestOptions`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegtestOptions {
    /// New activation heights; of two for the same rule the later holds (Core: `-testactivationheight`).
    pub activation_heights: Vec<ActivationOverride>,
    /// Whether BIP94 holds (Core: `-test=bip94`).
    pub enforce_bip94: bool,
}

impl ChainParams {
    /// The network for tests. Nodes with other options have another [spec hash](Self::spec_hash) and do not meet.
    #[must_use]
    pub fn regtest(options: RegtestOptions) -> Self {
        let genesis = genesis();
        let mut activation = ActivationHeights::FROM_THE_START;
        for changed in options.activation_heights {
            activation.set_height(changed.deployment, changed.height);
        }
        Self {
            name: "regtest".to_owned(),
            rpc_name: "regtest",
            address_format: AddressFormat::REGTEST,
            magic: [0xfa, 0xbf, 0xb5, 0xda],
            default_p2p_port: 18_444,
            default_rpc_port: 18_443,
            consensus: ConsensusParams {
                genesis_hash: genesis.hash,
                subsidy_initial: Amount::from_int_btc(50),
                subsidy_halving_interval: 150,
                activation,
                bip34_hash: None,
                script_flag_exceptions: Vec::new(),
                bip30_exceptions: Vec::new(),
                bip30_unspendable: Vec::new(),
                pow: PowParams {
                    limit: POW_LIMIT,
                    target_spacing: 10 * 60,
                    retarget: Retarget::Bitcoin(BitcoinRetarget {
                        target_timespan: 24 * 60 * 60,
                        allow_min_difficulty_blocks: true,
                        enforce_bip94: options.enforce_bip94,
                        no_retargeting: true,
                    }),
                },
                signet_challenge: None,
            },
            genesis,
            minimum_chain_work: Work::ZERO,
            assume_valid: None,
            is_mockable: true,
            prune_after_height: 1000,
            testdummy: VersionBitsDeployment::TESTDUMMY_REGTEST,
            chain_tx_data: ChainTxData { rate: 0.001, ..ChainTxData::default() },
            headers_sync: HeadersSyncParams { commitment_period: 275, redownload_buffer_size: 7017 },
            seeds: Vec::new(),
        }
    }
}

/// Regtest's first block, which devnet shares.
pub(super) fn genesis() -> Genesis {
    GenesisParts::bitcoin(1_296_688_602, 2, 0x207f_ffff).build()
}
