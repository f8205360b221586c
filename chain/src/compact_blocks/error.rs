//! What can be wrong with a compact block, and with what it becomes.

use thiserror::Error;

use super::MAX_COMPACT_BLOCK_TRANSACTIONS;
use crate::primitives::DecodeError;
use crate::validation::BlockError;

/// Why bytes are not a compact block, or why a block has no compact form. Whoever sent the bytes is at fault (Core: an
/// exception of the deserializer, or `READ_STATUS_INVALID`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CompactBlockError {
    /// Core's deserializer would refuse the bytes.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It has no transactions, and so no coinbase.
    #[error("no transactions, expected at least one")]
    NoTransactions,
    /// It has more transactions than 16 bits count (Core: `indexes overflowed 16 bits`, `blockencodings.h`).
    #[error("{got} transactions, expected at most {MAX_COMPACT_BLOCK_TRANSACTIONS}")]
    TooManyTransactions {
        /// How many, or how many at least.
        got: usize,
    },
    /// Its header has no target, by which Core tells a header that was never filled in (Core: `CBlockHeader::IsNull`,
    /// `primitives/block.h`).
    #[error("the header has no target")]
    NullHeader,
    /// A transaction is carried for a place that no id and no other transaction reach.
    #[error("transaction carried for place {got}, expected at most {limit}")]
    PrefilledBeyondEnd {
        /// The place, from 0.
        got: usize,
        /// The last place that the ids, and the transactions carried before, lead up to.
        limit: usize,
    },
}

/// Why a compact block did not become a block.
///
/// After any of these the block is asked for in full; only some of them are held against the peer, see
/// [`is_fault_of_peer`](ReconstructionError::is_fault_of_peer).
#[derive(Debug, Clone, Error)]
pub enum ReconstructionError {
    /// Two transactions of the block have the same short id (Core: `READ_STATUS_FAILED`).
    #[error("two transactions of the block have the same short id")]
    ShortIdCollision,
    /// The peer sent more or fewer transactions than it was asked for (Core: `READ_STATUS_INVALID`).
    #[error("{got} transactions, expected {expected}")]
    WrongCount {
        /// How many it sent.
        got: usize,
        /// How many were missing.
        expected: usize,
    },
    /// What the peer sent are not transactions.
    #[error("not transactions: {0}")]
    Decode(#[from] DecodeError),
    /// The peer sent another transaction than its own compact block names.
    #[error("transaction {index} is not the one that the compact block names")]
    WrongTransaction {
        /// Its place in the block.
        index: u16,
    },
    /// The header commits to other transactions, and some came from the pool: one of those may have the short id of the right
    /// one (Core: `READ_STATUS_FAILED`).
    #[error("a transaction of the pool may have the short id of another: {0}")]
    PossibleCollision(BlockError),
    /// The header commits to other transactions, and all came from the peer.
    #[error("the peer's own transactions are not those of the block: {0}")]
    Mutated(BlockError),
}

impl ReconstructionError {
    /// Whether no honest peer can have caused this, given that compact block and missing transactions came from the same one.
    #[must_use]
    pub fn is_fault_of_peer(&self) -> bool {
        match self {
            Self::ShortIdCollision | Self::PossibleCollision(_) => false,
            Self::WrongCount { .. } | Self::Decode(_) | Self::WrongTransaction { .. } | Self::Mutated(_) => true,
        }
    }
}
