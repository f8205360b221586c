//! Rules that miners vote about with the versions of their blocks (BIP9).
//!
//! ```text
//!          the start has come           enough votes              a period later, at the earliest height
//! Defined ────────────────────▶ Started ────────────▶ LockedIn ──────────────────────────────────────────▶ Active
//!                                  └────── the timeout has come ──────▶ Failed
//! ```
//!
//! All blocks of a period are in one state, which follows from the periods before; those of the first are in
//! [`ThresholdState::Defined`]. Nothing is remembered from one question to the next: while a vote is undecided, an answer costs
//! a walk over all blocks since it began, which is some milliseconds for a million of them.

use bitcoin::block::Version;

use crate::header_chain::HeaderChain;
use crate::params::{DeploymentStart, VersionBitsDeployment};

/// What the three highest bits of a version that votes are (Core: `VERSIONBITS_TOP_BITS`, `versionbits.h`).
const TOP_BITS: i32 = 0x2000_0000;
/// The three highest bits (Core: `VERSIONBITS_TOP_MASK`, `versionbits.h`).
const TOP_MASK: u32 = 0xe000_0000;

/// How far a vote is (Core: `ThresholdState`, `versionbits_impl.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThresholdState {
    /// It has not begun.
    Defined,
    /// Blocks vote.
    Started,
    /// Enough blocks voted; the rule will hold.
    LockedIn,
    /// The rule holds.
    Active,
    /// It ended without success.
    Failed,
}

impl ThresholdState {
    /// The name RPC clients read (Core: `StateName`, `versionbits.cpp`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Defined => "defined",
            Self::Started => "started",
            Self::LockedIn => "locked_in",
            Self::Active => "active",
            Self::Failed => "failed",
        }
    }

    /// Whether new blocks vote in this state.
    #[must_use]
    pub fn is_signalling(self) -> bool {
        matches!(self, Self::Started | Self::LockedIn)
    }
}

/// The state of a vote, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentState {
    /// The state.
    pub state: ThresholdState,
    /// Height of the first block in it; zero for what never was in another (Core: `GetStateSinceHeightFor`,
    /// `versionbits.cpp`).
    pub since: u32,
}

/// Votes of one period up to some block (Core: `BIP9Stats`, `versionbits.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentStatistics {
    /// Blocks of a period.
    pub period: u32,
    /// Votes that lock the rule in; zero when it is.
    pub threshold: u32,
    /// Blocks of the period so far.
    pub elapsed: u32,
    /// Votes among them.
    pub count: u32,
    /// Whether the period can still lock the rule in.
    pub possible: bool,
}

/// All that is known about a vote at some block (Core: `BIP9Info`, `versionbits.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentInfo {
    /// The state of the block.
    pub state: ThresholdState,
    /// Height of the first block in that state.
    pub since: u32,
    /// The state of the block after it.
    pub next_state: ThresholdState,
    /// Votes of the block's period, while there are any.
    pub statistics: Option<DeploymentStatistics>,
    /// Which blocks of the period voted, up to the block; empty without statistics.
    pub signalling: Vec<bool>,
    /// The first height at which the rule holds, if that is decided.
    pub active_since: Option<u32>,
}

impl VersionBitsDeployment {
    /// The bit in the version of a block (Core: `VersionBitsConditionChecker::Mask`, `versionbits_impl.h`).
    #[must_use]
    pub fn mask(&self) -> i32 {
        1_i32.checked_shl(self.bit.into()).unwrap_or(0)
    }

    /// Whether a block with this version votes for it (Core: `VersionBitsConditionChecker::Condition`,
    /// `versionbits_impl.h`).
    #[must_use]
    pub fn is_signalled_by(&self, version: Version) -> bool {
        let version = version.to_consensus();
        version.cast_unsigned() & TOP_MASK == TOP_BITS.cast_unsigned() && version & self.mask() != 0
    }

    /// The state after a period whose last block is at `last`, given the state of that period.
    fn next_state(&self, chain: &(impl HeaderChain + ?Sized), last: u32, state: ThresholdState) -> ThresholdState {
        let has_come = |time: i64| i64::from(chain.median_time_past_at(last)) >= time;
        match (state, self.start) {
            (ThresholdState::Defined, DeploymentStart::At(start)) if has_come(start) => ThresholdState::Started,
            (ThresholdState::Started, _) => {
                let first = (last + 1).saturating_sub(self.period());
                // The votes count first: a period that begins before the timeout can lock the rule in after it.
                if count(self, chain, first, last) >= self.threshold {
                    ThresholdState::LockedIn
                } else if self.timeout.is_some_and(has_come) {
                    ThresholdState::Failed
                } else {
                    ThresholdState::Started
                }
            }
            (ThresholdState::LockedIn, _) if last + 1 >= self.min_activation_height => ThresholdState::Active,
            (state, _) => state,
        }
    }

