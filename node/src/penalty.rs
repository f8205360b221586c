//! What a message means for itself and for who sent it: the one table from verdicts to gossip and misbehaviour.
//!
//! The verdict on a message is not the score of a peer. A message that is not forwarded may come from an honest peer with other
//! rules of policy, an older view of the chain or a wrong clock; only what no honest node ever sends counts against a peer, and
//! what an overloaded one may do counts little. There is no default: a new verdict does not compile before somebody decided.
//!
//! | file | holds |
//! |---|---|
//! | `score` | what a peer did so far, and what follows |
//! | `bans` | who may not come back, and until when |
//! | `reputation` | both together, and what follows for connections |

#![deny(clippy::wildcard_enum_match_arm)]

mod bans;
mod reputation;
mod score;

use cairn_chain::headers_sync::HeadersSyncError;
use cairn_chain::mempool::policy::TransactionVerdict;
use cairn_chain::validation::Verdict;
use cairn_net::{Acceptance, RequestError, Violation};

pub(crate) use bans::{Ban, BanListError};
use bans::{BanFile, BanList};
pub(crate) use reputation::{BAN_TIME, Reputation, unix_time};
use score::{Consequence, PeerScores};

/// Misbehaviour after which a peer is banned at once.
const BAN: i32 = 100;
/// Misbehaviour that happens to overloaded peers, too: a few in a short time end the connection.
const FAILURE: i32 = 5;
/// Misbehaviour that an honest node may commit now and then, by a rule that changed.
const SLIP: i32 = 1;

/// Something a peer sent or failed to send, and what was found.
#[derive(Debug)]
pub(crate) enum Conduct<'a> {
    /// It broke a rule of the protocol between nodes.
    Violation(&'a Violation),
    /// It did not answer a question, or wrongly.
    Answer(&'a RequestError),
    /// It sent a header.
    Header(Verdict),
    /// Its headers do not follow one another.
    HeadersNotContinuous,
    /// Its headers were looked at before they were kept, and found wrong.
    LowWorkHeaders(HeadersSyncError),
    /// It sent a block that it was asked for.
    Block(Verdict),
    /// It sent a block from what it said stands in it: it had no choice but to build on others' words.
    RebuiltBlock(Verdict),
    /// What it sent as a compact block is none, or no block comes of it and of the transactions that it sent.
    BadCompactBlock,
    /// What it sent as a block is none.
    UndecodableBlock,
    /// It sent a transaction.
    Transaction(TransactionVerdict),
    /// What it sent as a transaction is none.
    UndecodableTransaction,
}

/// What becomes of a message and of who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Penalty {
    /// What becomes of the message, if it was gossiped.
    pub(crate) acceptance: Acceptance,
    /// How much it counts against the peer: nothing, or a positive number.
    pub(crate) misbehaviour: i32,
    /// What the peer did, for logs, metrics and the list of bans.
    pub(crate) reason: &'static str,
}

impl Penalty {
    const fn new(acceptance: Acceptance, misbehaviour: i32, reason: &'static str) -> Self {
        Self { acceptance, misbehaviour, reason }
    }
}

