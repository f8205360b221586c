//! The data directory: what is on disk, and in what order it gets there.
//!
//! ```text
//! directory.toml   what this directory is
//! .lock            held by the process that uses it
//! blocks/          blk*.dat and rev*.dat: bodies and undo data, append-only
//! database/        sled: the block index, pages of coins, the head
//! coins.journal    the changes of a flush, before they are merged
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `data_directory` | whose directory it is, and who may use it |
//! | `block_files` | blocks and undo data, in append-only files |
//! | `block_file_scanner` | finding blocks in a file or stream of anybody's, for import and reindex |
//! | `database` | sled, and what makes it durable |
//! | `coin_pages` | the set of coins in sled |
//! | `journal` | the changes of a flush, before they are merged |
//! | `codec` | how coins and numbers are written |
//! | `error` | what can go wrong with a disk |

mod block_file_scanner;
mod block_files;
pub(crate) mod codec;
mod coin_pages;
mod data_directory;
mod database;
mod error;
mod journal;

pub(crate) use block_file_scanner::obfuscate;
pub use block_file_scanner::{BlockFileScanner, MAX_BLOCK_SERIALIZED_SIZE, ScannedBlock};
pub use block_files::{
    BlockFileInfo, BlockFileKind, BlockFileReader, BlockFiles, DamagedFile, MAX_BLOCK_FILE_SIZE, RecordPosition,
    UnsyncedFiles,
};
pub(crate) use block_files::{MIN_DISK_SPACE, free_space};
pub use coin_pages::CoinPages;
pub(crate) use coin_pages::PagesHold;
pub use data_directory::DataDirectory;
pub(crate) use database::{Database, MAX_VALUE_SIZE, numbered_key, remove_database, sync_directory, sync_parent};
pub use error::StoreError;
pub(crate) use journal::{Journal, JournalSeal};

/// Version of everything that is written. A directory of another version is left alone.
pub const SCHEMA_VERSION: u32 = 1;
