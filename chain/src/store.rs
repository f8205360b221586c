//! The data directory: what is on disk, and in what order it gets there.
//!
//! | file | holds |
//! |---|---|
//! | `codec` | how coins and numbers are written |
//! | `coin_pages` | the set of coins in sled |
//! | `database` | sled, and what makes it durable |
//! | `error` | what can go wrong with a disk |

pub(crate) mod codec;
mod coin_pages;
mod database;
mod error;

pub use coin_pages::CoinPages;
pub(crate) use database::{Database, MAX_VALUE_SIZE, sync_directory};
pub use error::StoreError;

/// Version of everything that is written. A directory of another version is left alone.
pub const SCHEMA_VERSION: u32 = 1;