/// What becomes of a message and of who sent it.
pub(crate) fn penalty(conduct: &Conduct<'_>) -> Penalty {
    use Acceptance::{Ignore, Reject};
    match conduct {
        Conduct::Violation(violation) => match violation {
            Violation::Frame(_) => Penalty::new(Reject, BAN, "undecodable message"),
            Violation::Header(_) => Penalty::new(Reject, BAN, "header without work"),
            Violation::AnotherNetwork => Penalty::new(Reject, BAN, "another network"),
        },
        Conduct::Answer(error) => match error {
            // What is wrong with the answer was told as a violation already, but for blocks nobody asked for.
            RequestError::Invalid(_) => Penalty::new(Ignore, BAN, "invalid answer"),
            RequestError::Timeout | RequestError::Failed(_) => Penalty::new(Ignore, FAILURE, "no answer"),
            RequestError::Unsupported
            | RequestError::Busy { .. }
            | RequestError::Unaskable(_)
            | RequestError::NotConnected
            | RequestError::TooManyInFlight
            | RequestError::Disconnected
            | RequestError::Stopped(_) => Penalty::new(Ignore, 0, "unanswered"),
        },
        Conduct::Header(verdict) => match verdict {
            Verdict::Invalid | Verdict::InvalidBody | Verdict::InvalidHeader | Verdict::Mutated => {
                Penalty::new(Reject, BAN, "invalid header")
            }
            // Headers are forwarded before their blocks are verified, so it may not know yet. Who insists follows other rules.
            Verdict::CachedInvalid | Verdict::InvalidParent => {
                Penalty::new(Reject, FAILURE, "header on an invalid block")
            }
            Verdict::MissingParent | Verdict::TooNew | Verdict::LowWork | Verdict::OurFault => {
                Penalty::new(Ignore, 0, "header of no use")
            }
        },
        Conduct::HeadersNotContinuous => Penalty::new(Reject, BAN, "headers that do not connect"),
        Conduct::LowWorkHeaders(error) => match error {
            HeadersSyncError::NonContinuous { .. }
            | HeadersSyncError::ProofOfWork { .. }
            | HeadersSyncError::DifficultyBits { .. } => Penalty::new(Reject, BAN, "invalid header"),
            // It may be on another chain by now, or have another clock (Core does not punish these either).
            HeadersSyncError::Unconnecting { .. }
            | HeadersSyncError::DifficultyTransition { .. }
            | HeadersSyncError::TimeTooNew { .. }
            | HeadersSyncError::TooManyCommitments { .. }
            | HeadersSyncError::TooHigh
            | HeadersSyncError::CommitmentMismatch { .. }
            | HeadersSyncError::CommitmentOverrun { .. }
            | HeadersSyncError::Finished => Penalty::new(Ignore, 0, "headers of no use"),
        },
        Conduct::Block(verdict) => match verdict {
            Verdict::Invalid | Verdict::InvalidBody | Verdict::InvalidHeader => {
                Penalty::new(Reject, BAN, "invalid block")
            }
            Verdict::Mutated => Penalty::new(Reject, BAN, "mutated block"),
            // It was asked for, and may have stood in line behind the one that turned out invalid.
            Verdict::InvalidParent | Verdict::CachedInvalid => Penalty::new(Ignore, 0, "block on an invalid block"),
            Verdict::MissingParent | Verdict::TooNew | Verdict::LowWork | Verdict::OurFault => {
                Penalty::new(Ignore, 0, "block of no use")
            }
        },
        // Who relays a compact block does so before it knows whether the block is valid (BIP152).
        Conduct::RebuiltBlock(verdict) => match verdict {
            Verdict::Mutated => Penalty::new(Reject, BAN, "mutated block"),
            Verdict::Invalid
            | Verdict::InvalidBody
            | Verdict::InvalidHeader
            | Verdict::InvalidParent
            | Verdict::CachedInvalid
            | Verdict::MissingParent
            | Verdict::TooNew
            | Verdict::LowWork
            | Verdict::OurFault => Penalty::new(Ignore, 0, "block of no use"),
        },
        Conduct::BadCompactBlock => Penalty::new(Reject, BAN, "bad compact block"),
        Conduct::UndecodableBlock => Penalty::new(Reject, BAN, "undecodable block"),
        Conduct::Transaction(verdict) => match verdict {
            TransactionVerdict::Invalid => Penalty::new(Reject, SLIP, "invalid transaction"),
            TransactionVerdict::InputsNotStandard
            | TransactionVerdict::NotStandard
            | TransactionVerdict::MissingInputs
            | TransactionVerdict::PrematureSpend
            | TransactionVerdict::WitnessMutated
            | TransactionVerdict::WitnessStripped
            | TransactionVerdict::Conflict
            | TransactionVerdict::MempoolPolicy
            | TransactionVerdict::Reconsiderable
            | TransactionVerdict::Unknown
            | TransactionVerdict::OurFault => Penalty::new(Ignore, 0, "transaction of no use"),
        },
        Conduct::UndecodableTransaction => Penalty::new(Reject, BAN, "undecodable transaction"),
    }
}

#[cfg(test)]
mod tests;
