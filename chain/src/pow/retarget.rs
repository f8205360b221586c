//! The difficulty a block must have, derived from the chain it extends.

use bitcoin::CompactTarget;
use ruint::aliases::U256;

/// How hard blocks are to find on a network, and how that adapts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowParams {
    /// The easiest target a header may claim (Core: `Consensus::Params::powLimit`).
    pub limit: U256,
    /// Intended time between blocks, in seconds (Core: `nPowTargetSpacing`).
    pub target_spacing: u32,
    /// The rule that sets each block's target.
    pub retarget: Retarget,
}

/// The rule that sets each block's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retarget {
    /// Once per period, from the time the period took.
    Bitcoin(BitcoinRetarget),
    /// After every block, from how far the chain is ahead of or behind its schedule.
    Asert(AsertRetarget),
}

/// Bitcoin's own rule and the variations of its test networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitcoinRetarget {
    /// Intended time of one period, in seconds (Core: `nPowTargetTimespan`).
    pub target_timespan: u32,
    /// A block more than two spacings late may have the easiest target (Core: `fPowAllowMinDifficultyBlocks`).
    pub allow_min_difficulty_blocks: bool,
    /// BIP94: retarget from the period's first block, and no timewarp at its start (Core: `enforce_BIP94`).
    pub enforce_bip94: bool,
    /// The target never changes (Core: `fPowNoRetargeting`).
    pub no_retargeting: bool,
}

/// Absolutely scheduled, exponentially rising targets (aserti3-2d).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsertRetarget {
    /// Up to and including this height blocks have the easiest target; from the next one on the schedule holds.
    pub anchor_height: u32,
    /// Target of a block that follows the anchor exactly on schedule.
    pub anchor_bits: CompactTarget,
    /// Seconds ahead of schedule that halve the target, or behind it that double it.
    pub half_life: u32,
}
