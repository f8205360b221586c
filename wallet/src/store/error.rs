//! What can be wrong with a wallet's file.

use std::path::{Path, PathBuf};

use bdk_wallet::rusqlite::{self, ErrorCode};

/// Why a wallet's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is not there.
    #[error("there is no wallet {}; 'cairn wallet list' shows those there are", path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// It is there already.
    #[error("{} exists already, and is left as it is", path.display())]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// Another command has it open.
    #[error("another command has {} open; try again when it has ended", path.display())]
    InUse {
        /// Where it is.
        path: PathBuf,
    },
    /// It is no wallet, or was changed by something else.
    #[error("{} is damaged: {problem}; put a backup in its place, or restore from the words", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// A later version wrote it.
    #[error("{} is of version {got}, and this program knows {expected}; use the program that wrote it", path.display())]
    OtherVersion {
        /// Where it is.
        path: PathBuf,
        /// Its version.
        got: i32,
        /// Ours.
        expected: i32,
    },
    /// The system says no.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database says no.
    #[error("the wallet's file cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
}

impl StoreError {
    /// What the database's error means for this file.
    pub(super) fn of(self, path: &Path) -> Self {
        let Self::Database(error) = self else { return self };
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, problem: error.to_string() }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::Io { path, source: std::io::Error::other(error) }
            }
            _ => Self::Database(error),
        }
    }
}
