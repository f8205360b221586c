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

/// What is to be done about BIP30, which forbids a block to overwrite coins (Core: `ConnectBlock`, `validation.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bip30 {
    /// Each output has to be looked up.
    Enforced,
    /// Coinbases have begun with their height since the first block, so no two transactions are equal and a block that
    /// repeats one spends coins that are gone. Core looks every output up all the same, before it looks at inputs: a block that
    /// fails for another reason has to be looked at again for this one.
    Implied,
    /// Core does not look either: the chain is one in which BIP34 is known to have held, below
    /// [`BIP34_IMPLIES_BIP30_LIMIT`].
    Assumed,
    /// The block is one of two that overwrote coins.
    Repeat,
}

impl Bip30 {
    pub(super) fn of(
        height: u32,
        hash: &BlockHash,
        chain: &(impl HeaderChain + ?Sized),
        params: &ConsensusParams,
    ) -> Self {
        let bip34_height = params.activation.bip34;
        if params.is_bip30_repeat(height, hash) {
            return Self::Repeat;
        }
        if bip34_height <= 1 {
            return Self::Implied;
        }
        let assumed = height < BIP34_IMPLIES_BIP30_LIMIT
            && params
                .bip34_hash
                .is_some_and(|hash| bip34_height <= chain.height() && chain.header_at(bip34_height).hash == hash);
        if assumed { Self::Assumed } else { Self::Enforced }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_chain::HeaderFacts;
    use crate::params::{ChainParams, RegtestOptions};
    use bitcoin::CompactTarget;
    use bitcoin::block::Version;
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
        let facts = |byte| HeaderFacts {
            hash: hash(byte),
            time: 0,
            bits: CompactTarget::from_consensus(0),
            version: Version::ONE,
        };
        let known: Vec<_> = (0..5).map(facts).collect();
        let bip30 = |height, by: u8, chain: &[HeaderFacts]| Bip30::of(height, &hash(by), chain, &params);
        assert_eq!(bip30(3, 9, &known[..3]), Bip30::Enforced, "BIP34's block is not in the chain yet");
        assert_eq!(bip30(4, 9, &known[..4]), Bip30::Assumed);
        let other: Vec<_> = [0, 1, 2, 7, 8].map(facts).into();
        assert_eq!(bip30(5, 9, &other), Bip30::Enforced);
        assert_eq!(bip30(BIP34_IMPLIES_BIP30_LIMIT, 9, &known), Bip30::Enforced);
        let repeat = params.bip30_exceptions[0];
        assert_eq!(Bip30::of(repeat.height, &repeat.hash, &other[..], &params), Bip30::Repeat);
        let regtest = ChainParams::regtest(RegtestOptions::default()).consensus;
        assert_eq!(Bip30::of(5, &hash(9), &other[..], &regtest), Bip30::Implied);
    }
}
