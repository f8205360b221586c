//! What can go wrong with a disk and with what lies on it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A fault of the disk, of the data on it, or of how the directory is used; never of a block.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as "write" or "sync".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The database could not be read or written.
    #[error("cannot {action} the database: {source}")]
    Database {
        /// What was tried, such as "open" or "flush".
        action: &'static str,
        /// Why it failed.
        source: sled::Error,
    },
    /// What was read is not what was written.
    #[error("{what} is damaged: {detail}")]
    Damaged {
        /// What is damaged, such as "a page of coins".
        what: &'static str,
        /// What was expected, and what was found.
        detail: String,
    },
    /// Another process uses the directory.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory was written by a version that stores things differently.
    #[error("{} has storage format {got}, this version reads and writes {expected}", path.display())]
    SchemaVersion {
        /// The data directory.
        path: PathBuf,
        /// The version this program knows.
        expected: u32,
        /// The version of the directory.
        got: u32,
    },
    /// The directory belongs to another network.
    #[error("{} belongs to network {got}, expected {expected}", path.display())]
    OtherNetwork {
        /// The data directory.
        path: PathBuf,
        /// The network that was asked for.
        expected: String,
        /// The network the directory was made for.
        got: String,
    },
    /// The disk is nearly full: stopping now leaves room to stop cleanly.
    #[error("disk of {} is nearly full: expected at least {expected} bytes free, got {got}", path.display())]
    DiskFull {
        /// A path on the disk.
        path: PathBuf,
        /// What has to stay free, in bytes.
        expected: u64,
        /// What is free, in bytes.
        got: u64,
    },
}

/// To whoever reads coins, a fault of the store is a set of coins that cannot be read.
impl From<StoreError> for crate::coins::CoinsError {
    fn from(error: StoreError) -> Self {
        Self(std::sync::Arc::new(error))
    }
}

impl StoreError {
    /// A closure for `map_err` on an operation on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// A closure for `map_err` on an operation of the database.
    pub(crate) fn database(action: &'static str) -> impl FnOnce(sled::Error) -> Self {
        move |source| Self::Database { action, source }
    }
}
