//! What happened to the pool, for everybody else.

use std::sync::Arc;

use crate::primitives::Transaction;

/// Something that happened to the pool, in the order in which it happened (Core: `TransactionAddedToMempool`,
/// `TransactionRemovedFromMempool` of `CValidationInterface`).
#[derive(Debug, Clone)]
pub enum MempoolEvent {
    /// A transaction entered.
    Added {
        /// The transaction.
        transaction: Arc<Transaction>,
        /// The number of this change.
        sequence: u64,
    },
    /// A transaction left.
    Removed {
        /// The transaction.
        transaction: Arc<Transaction>,
        /// Why.
        reason: RemovalReason,
        /// The number of this change.
        sequence: u64,
    },
}

/// Why a transaction left the pool (Core: `MemPoolRemovalReason`, `kernel/mempool_removal_reason.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemovalReason {
    /// It stayed too long.
    Expiry,
    /// The pool was full, and it paid least.
    SizeLimit,
    /// After a reorganisation it cannot be in the next block.
    Reorg,
    /// It is in a block.
    Block,
    /// A block spends what it spends.
    Conflict,
    /// Another took its place.
    Replaced,
}

impl RemovalReason {
    /// Core's name (Core: `RemovalReasonToString`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Expiry => "expiry",
            Self::SizeLimit => "sizelimit",
            Self::Reorg => "reorg",
            Self::Block => "block",
            Self::Conflict => "conflict",
            Self::Replaced => "replaced",
        }
    }
}
