//! Test networks whose blocks somebody has to sign (Core: `SigNetParams`; BIP325).

use bitcoin::hex::FromHex;
use bitcoin::{Amount, ScriptBuf};
use ruint::uint;

use super::{
    ActivationHeights, AddressFormat, ChainParams, ChainTxData, ConsensusParams, GenesisParts, HeadersSyncParams,
    VersionBitsDeployment, block_hash,
};
use crate::hash::HashWriter;
use crate::pow::{BitcoinRetarget, PowParams, Retarget, Work};

/// One signature out of two keys: the challenge of the public signet.
const DEFAULT_CHALLENGE: &str = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430\
                                 210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae";

impl ChainParams {
    /// The public signet.
    #[must_use]
    pub fn signet() -> Self {
        let challenge = Vec::from_hex(DEFAULT_CHALLENGE).expect("a constant of hex digits");
        Self {
            minimum_chain_work: Work::new(uint!(0xb463ea0a4b8_U256)),
            // Height 293175.
            assume_valid: Some(block_hash("00000008414aab61092ef93f1aacc54cf9e9f16af29ddad493b908a01ff5c329")),
            chain_tx_data: ChainTxData {
                time: 1_772_055_248,
                transactions: 28_676_833,
                rate: 0.067_366_234_363_389_29,
            },
            ..Self::signet_with_challenge(ScriptBuf::from_bytes(challenge))
        }
    }

    /// A signet of somebody's own, with the same genesis block and other signers (Core: `-signetchallenge`). The same
    /// name too: what tells signets apart is the [magic](Self::magic) and the [spec hash](Self::spec_hash).
    #[must_use]
    pub fn signet_with_challenge(challenge: ScriptBuf) -> Self {
        let genesis = GenesisParts::bitcoin(1_598_918_400, 52_613_770, 0x1e03_77ae).build();
        Self {
            name: "signet".to_owned(),
            rpc_name: "signet",
            address_format: AddressFormat::TEST,
            magic: magic(&challenge),
            default_p2p_port: 38_333,
            default_rpc_port: 38_332,
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
                    limit: uint!(0x00000377ae000000000000000000000000000000000000000000000000000000_U256),
                    target_spacing: 10 * 60,
                    retarget: Retarget::Bitcoin(BitcoinRetarget {
                        target_timespan: 14 * 24 * 60 * 60,
                        allow_min_difficulty_blocks: false,
                        enforce_bip94: false,
                        no_retargeting: false,
                    }),
                },
                signet_challenge: Some(challenge),
            },
            genesis,
            minimum_chain_work: Work::ZERO,
            assume_valid: None,
            is_mockable: false,
            prune_after_height: 1000,
            testdummy: VersionBitsDeployment::testdummy_never(VersionBitsDeployment::NINETY_PERCENT),
            chain_tx_data: ChainTxData::default(),
            headers_sync: HeadersSyncParams { commitment_period: 620, redownload_buffer_size: 15_724 },
            seeds: Vec::new(),
        }
    }
}

/// The first four bytes of the double SHA-256 of the challenge behind its length (BIP325, "Message start").
fn magic(challenge: &ScriptBuf) -> [u8; 4] {
    let mut writer = HashWriter::new();
    writer.write_with_size(challenge.as_bytes());
    let [a, b, c, d, ..] = writer.sha256d();
    [a, b, c, d]
}