    /// Blocks of a period, at least one.
    fn period(&self) -> u32 {
        self.period.max(1)
    }
}

/// Votes from one height to another, both included.
fn count(deployment: &VersionBitsDeployment, chain: &(impl HeaderChain + ?Sized), first: u32, last: u32) -> u32 {
    let voted = |height: &u32| deployment.is_signalled_by(chain.header_at(*height).version);
    u32::try_from((first..=last).filter(voted).count()).expect("at most as many as heights")
}

/// The state of the block at `height`, which is at most one above the last block of `chain` (Core: `GetStateFor`,
/// `GetStateSinceHeightFor`, `versionbits.cpp`).
///
/// # Panics
///
/// When the height is above that.
#[must_use]
pub fn deployment_state(
    chain: &(impl HeaderChain + ?Sized),
    height: u32,
    deployment: &VersionBitsDeployment,
) -> DeploymentState {
    assert!(height <= chain.height() + 1, "a state follows from the blocks before");
    match deployment.start {
        DeploymentStart::AlwaysActive => return DeploymentState { state: ThresholdState::Active, since: 0 },
        DeploymentStart::NeverActive => return DeploymentState { state: ThresholdState::Failed, since: 0 },
        DeploymentStart::At(_) => {}
    }
    let mut current = DeploymentState { state: ThresholdState::Defined, since: 0 };
    for period in 1..=height / deployment.period() {
        let since = period * deployment.period();
        let state = deployment.next_state(chain, since - 1, current.state);
        if state != current.state {
            current = DeploymentState { state, since };
        }
        if matches!(state, ThresholdState::Active | ThresholdState::Failed) {
            break;
        }
    }
    current
}

/// What is known about a vote at the last block of `chain` (Core: `VersionBitsCache::Info`, `versionbits.cpp`).
#[must_use]
pub fn deployment_info(chain: &(impl HeaderChain + ?Sized), deployment: &VersionBitsDeployment) -> DeploymentInfo {
    let height = chain.height();
    let DeploymentState { state, since } = deployment_state(chain, height, deployment);
    let next_state = deployment_state(chain, height + 1, deployment).state;
    let mut info =
        DeploymentInfo { state, since, next_state, statistics: None, signalling: Vec::new(), active_since: None };
    if state.is_signalling() {
        let first = height - height % deployment.period();
        let voted = |height| deployment.is_signalled_by(chain.header_at(height).version);
        info.signalling = (first..=height).map(voted).collect();
        info.statistics = Some(statistics(deployment, state, first, height, &info.signalling));
    }
    if state == ThresholdState::Active {
        info.active_since = Some(since);
    } else if next_state == ThresholdState::Active {
        info.active_since = Some(height + 1);
    }
    info
}

/// Core: `GetStateStatisticsFor`, `versionbits.cpp`.
fn statistics(
    deployment: &VersionBitsDeployment,
    state: ThresholdState,
    first: u32,
    last: u32,
    signalling: &[bool],
) -> DeploymentStatistics {
    let count = u32::try_from(signalling.iter().filter(|voted| **voted).count()).expect("at most as many as heights");
    let (period, elapsed) = (deployment.period(), last - first + 1);
    let is_decided = state == ThresholdState::LockedIn;
    DeploymentStatistics {
        period,
        threshold: if is_decided { 0 } else { deployment.threshold },
        elapsed,
        count,
        possible: !is_decided && period.saturating_sub(deployment.threshold) >= elapsed - count,
    }
}

/// The version of the block after the last one of `chain`, which votes for what is not decided and confirms what is locked in
/// (Core: `ComputeBlockVersion`, `versionbits.cpp`).
#[must_use]
pub fn compute_block_version(chain: &(impl HeaderChain + ?Sized), deployment: &VersionBitsDeployment) -> i32 {
    let state = deployment_state(chain, chain.height() + 1, deployment).state;
    if state.is_signalling() { TOP_BITS | deployment.mask() } else { TOP_BITS }
}

#[cfg(test)]
mod tests;
