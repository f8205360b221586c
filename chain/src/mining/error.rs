//! One variant for each rule.

use thiserror::Error;

use super::MINIMUM_BLOCK_RESERVED_WEIGHT;
use crate::chainstate::{ChainstateError, ProposalError};
use crate::validation::{MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT};

/// Options no block can be made with (Core: `CheckMiningOptions`, `node/mining_args.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TemplateOptionsError {
    /// Too little is kept free for header and coinbase.
    #[error("too little weight is reserved: expected at least {MINIMUM_BLOCK_RESERVED_WEIGHT} weight units, got {got}")]
    ReservedWeightTooLow {
        /// Weight units.
        got: usize,
    },
    /// More is kept free than a block has.
    #[error("too much weight is reserved: expected at most {MAX_BLOCK_WEIGHT} weight units, got {got}")]
    ReservedWeightTooHigh {
        /// Weight units.
        got: usize,
    },
    /// More weight than a block may have.
    #[error("maximum weight is too high: expected at most {MAX_BLOCK_WEIGHT} weight units, got {got}")]
    MaxWeightTooHigh {
        /// Weight units.
        got: usize,
    },
    /// More is kept free than there is.
    #[error("more weight is reserved than a block may have: expected at most {most} weight units, got {reserved}")]
    ReservedAboveMaxWeight {
        /// Weight units kept free.
        reserved: usize,
        /// Weight units the block may have.
        most: usize,
    },
    /// More signature operations are kept free than a block may have.
    #[error(
        "too many signature operations are reserved: expected a cost of at most {MAX_BLOCK_SIGOPS_COST}, got {got}"
    )]
    TooManyCoinbaseSigops {
        /// Their cost.
        got: usize,
    },
}

/// Why there is no template.
#[derive(Debug, Clone, Error)]
pub enum TemplateError {
    /// No block can be made with these options.
    #[error(transparent)]
    Options(#[from] TemplateOptionsError),
    /// The block that was made is not valid: pool and chain contradict each other, or the coinbase's script is too large.
    #[error("TestBlockValidity failed: {}", .0.reject_reason())]
    Invalid(#[source] ProposalError),
    /// The chain state failed.
    #[error(transparent)]
    Chainstate(#[from] ChainstateError),
}
