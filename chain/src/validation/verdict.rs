//! What a broken rule means for the block's hash and for whoever sent it.
#![deny(clippy::wildcard_enum_match_arm)]

use super::{BlockError, HeaderError, InputsError};

/// What became of a block that was not accepted (Core: `BlockValidationResult`, `consensus/validation.h`).
///
/// Only [`condemns_hash`](Verdict::condemns_hash) verdicts may be remembered for a hash. Above all a bad body must not be
/// held against its header: anyone can pair a good header with one, and a node that blamed the header would lock itself
/// out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// No chain that contains the block is valid (Core: `BLOCK_CONSENSUS`).
    Invalid,
    /// The body breaks a rule on its own. That is the sender's fault, but not the header's: before a block's own merkle root
    /// is met by transactions that start with a coinbase, its body could have been made up to look like this. Core, too,
    /// forgets what fails `CheckBlock` (`ProcessNewBlock`, `validation.cpp`).
    InvalidBody,
    /// The header breaks a rule; it gets no place in the index (Core: `BLOCK_INVALID_HEADER`).
    InvalidHeader,
    /// What arrived is not what the header commits to; the real block may still come (Core:
    /// `BLOCK_MUTATED`).
    Mutated,
    /// The parent is not known; it may come (Core: `BLOCK_MISSING_PREV`).
    MissingParent,
    /// A block before it is invalid (Core: `BLOCK_INVALID_PREV`).
    InvalidParent,
    /// It was found invalid before (Core: `BLOCK_CACHED_INVALID`).
    CachedInvalid,
    /// It is too far ahead of our clock; to be tried again later (Core: `BLOCK_TIME_FUTURE`).
    TooNew,
    /// Its chain has too little work to be remembered (Core: `BLOCK_HEADER_LOW_WORK`).
    LowWork,
    /// We could not find out: the fault is our own, and says nothing about the block (Core: `state.Error`).
    OurFault,
}

impl Verdict {
    /// Whether the hash is invalid for ever, whoever sends it again. Hashes of headers that are invalid themselves, or that
    /// follow an invalid block, are not worth remembering: anyone can make as many as they like.
    #[must_use]
    pub fn condemns_hash(self) -> bool {
        match self {
            Self::Invalid | Self::CachedInvalid => true,
            Self::InvalidBody
            | Self::InvalidHeader
            | Self::InvalidParent
            | Self::Mutated
            | Self::MissingParent
            | Self::TooNew
            | Self::LowWork
            | Self::OurFault => false,
        }
    }
}

impl HeaderError {
    /// What the failure means.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::HighHash(_)
            | Self::BadDifficultyBits { .. }
            | Self::TimeTooOld { .. }
            | Self::TimewarpAttack { .. }
            | Self::BadVersion { .. } => Verdict::InvalidHeader,
            Self::PreviousNotFound { .. } => Verdict::MissingParent,
            Self::PreviousInvalid { .. } => Verdict::InvalidParent,
            Self::DuplicateInvalid => Verdict::CachedInvalid,
            Self::TimeTooNew { .. } => Verdict::TooNew,
            Self::TooLittleChainWork => Verdict::LowWork,
        }
    }
}

impl InputsError {
    /// What the failure means for a block that holds the transaction.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::MissingOrSpent { .. }
            | Self::PrematureSpendOfCoinbase { .. }
            | Self::InputValuesOutOfRange { .. }
            | Self::InputsBelowOutputs { .. } => Verdict::Invalid,
            Self::Coins(_) => Verdict::OurFault,
        }
    }
}

impl BlockError {
    /// What the failure means.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Header(error) => error.verdict(),
            Self::BadMerkleRoot { .. }
            | Self::DuplicateTransactions
            | Self::BadWitnessNonceSize { .. }
            | Self::BadWitnessMerkleMatch { .. }
            | Self::UnexpectedWitness { .. } => Verdict::Mutated,
            Self::Inputs { source, .. } => source.verdict(),
            Self::BadSignetSolution
            | Self::BadLength { .. }
            | Self::CoinbaseMissing
            | Self::CoinbaseMultiple { .. }
            | Self::Transaction { .. }
            | Self::TooManyLegacySigops { .. } => Verdict::InvalidBody,
            Self::TooManySigops { .. }
            | Self::NonFinal { .. }
            | Self::BadCoinbaseHeight { .. }
            | Self::BadWeight { .. }
            | Self::Bip30 { .. }
            | Self::FeesOutOfRange { .. }
            | Self::SequenceLocked { .. }
            | Self::CoinbaseAmount { .. }
            | Self::Script { .. } => Verdict::Invalid,
        }
    }
}
