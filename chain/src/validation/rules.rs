//! Which rules hold in which block.

use bitcoin::BlockHash;

use crate::header_chain::HeaderChain;
use crate::params::{BaseScriptRules, ConsensusParams, Deployment};
use crate::script::ScriptVerifyFlags;

/// From this height on BIP34 does not rule BIP30's duplicates out: coinbases of blocks before BIP34 claimed such heights
/// (Core: `BIP34_IMPLIES_BIP30_LIMIT`, `validation.cpp`).
const BIP34_IMPLIES_BIP30_LIMIT: u32 = 1_983_702;

/// The rules the scripts of a block are held to (Core: `GetBlockScriptFlags`, `validation.cpp`).
///
/// P2SH, segwit and taproot hold from genesis on, but for blocks that are known to break them; the other rules hold from a
/// height.
#[must_use]
pub fn block_script_flags(height: u32, hash: &BlockHash, params: &ConsensusParams) -> ScriptVerifyFlags {
    let mut flags = match params.base_script_rules(hash) {
        BaseScriptRules::None => ScriptVerifyFlags::empty(),
        BaseScriptRules::P2shWitness => ScriptVerifyFlags::P2SH | ScriptVerifyFlags::WITNESS,
        BaseScriptRules::P2shWitnessTaproot => {
            ScriptVerifyFlags::P2SH | ScriptVerifyFlags::WITNESS | ScriptVerifyFlags::TAPROOT
        }
    };
    let by_height = [
        (Deployment::Dersig, ScriptVerifyFlags::DERSIG),
        (Deployment::Cltv, ScriptVerifyFlags::CHECKLOCKTIMEVERIFY),
        (Deployment::Csv, ScriptVerifyFlags::CHECKSEQUENCEVERIFY),
        // BIP147 was activated together with segwit.
        (Deployment::Segwit, ScriptVerifyFlags::NULLDUMMY),
    ];
    for (deployment, flag) in by_height {
        flags.set(flag, params.activation.is_active_at(deployment, height));
    }
    flags
}

/// Whether a block must not overwrite coins, so that each of its outputs has to be looked up (Core: `ConnectBlock`,
/// `validation.cpp`; BIP30).
///
/// Two blocks overwrote coins. Where BIP34 is known to have held no later one can, below [`BIP34_IMPLIES_BIP30_LIMIT`].
pub(super) fn enforces_bip30(
    height: u32,
    hash: &BlockHash,
    chain: &(impl HeaderChain + ?Sized),
    params: &ConsensusParams,
) -> bool {
    if height >= BIP34_IMPLIES_BIP30_LIMIT {
        return true;
    }
    let bip34_height = params.activation.bip34;
    let implied_by_bip34 = params
        .bip34_hash
        .is_some_and(|hash| bip34_height <= chain.height() && chain.header_at(bip34_height).hash == hash);
    !params.is_bip30_repeat(height, hash) && !implied_by_bip34
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_chain::HeaderFacts;
    use crate::params::ChainParams;
    use bitcoin::CompactTarget;
    use bitcoin::hashes::Hash;

    #[test]
    fn main_switches_rules_on_by_height() {
        let params = ChainParams::main().consensus;
        let base = ScriptVerifyFlags::P2SH | ScriptVerifyFlags::WITNESS | ScriptVerifyFlags::TAPROOT;
        let flags = |height| block_script_flags(height, &BlockHash::all_zeros(), &params);
        assert_eq!(flags(363_724), base);
        assert_eq!(flags(363_725), base | ScriptVerifyFlags::DERSIG);
        assert_eq!(flags(388_381), base | ScriptVerifyFlags::DERSIG | ScriptVerifyFlags::CHECKLOCKTIMEVERIFY);
        assert_eq!(flags(419_328), ScriptVerifyFlags::MANDATORY - ScriptVerifyFlags::NULLDUMMY);
        assert_eq!(flags(481_824), ScriptVerifyFlags::MANDATORY);
    }

    #[test]
    fn two_blocks_of_main_are_excepted() {
        let params = ChainParams::main().consensus;
        let flags = |height, hash: &str| block_script_flags(height, &hash.parse().unwrap(), &params);
        let before_p2sh = "00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22";
        assert_eq!(flags(170_060, before_p2sh), ScriptVerifyFlags::empty());
        let before_taproot = "0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad";
        assert_eq!(flags(692_261, before_taproot), ScriptVerifyFlags::MANDATORY - ScriptVerifyFlags::TAPROOT);
    }

    #[test]
    fn bip30_is_implied_only_on_the_known_chain() {
        let mut params = ChainParams::main().consensus;
        params.activation.bip34 = 3;
        let hash = |byte| BlockHash::from_byte_array([byte; 32]);
        params.bip34_hash = Some(hash(3));
        let facts = |byte| HeaderFacts { hash: hash(byte), time: 0, bits: CompactTarget::from_consensus(0) };
        let known: Vec<_> = (0..5).map(facts).collect();
        assert!(enforces_bip30(3, &hash(9), &known[..3], &params), "BIP34's block is not in the chain yet");
        assert!(!enforces_bip30(4, &hash(9), &known[..4], &params));
        let other: Vec<_> = [0, 1, 2, 7, 8].map(facts).into();
        assert!(enforces_bip30(5, &hash(9), &other[..], &params));
        assert!(enforces_bip30(BIP34_IMPLIES_BIP30_LIMIT, &hash(9), &known[..], &params));
        let repeat = params.bip30_exceptions[0];
        assert!(!enforces_bip30(repeat.height, &repeat.hash, &other[..], &params));
    }
}
