//! What a node says about a block, in terms every node can answer in.

use bitcoin::BlockHash;
use cairn_chain::validation::{BlockError, Verdict};

/// A node that judges blocks.
pub trait BlockJudge {
    /// Hands the node a block, as a peer would that was asked for it, and waits until the node has settled on a chain.
    fn submit(&mut self, bytes: &[u8]) -> Judgement;

    /// The last block of the chain the node has settled on.
    fn tip(&self) -> BlockHash;
}

/// Everything that came of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What became of the block that was submitted.
    pub answer: Answer,
    /// The stored blocks that turned out invalid while the node tried to connect them, in that order: perhaps the submitted
    /// one, perhaps one before or after it in the chain it completed, perhaps several on several branches. The order is
    /// determined: the branch with the most work comes first, and of two with the same work the one that was complete
    /// first. Descendants of these are invalid too, and not listed.
    pub failed: Vec<(BlockHash, Failure)>,
}

/// What became of a block that was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The bytes are no block.
    Undecodable,
    /// It was not stored.
    Rejected(Failure),
    /// Nothing: a block with this header was stored before, and is not known to be invalid.
    Known,
    /// It obeys every rule that does not need the coins before it, and was stored. Whether it obeys the others shows when it
    /// is connected: at once when its chain has the most work.
    Stored,
}

/// Why a block is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure.
    pub class: Class,
    /// Core's reject reason, or how it begins. A node that does not give reasons agrees with any.
    pub reason: Option<String>,
}

/// The kind of a failure (Core: `BlockValidationResult`, `consensus/validation.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// `BLOCK_CONSENSUS`: [`Verdict::Invalid`] and [`Verdict::InvalidBody`], which Core does not tell apart by name. They
    /// differ in what happens to the block's children, so a node that takes one for the other is found out by those.
    Consensus,
    /// `BLOCK_CACHED_INVALID`
    CachedInvalid,
    /// `BLOCK_INVALID_HEADER`
    InvalidHeader,
    /// `BLOCK_MUTATED`
    Mutated,
    /// `BLOCK_MISSING_PREV`
    MissingParent,
    /// `BLOCK_INVALID_PREV`
    InvalidParent,
    /// `BLOCK_TIME_FUTURE`
    TimeFuture,
}

impl Class {
    /// Every kind that a block which was asked for can meet: `BLOCK_HEADER_LOW_WORK` is for headers nobody asked for.
    pub const ALL: [Self; 7] = [
        Self::Consensus,
        Self::CachedInvalid,
        Self::InvalidHeader,
        Self::Mutated,
        Self::MissingParent,
        Self::InvalidParent,
        Self::TimeFuture,
    ];
}

impl From<Verdict> for Class {
    /// # Panics
    ///
    /// On verdicts that no block can deserve here: a fault of the node's own, or too little work.
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Invalid | Verdict::InvalidBody => Self::Consensus,
            Verdict::InvalidHeader => Self::InvalidHeader,
            Verdict::Mutated => Self::Mutated,
            Verdict::MissingParent => Self::MissingParent,
            Verdict::InvalidParent => Self::InvalidParent,
            Verdict::CachedInvalid => Self::CachedInvalid,
            Verdict::TooNew => Self::TimeFuture,
            Verdict::LowWork | Verdict::OurFault => panic!("{verdict:?} is no fault of a block"),
        }
    }
}

impl From<&BlockError> for Failure {
    fn from(error: &BlockError) -> Self {
        Self { class: error.verdict().into(), reason: Some(error.reject_reason().into_owned()) }
    }
}

impl Failure {
    /// Whether two nodes mean the same.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let reasons_agree = match (&self.reason, &other.reason) {
            (Some(one), Some(other)) => one.starts_with(other.as_str()) || other.starts_with(one.as_str()),
            _ => true,
        };
        self.class == other.class && reasons_agree
    }
}

impl Judgement {
    /// Whether two nodes mean the same.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let answers_agree = match (&self.answer, &other.answer) {
            (Answer::Rejected(one), Answer::Rejected(other)) => one.agrees_with(other),
            (one, other) => one == other,
        };
        answers_agree
            && self.failed.len() == other.failed.len()
            && self.failed.iter().zip(&other.failed).all(|(one, other)| one.0 == other.0 && one.1.agrees_with(&other.1))
    }
}
