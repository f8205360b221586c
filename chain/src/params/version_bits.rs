//! Deployments decided by miners' votes in block versions.

/// A rule that activates once enough blocks of a period signal for it (Core: `Consensus::BIP9Deployment`; BIP9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionBitsDeployment {
    /// Bit of the block version that signals, from 0 to 28.
    pub bit: u8,
    /// When voting starts.
    pub start: DeploymentStart,
    /// Median time, in seconds since 1970, at which voting ends without success; `None` is never
    /// (Core: `NO_TIMEOUT`).
    pub timeout: Option<i64>,
    /// Activation waits for at least this height (Core: `min_activation_height`).
    pub min_activation_height: u32,
    /// Blocks in one period of voting.
    pub period: u32,
    /// Signalling blocks of one period that lock the rule in.
    pub threshold: u32,
}

/// When voting starts (Core: `nStartTime`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentStart {
    /// The rule holds without a vote (Core: `ALWAYS_ACTIVE`, -1).
    AlwaysActive,
    /// There is no vote (Core: `NEVER_ACTIVE`, -2).
    NeverActive,
    /// From this median time on, in seconds since 1970.
    At(i64),
}

impl VersionBitsDeployment {
    /// Nine blocks in ten of a period of 2016.
    pub(crate) const NINETY_PERCENT: u32 = 1815;
    /// Three blocks in four of a period of 2016.
    pub(crate) const SEVENTY_FIVE_PERCENT: u32 = 1512;

    /// Core's test deployment where it can never activate, with the network's threshold out of 2016 blocks.
    pub(crate) const fn testdummy_never(threshold: u32) -> Self {
        Self {
            bit: 28,
            start: DeploymentStart::NeverActive,
            timeout: None,
            min_activation_height: 0,
            period: 2016,
            threshold,
        }
    }

    /// Core's test deployment on regtest.
    pub(crate) const TESTDUMMY_REGTEST: Self = Self {
        bit: 28,
        start: DeploymentStart::At(0),
        timeout: None,
        min_activation_height: 0,
        period: 144,
        threshold: 108,
    };
}
