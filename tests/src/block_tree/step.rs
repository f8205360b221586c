//! What a tree is fed to a node in.

use bitcoin::BlockHash;

use crate::block_judge::{Answer, Class, Failure, Judgement};

/// One submission, and what must come of it.
pub(super) struct Step {
    /// What it is, for whoever reads a failure.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) expected: Judgement,
    /// The tip afterwards.
    pub(super) tip: BlockHash,
    /// What it covers, by kind.
    pub(super) covers: Vec<(&'static str, &'static str)>,
}

/// Judgements, in few words.
pub(super) fn answer(answer: Answer) -> Judgement {
    Judgement { answer, failed: Vec::new() }
}

pub(super) fn stored() -> Judgement {
    answer(Answer::Stored)
}

pub(super) fn rejected(class: Class, reason: &str) -> Judgement {
    answer(Answer::Rejected(failure(class, reason)))
}

pub(super) fn stored_and_failed(hash: BlockHash, reason: &str) -> Judgement {
    Judgement { answer: Answer::Stored, failed: vec![(hash, failure(Class::Consensus, reason))] }
}

fn failure(class: Class, reason: &str) -> Failure {
    Failure { class, reason: Some(reason.to_owned()) }
}
