//! Bitcoin's main network (Core: `CMainParams`).

use bitcoin::Amount;
use ruint::uint;

use super::{
    ActivationHeights, AddressFormat, BaseScriptRules, BlockPosition, ChainParams, ChainTxData, ConsensusParams,
    GenesisParts, HeadersSyncParams, ScriptFlagException, VersionBitsDeployment, block_hash,
};
use crate::pow::{BitcoinRetarget, PowParams, Retarget, Work};

impl ChainParams {
    /// Bitcoin's main network.
    #[must_use]
    pub fn main() -> Self {
        let genesis = GenesisParts::bitcoin(1_231_006_505, 2_083_236_893, 0x1d00_ffff).build();
        Self {
            name: "main".to_owned(),
            rpc_name: "main",
            address_format: AddressFormat::MAIN,
            magic: [0xf9, 0xbe, 0xb4, 0xd9],
            default_p2p_port: 8333,
            default_rpc_port: 8332,
            consensus: ConsensusParams {
                genesis_hash: genesis.hash,
                subsidy_initial: Amount::from_int_btc(50),
                subsidy_halving_interval: 210_000,
                activation: ActivationHeights {
                    bip34: 227_931,
                    bip65: 388_381,
                    bip66: 363_725,
                    csv: 419_328,
                    segwit: 481_824,
                },
                bip34_hash: Some(block_hash("000000000000024b89b42a942fe0d9fea3bb44ab7bd1b19115dd6a759c0808b8")),
                script_flag_exceptions: vec![
                    // Spends a pay-to-script-hash output as if BIP16 did not hold.
                    ScriptFlagException {
                        hash: block_hash("00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22"),
                        rules: BaseScriptRules::None,
                    },
                    // Spends a taproot output before taproot's activation, by other rules.
                    ScriptFlagException {
                        hash: block_hash("0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad"),
                        rules: BaseScriptRules::P2shWitness,
                    },
                ],
                bip30_exceptions: vec![
                    position(91_842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"),
                    position(91_880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"),
                ],
                bip30_unspendable: vec![
                    position(91_722, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"),
                    position(91_812, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"),
                ],
                pow: PowParams {
                    limit: uint!(0x00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff_U256),
                    target_spacing: 10 * 60,
                    retarget: Retarget::Bitcoin(BitcoinRetarget {
                        target_timespan: 14 * 24 * 60 * 60,
                        allow_min_difficulty_blocks: false,
                        enforce_bip94: false,
                        no_retargeting: false,
                    }),
                },
                signet_challenge: None,
            },
            genesis,
            minimum_chain_work: Work::new(uint!(0x1128750f82f4c366153a3a030_U256)),
            // Height 938343.
            assume_valid: Some(block_hash("00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac")),
            is_mockable: false,
            prune_after_height: 100_000,
            testdummy: VersionBitsDeployment::testdummy_never(VersionBitsDeployment::NINETY_PERCENT),
            chain_tx_data: ChainTxData { time: 1_772_055_173, transactions: 1_315_805_869, rate: 5.401_110_064_961_22 },
            headers_sync: HeadersSyncParams { commitment_period: 641, redownload_buffer_size: 15_218 },
            seeds: Vec::new(),
        }
    }
}

fn position(height: u32, hash: &str) -> BlockPosition {
    BlockPosition { height, hash: block_hash(hash) }
}
