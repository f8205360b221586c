//! The difficulty a block must have, derived from the chain it extends.
//!
//! Two rules: [`bitcoin`], Bitcoin's own with the variations of its test networks, and [`asert`], which adapts after
//! every block. Both are integer arithmetic on what the headers say, so that every node gets the same four bytes.

mod asert;
mod bitcoin;

pub use asert::asert_target;
pub(crate) use asert::asert_work_required;

use ::bitcoin::CompactTarget;
use ruint::aliases::U256;

use super::target::encode_compact;
use crate::header_chain::HeaderChain;

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

impl PowParams {
    /// Compact form of the easiest target.
    #[must_use]
    pub fn limit_bits(&self) -> CompactTarget {
        encode_compact(self.limit)
    }

    /// Blocks from one change of the target to the next (Core: `DifficultyAdjustmentInterval`, `consensus/params.h`); nothing
    /// where it changes after every block.
    #[must_use]
    pub fn difficulty_adjustment_interval(&self) -> Option<u32> {
        match &self.retarget {
            Retarget::Bitcoin(rule) => Some(bitcoin::adjustment_interval(self, rule)),
            Retarget::Asert(_) => None,
        }
    }

    /// The last timestamp, in seconds since 1970, at which a block has the target that follows from the chain; a later one may
    /// have the easiest, unless it starts a period (Core: `fPowAllowMinDifficultyBlocks`). `parent_time` is that of the block
    /// before it. Nothing where targets do not depend on the block's own time.
    #[must_use]
    pub fn last_regular_time(&self, parent_time: u32) -> Option<u64> {
        match &self.retarget {
            Retarget::Bitcoin(rule) if rule.allow_min_difficulty_blocks => {
                Some(u64::from(parent_time) + 2 * u64::from(self.target_spacing))
            }
            Retarget::Bitcoin(_) | Retarget::Asert(_) => None,
        }
    }

    /// Whether the block at `height` starts a period and must not lie far before the block it follows (BIP94).
    #[must_use]
    pub fn limits_timewarp_at(&self, height: u32) -> bool {
        match &self.retarget {
            Retarget::Bitcoin(rule) => {
                rule.enforce_bip94 && height.is_multiple_of(bitcoin::adjustment_interval(self, rule))
            }
            Retarget::Asert(_) => false,
        }
    }
}

/// The compact target that the block after the last one of `chain` must carry (Core: `GetNextWorkRequired`, `pow.cpp`).
///
/// `block_time` is the new block's timestamp, in seconds since 1970; only networks that allow blocks of the easiest
/// target after a pause look at it.
#[must_use]
pub fn next_work_required(chain: &(impl HeaderChain + ?Sized), block_time: u32, params: &PowParams) -> CompactTarget {
    match &params.retarget {
        Retarget::Bitcoin(rule) => bitcoin::next_work_required(chain, block_time, params, rule),
        Retarget::Asert(rule) => asert::next_work_required(chain, params, rule),
    }
}

/// Whether a block at `height` may carry `new_bits` after a block with `old_bits`, whatever the timestamps are
/// (Core: `PermittedDifficultyTransition`, `pow.cpp`).
///
/// It is the check that headers get before anyone keeps them. Under ASERT every transition is permitted: a target
/// depends on one timestamp, and without it nothing is known; with it
/// [`HeadersSyncState`](crate::headers_sync::HeadersSyncState) knows the target.
#[must_use]
pub fn permitted_difficulty_transition(
    height: u32,
    old_bits: CompactTarget,
    new_bits: CompactTarget,
    params: &PowParams,
) -> bool {
    match &params.retarget {
        Retarget::Bitcoin(rule) => bitcoin::permitted_difficulty_transition(height, old_bits, new_bits, params, rule),
        Retarget::Asert(_) => true,
    }
}
