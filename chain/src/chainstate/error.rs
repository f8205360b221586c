//! What can go wrong but with a block.

use std::sync::Arc;

use bitcoin::BlockHash;
use thiserror::Error;

use crate::coins::CoinsError;
use crate::store::StoreError;

/// A fault of the disk or of the data on it, or a request that cannot be met. What is wrong with a block is a
/// [`BlockError`](crate::validation::BlockError).
#[derive(Debug, Clone, Error)]
pub enum ChainstateError {
    /// The store failed. Nothing more is written and the directory must be opened again, unless the store is only
    /// [full](StoreError::DiskFull): that it says before it writes anything.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// The coins could not be read. Nothing more is written; the directory must be opened again.
    #[error(transparent)]
    Coins(#[from] CoinsError),
    /// A fault before this made it unsafe to go on.
    #[error("stopped after an error: {0}")]
    Stopped(String),
    /// Data on disk contradict each other.
    #[error(
        "block {hash} cannot be taken back: {detail}; compute the coins again with 'cairn chain reindex --chainstate'"
    )]
    CannotDisconnect {
        /// The block.
        hash: BlockHash,
        /// What is wrong.
        detail: String,
    },
    /// No such block.
    #[error("block {hash} is not known")]
    UnknownBlock {
        /// The hash asked for.
        hash: BlockHash,
    },
    /// The body of the block is not on disk.
    #[error("block {hash} is not available: {reason}")]
    NotAvailable {
        /// The block.
        hash: BlockHash,
        /// Why, such as "pruned".
        reason: &'static str,
    },
    /// Genesis is valid by definition.
    #[error("genesis cannot be invalidated")]
    GenesisInvalidated,
    /// A reindex was begun and not finished.
    #[error("a reindex was not finished; run 'cairn chain reindex' again")]
    ReindexUnfinished,
    /// There are blocks, and no index of them.
    #[error("there are {block_bytes} bytes of blocks and no index of them; run 'cairn chain reindex'")]
    IndexMissing {
        /// Bytes of block files.
        block_bytes: u64,
    },
    /// Threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(Arc<rayon::ThreadPoolBuildError>),
    /// Bodies that a reorganisation or a rescan needs were pruned.
    #[error("cannot prune below height {limit}: expected a height of at most {limit}, got {got}")]
    PruneTooHigh {
        /// The highest height that may be pruned.
        limit: u32,
        /// The height asked for.
        got: u32,
    },
    /// A stream of blocks could not be read or written.
    #[error("cannot {action} blocks: {source}")]
    Stream {
        /// "read" or "write".
        action: &'static str,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<StoreError> for ChainstateError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl ChainstateError {
    /// Whether the chain state cannot be trusted to write any more.
    pub(super) fn is_fault(&self) -> bool {
        match self {
            Self::Store(error) => !matches!(**error, StoreError::DiskFull { .. }),
            Self::Coins(_) | Self::Stopped(_) | Self::CannotDisconnect { .. } => true,
            Self::UnknownBlock { .. }
            | Self::NotAvailable { .. }
            | Self::GenesisInvalidated
            | Self::Threads(_)
            | Self::ReindexUnfinished
            | Self::IndexMissing { .. }
            | Self::PruneTooHigh { .. }
            | Self::Stream { .. }
            | Self::Interrupted => false,
        }
    }
}
