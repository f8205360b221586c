//! What all nodes of one network must agree on.

use bitcoin::{Amount, BlockHash, ScriptBuf};

use super::deployment::ActivationHeights;
use crate::pow::PowParams;

/// Parameters a block's validity depends on.
///
/// Core: `Consensus::Params`, `consensus/params.h`. Every field goes into [`ChainParams::spec_hash`].
///
/// [`ChainParams::spec_hash`]: super::ChainParams::spec_hash
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsensusParams {
    /// Hash of the first block (Core: `hashGenesisBlock`).
    pub genesis_hash: BlockHash,
    /// What a block may create before the first halving (Core: 50 coins in `GetBlockSubsidy`, `validation.cpp`).
    pub subsidy_initial: Amount,
    /// Blocks between two halvings of the subsidy, never zero (Core: `nSubsidyHalvingInterval`).
    pub subsidy_halving_interval: u32,
    /// Heights from which the rules added to Bitcoin hold.
    pub activation: ActivationHeights,
    /// The block at BIP34's activation height; on a chain that contains it coinbases have been unique since, and
    /// BIP30 need not be checked (Core: `BIP34Hash`). `None` where coinbases were unique from the start or nothing
    /// is known.
    pub bip34_hash: Option<BlockHash>,
    /// Blocks that break a script rule and are part of the chain all the same (Core: `script_flag_exceptions`).
    pub script_flag_exceptions: Vec<ScriptFlagException>,
    /// Blocks that repeat an earlier coinbase and may (Core: `IsBIP30Repeat`, `validation.cpp`).
    pub bip30_exceptions: Vec<BlockPosition>,
    /// Blocks whose coinbase was overwritten by such a repeat, so that its outputs are gone although nobody spent
    /// them (Core: `IsBIP30Unspendable`, `validation.cpp`).
    pub bip30_unspendable: Vec<BlockPosition>,
    /// Proof of work.
    pub pow: PowParams,
    /// The script every block's signature has to satisfy (Core: `signet_challenge`; BIP325). `None` but on signets.
    pub signet_challenge: Option<ScriptBuf>,
}

/// A block named by height and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockPosition {
    /// Height; genesis has height 0.
    pub height: u32,
    /// Hash of the block.
    pub hash: BlockHash,
}

/// A block that only fewer script rules accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptFlagException {
    /// Hash of the block.
    pub hash: BlockHash,
    /// The rules it does obey.
    pub rules: BaseScriptRules,
}

/// Script rules that hold in a block whatever its height: BIP66, BIP65, BIP112 and BIP147 come on top by height
/// (Core: `GetBlockScriptFlags`, `validation.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseScriptRules {
    /// Not even pay-to-script-hash (Core: `SCRIPT_VERIFY_NONE`).
    None,
    /// BIP16, BIP141 and BIP143 (Core: `SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS`).
    P2shWitness,
    /// Those and BIP341 and BIP342 (Core: `… | SCRIPT_VERIFY_TAPROOT`), as in every block but the exceptions.
    P2shWitnessTaproot,
}

impl ConsensusParams {
    /// The script rules that hold in the block `hash` whatever its height.
    #[must_use]
    pub fn base_script_rules(&self, hash: &BlockHash) -> BaseScriptRules {
        // Two entries at most: a map would be slower.
        self.script_flag_exceptions
            .iter()
            .find(|exception| exception.hash == *hash)
            .map_or(BaseScriptRules::P2shWitnessTaproot, |exception| exception.rules)
    }

    /// Whether this block may repeat an earlier coinbase (Core: `IsBIP30Repeat`).
    #[must_use]
    pub fn is_bip30_repeat(&self, height: u32, hash: &BlockHash) -> bool {
        self.bip30_exceptions.contains(&BlockPosition { height, hash: *hash })
    }

    /// Whether this block's coinbase was overwritten by a later one (Core: `IsBIP30Unspendable`).
    #[must_use]
    pub fn is_bip30_unspendable(&self, height: u32, hash: &BlockHash) -> bool {
        self.bip30_unspendable.contains(&BlockPosition { height, hash: *hash })
    }

    /// Whether this block is one of a pair that shares a coinbase: taking it back leaves other coins than there were before
    /// it (Core: `DisconnectBlock`, `validation.cpp`).
    #[must_use]
    pub fn is_bip30_pair(&self, height: u32, hash: &BlockHash) -> bool {
        self.is_bip30_repeat(height, hash) || self.is_bip30_unspendable(height, hash)
    }
}
