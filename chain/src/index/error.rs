//! What can go wrong with an index.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::chainstate::BlockReference;
use crate::store::StoreError;

/// A fault of an index or of the disk it lies on. The chain state is not concerned.
#[derive(Debug, Error)]
pub enum IndexError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is not what was written.
    #[error("{} is damaged: {detail}; delete {} to build the index anew", path.display(), directory_of(path).display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected, and what was found.
        detail: String,
    },
    /// The index was written by a version that stores things differently.
    #[error(
        "{} has storage format {got}, this version reads and writes {expected}; use the version that wrote it, or delete {} to \
         build the index anew", path.display(), directory_of(path).display()
    )]
    SchemaVersion {
        /// The manifest.
        path: PathBuf,
        /// The version this program knows.
        expected: u32,
        /// The version of the index.
        got: u64,
    },
    /// A block was given to the index that does not follow its best block.
    #[error("expected the block after {}, got the one at height {} after {}", show(*expected), got.height, got.hash)]
    OutOfOrder {
        /// The index's best block.
        expected: Option<BlockReference>,
        /// The height of the block that came, and the hash of the block before it.
        got: BlockReference,
    },
    /// The index was to go back to a block that it does not remember.
    #[error("expected a block that the index remembers, got {}", show(Some(*got)))]
    NotRemembered {
        /// The block.
        got: BlockReference,
    },
}

impl IndexError {
    /// A closure for `map_err` on an operation on `path`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let to_store_error = StoreError::io(action, path);
        move |source| Self::Store(to_store_error(source))
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn show(block: Option<BlockReference>) -> String {
    block.map_or_else(|| "nothing".to_owned(), |block| format!("{} at height {}", block.hash, block.height))
}
