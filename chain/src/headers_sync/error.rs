//! What a peer may do wrong.

use bitcoin::{BlockHash, CompactTarget};
use thiserror::Error;

use crate::pow::ProofOfWorkError;

/// Why the headers of a peer are not fetched any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeadersSyncError {
    /// The message does not go on where the one before ended. The peer may have changed to another chain.
    #[error("headers do not connect: expected one on top of {expected}, got one on top of {got}")]
    Unconnecting {
        /// The last header that came.
        expected: BlockHash,
        /// What the first header of the message is on top of.
        got: BlockHash,
    },
    /// A header is not on top of the one before it in the same message, which no honest peer sends (Core:
    /// `CheckHeadersAreContinuous`, `net_processing.cpp`).
    #[error("header at height {height} is not continuous: expected one on top of {expected}, got one on top of {got}")]
    NonContinuous {
        /// Height the header should have.
        height: u32,
        /// The header before it.
        expected: BlockHash,
        /// What it is on top of.
        got: BlockHash,
    },
    /// A header does not meet the target it claims, which no honest peer sends (Core: `CheckHeadersPoW`,
    /// `net_processing.cpp`).
    #[error("header at height {height} has no proof of work: {source}")]
    ProofOfWork {
        /// Height of the header.
        height: u32,
        /// What is wrong with it.
        source: ProofOfWorkError,
    },
    /// The target changes more than one period may change it, or within one (Core: `PermittedDifficultyTransition`, `pow.cpp`).
    #[error("target at height {height} may not follow {previous:#010x}, got {got:#010x}")]
    DifficultyTransition {
        /// Height of the header.
        height: u32,
        /// Compact target of the header before it.
        previous: CompactTarget,
        /// Its own.
        got: CompactTarget,
    },
    /// The target is not the one that follows from the schedule.
    #[error("target at height {height} is wrong: expected {expected:#010x}, got {got:#010x}")]
    DifficultyBits {
        /// Height of the header.
        height: u32,
        /// The compact target it should have.
        expected: CompactTarget,
        /// The compact target it has.
        got: CompactTarget,
    },
    /// The header is too far ahead of our clock, on a network where that would make the next ones easier.
    #[error("header at height {height} is too far in the future: expected at most {latest}, got {got}")]
    TimeTooNew {
        /// Height of the header.
        height: u32,
        /// The latest timestamp it may have, in seconds since 1970.
        latest: u64,
        /// Its timestamp, in seconds since 1970.
        got: u32,
    },
    /// The chain is longer than any that obeys the rules.
    #[error("chain is too long at height {height}: expected at most {maximum} commitments")]
    TooManyCommitments {
        /// Height of the header that is too many.
        height: u32,
        /// Most commitments there may be.
        maximum: u64,
    },
    /// The chain is higher than heights go.
    #[error("chain is higher than 2^32 - 1 blocks")]
    TooHigh,
    /// In the second pass the header is another one than in the first (Core: "commitment mismatch").
    #[error("header at height {height} is another one than before")]
    CommitmentMismatch {
        /// Height of the header.
        height: u32,
    },
    /// In the second pass the chain has become longer than in the first, without as much work (Core: "commitment overrun").
    #[error("chain has less work than before at height {height}")]
    CommitmentOverrun {
        /// Height of the header.
        height: u32,
    },
    /// It was over before. The peer did nothing wrong: whoever calls did not look.
    #[error("headers sync is over")]
    Finished,
}
