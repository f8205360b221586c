//! What a broken rule means for the block's hash and for whoever sent it.
#![deny(clippy::wildcard_enum_match_arm)]

use super::{BlockError, HeaderError, InputsError};

/// What became of a block that was not accepted (Core: `BlockValidationResult`, `consensus/validation.h`).
///
/// Only [`condemns_hash`](Verdict::condemns_hash) verdicts may be remembered for a hash. Above all a mutated body must not
/// be: anyone can pair a good header with a bad body, and a node that blamed the header would lock itself out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// No chain that contains the block is valid.
    Invalid,
    /// The header breaks a rule, so it was not worth a header's place in the index.
    InvalidHeader,
    /// What arrived is not what the header commits to; the real block may still come.
    Mutated,
    /// The parent is not known; it may come.
    MissingParent,
    /// A block before it is invalid.
    InvalidParent,
    /// It was found invalid before.
    CachedInvalid,
    /// It is too far ahead of our clock; to be tried again later.
    TooNew,
    /// Its chain has too little work to be remembered.
    LowWork,
    /// We could not find out: the fault is our own, and says nothing about the block.
    OurFault,
}

impl Verdict {
    /// Whether the hash is invalid for ever, whoever sends it again.
    #[must_use]
    pub fn condemns_hash(self) -> bool {
        match self {
            Self::Invalid | Self::InvalidHeader | Self::InvalidParent | Self::CachedInvalid => true,
            Self::Mutated | Self::MissingParent | Self::TooNew | Self::LowWork | Self::OurFault => false,
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

impl BlockError {
    /// What the failure means.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Header(error) => error.verdict(),
            Self::BadMerkleRoot { .. }
            | Self::DuplicateTransactions
            | Self::BadWitnessNonceSize
            | Self::BadWitnessMerkleMatch
            | Self::UnexpectedWitness { .. } => Verdict::Mutated,
            Self::Inputs { source, .. } => match source {
                InputsError::Coins(_) => Verdict::OurFault,
                InputsError::MissingOrSpent { .. }
                | InputsError::PrematureSpendOfCoinbase { .. }
                | InputsError::InputValuesOutOfRange { .. }
                | InputsError::InputsBelowOutputs { .. } => Verdict::Invalid,
            },
            Self::BadSignetSolution
            | Self::BadLength { .. }
            | Self::CoinbaseMissing
            | Self::CoinbaseMultiple { .. }
            | Self::Transaction { .. }
            | Self::TooManySigops { .. }
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
