//! What can go wrong with the file of a pool.

use std::io;

use thiserror::Error;

use crate::primitives::DecodeError;
use crate::store::StoreError;
use crate::validation::MAX_BLOCK_WEIGHT;

/// Why the file of a pool cannot be read on, or not be written. What was read before is whole.
#[derive(Debug, Error)]
pub enum MempoolFileError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file has another format.
    #[error("the file of the pool has version {got}, expected 1 or 2")]
    Version {
        /// Its version.
        got: u64,
    },
    /// The key has another length (Core: `Obfuscation key size should be exactly 8 bytes long`).
    #[error("the file of the pool has a key of {got} bytes, expected 8")]
    KeySize {
        /// Its length, in bytes.
        got: u8,
    },
    /// The file ends within an entry, or before all entries it should have.
    #[error("the file of the pool ends at offset {offset}, within {what}")]
    Truncated {
        /// Its size, in bytes.
        offset: u64,
        /// What is cut short.
        what: &'static str,
    },
    /// What stands in place of a transaction is none.
    #[error("the file of the pool holds no transaction at offset {offset}: {source}")]
    Transaction {
        /// Where it starts.
        offset: u64,
        /// Why it is none; offsets count from its start.
        source: DecodeError,
    },
    /// What stands in place of a transaction does not end where one must that fits into a block.
    #[error("the file of the pool holds a transaction at offset {offset} of more than {MAX_BLOCK_WEIGHT} bytes")]
    TransactionTooLarge {
        /// Where it starts.
        offset: u64,
    },
    /// What stands in place of a number of entries is none.
    #[error("the file of the pool holds no number of {what} at offset {offset}: {source}")]
    Count {
        /// Entries of what kind.
        what: &'static str,
        /// Where it starts.
        offset: u64,
        /// Why it is none; offsets count from its start.
        source: DecodeError,
    },
}

impl MempoolFileError {
    /// Whether there is no file.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound)
    }
}
