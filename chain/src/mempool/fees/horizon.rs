//! The three horizons: how far targets reach, how finely they are told apart, and how fast blocks are forgotten.

/// How far back an estimate looks (Core: `FeeEstimateHorizon`, `policy/fees/block_policy_estimator.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeeEstimateHorizon {
    /// A block counts half after 18 more; targets up to 12 blocks.
    Short,
    /// A block counts half after 144 more, about a day; targets up to 48 blocks.
    Medium,
    /// A block counts half after 1008 more, about a week; targets up to 1008 blocks.
    Long,
}

impl FeeEstimateHorizon {
    /// All horizons, the shortest first (Core: `ALL_FEE_ESTIMATE_HORIZONS`).
    pub const ALL: [Self; 3] = [Self::Short, Self::Medium, Self::Long];

    /// The name RPC clients know it by (Core: `StringForFeeEstimateHorizon`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
        }
    }

    /// Number of periods that confirmations are counted for (Core: `SHORT_BLOCK_PERIODS`, `MED_BLOCK_PERIODS`,
    /// `LONG_BLOCK_PERIODS`).
    pub(super) fn periods(self) -> u32 {
        match self {
            Self::Short => 12,
            Self::Medium => 24,
            Self::Long => 42,
        }
    }

    /// Blocks in a period (Core: `SHORT_SCALE`, `MED_SCALE`, `LONG_SCALE`).
    pub(super) fn scale(self) -> u32 {
        match self {
            Self::Short => 1,
            Self::Medium => 2,
            Self::Long => 24,
        }
    }

    /// What every average is multiplied with at each block (Core: `SHORT_DECAY`, `MED_DECAY`, `LONG_DECAY`).
    pub(super) fn decay(self) -> f64 {
        match self {
            Self::Short => 0.962,
            Self::Medium => 0.9952,
            Self::Long => 0.99931,
        }
    }

    /// Transactions per block that make a range of buckets significant (Core: `SUFFICIENT_TXS_SHORT`, `SUFFICIENT_FEETXS`).
    pub(super) fn sufficient_transactions(self) -> f64 {
        match self {
            Self::Short => 0.5,
            Self::Medium | Self::Long => 0.1,
        }
    }

    /// The highest target that is tracked, in blocks (Core: `GetMaxConfirms`).
    pub(super) fn max_confirms(self) -> u32 {
        self.scale() * self.periods()
    }
}
