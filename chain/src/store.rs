//! The data directory: what is on disk, and in what order it gets there.
//!
//! | file | holds |
//! |---|---|
//! | `error` | what can go wrong with a disk |

mod error;

pub use error::StoreError;
