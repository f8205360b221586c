//! Where the transactions of the chain are, by their ids (Core: `index/txindex.cpp`, `index/base.cpp`).
//!
//! The index stands beside the chain state, which knows nothing of it: whoever owns it gives it the blocks of the active chain in
//! order. It says at which height and at which byte a transaction *may* be; whoever asks looks there, and sees whether it is. So
//! entries of blocks that left the chain do no harm and stay, as they do in Core, and after a reorganisation the index only has to
//! be given the new blocks.
//!
//! ```text
//! append ─▶ buffer, in memory ─ flush ─▶ run ─┐
//!                                        run ─┼─ merge ─▶ longer run
//!                                        …   ─┘
//! ```
//!
//! A run is a file of sorted records that never changes. The manifest names the runs that count and the block up to which they
//! are complete; it is replaced as a whole when everything it names is durable. What a crash leaves beside it is removed at
//! opening, and what was in memory is given to the index again, from the manifest's block on.
//!
//! | file | holds |
//! |---|---|
//! | `transaction_index` | the index, and the way to read it from any thread |
//! | `record` | what is kept of a transaction |
//! | `page` | records as they stand in a file, checked |
//! | `run` | a file of sorted records, and the search in it |
//! | `merge` | when runs become one, and how |
//! | `locator` | the blocks by which an index finds its way back to the chain |
//! | `manifest` | what of a directory counts |
//! | `error` | what can go wrong |

mod error;
mod locator;
mod manifest;
mod merge;
mod page;
mod record;
mod run;
mod transaction_index;

pub use error::IndexError;
pub use merge::{MergedRun, RunMerge};
pub use record::TransactionPosition;
pub use transaction_index::{TransactionIndex, TransactionIndexReader};

/// Version of everything that an index writes. A directory of another version is left alone.
pub const INDEX_SCHEMA_VERSION: u32 = 1;
