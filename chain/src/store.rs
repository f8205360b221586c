//! The data directory: what is on disk, and in what order it gets there.
//!
//! | file | holds |
//! |---|---|
//! | `codec` | how coins and numbers are written |
//! | `coin_pages` | the set of coins in sled |
//! | `data_directory` | whose directory it is, and who may use it |
//! | `database` | sled, and what makes it durable |
//! | `error` | what can go wrong with a disk |
//! | `journal` | the changes of a flush, before they are merged |

pub(crate) mod codec;
mod coin_pages;
mod data_directory;
mod database;
mod error;
mod journal;

pub use coin_pages::CoinPages;
pub use data_directory::DataDirectory;
pub(crate) use database::{Database, MAX_VALUE_SIZE, sync_directory};
pub use error::StoreError;
pub(crate) use journal::{Journal, JournalSeal};

/// Version of everything that is written. A directory of another version is left alone.
pub const SCHEMA_VERSION: u32 = 1;
