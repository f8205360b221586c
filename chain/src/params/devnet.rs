//! The network of a few nodes on one machine: real proof of work, small enough for a laptop.

use bitcoin::{Amount, CompactTarget};

use super::{
    ActivationHeights, AddressFormat, ChainParams, ChainTxData, ConsensusParams, HeadersSyncParams,
    VersionBitsDeployment, cairn, regtest,
};
use crate::pow::{AsertRetarget, PowParams, Retarget, Work};

impl ChainParams {
    /// Blocks of [devnet](Self::devnet) that are mined at once, at regtest's difficulty, before the schedule starts: 100 until the
    /// first coinbase matures, and forty mature ones to fund accounts with.
    pub const DEVNET_PRE_MINE: u32 = 140;

    /// Target of devnet's first block on schedule: 2^16 hashes. One core does that in a few milliseconds, so that a hundred blocks
    /// at once keep nobody waiting.
    pub const DEVNET_ANCHOR_BITS: u32 = 0x1f00_ffff;

    /// Seconds of delay that double devnet's target.
    pub const DEVNET_HALF_LIFE: u32 = 120;

    /// The local network: regtest's first block and addresses, a block every three seconds.
    #[must_use]
    pub fn devnet() -> Self {
        let genesis = regtest::genesis();
        let pow = PowParams {
            limit: regtest::POW_LIMIT,
            target_spacing: 3,
            retarget: Retarget::Asert(AsertRetarget {
                anchor_height: Self::DEVNET_PRE_MINE,
                anchor_bits: CompactTarget::from_consensus(Self::DEVNET_ANCHOR_BITS),
                half_life: Self::DEVNET_HALF_LIFE,
            }),
        };
        let headers_sync = HeadersSyncParams::for_pow(&pow);
        Self {
            name: "devnet".to_owned(),
            rpc_name: "regtest",
            address_format: AddressFormat::REGTEST,
            magic: [0xde, 0xf1, 0xa7, 0xf5],
            // Regtest's port plus 100, so that both can run on one machine.
            default_p2p_port: 18_544,
            default_rpc_port: 18_443,
            consensus: ConsensusParams {
                genesis_hash: genesis.hash,
                subsidy_initial: Amount::from_int_btc(50),
                // Regtest's 150 would be over in eight minutes.
                subsidy_halving_interval: cairn::HALVING_INTERVAL,
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
            is_mockable: true,
            prune_after_height: 1000,
            testdummy: VersionBitsDeployment::TESTDUMMY_REGTEST,
            chain_tx_data: ChainTxData::default(),
            headers_sync,
            seeds: Vec::new(),
        }
    }
}
