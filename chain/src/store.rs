//! The data directory: what is on disk, and in what order it gets there.
//!
//! | file | holds |
//! |---|---|
//! | `block_files` | blocks and undo data, in append-only files |
//! | `block_file_scanner` | finding blocks in a file or stream of anybody's, for import and reindex |
//! | `error` | what can go wrong with a disk |

mod block_file_scanner;
mod block_files;
mod error;

pub use block_file_scanner::{BlockFileScanner, MAX_BLOCK_SERIALIZED_SIZE, ScannedBlock};
pub use block_files::{
    BlockFileInfo, BlockFileKind, BlockFileReader, BlockFiles, DamagedFile, MAX_BLOCK_FILE_SIZE, RecordPosition,
};
pub use error::StoreError;
