//! Blocks by the hashes of their transactions, for whoever has most of them already (BIP152, version 2: by wtxid).
//!
//! A [`CompactBlock`] names each transaction by six bytes, and carries those that the receiver cannot have, the coinbase above
//! all. A [`PartiallyDownloadedBlock`] looks for the named ones in the pool, says which are missing, and becomes the block once
//! they are there.
//!
//! Six bytes are too few to be sure of. Two transactions may share them by chance, and anyone who knows the key can make two
//! that do; so what was put together is compared with what the header commits to, and when it differs the question is whose
//! fault that is. It is the peer's only when nothing but the peer's own bytes went into the block.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `compact_block` | [`CompactBlock`]: the form it travels in | `CBlockHeaderAndShortTxIDs`, `blockencodings.h` |
//! | `short_id` | [`ShortId`]: six bytes for a transaction | `GetShortID`, `blockencodings.cpp` |
//! | `partially_downloaded_block` | [`PartiallyDownloadedBlock`]: from the pool to the block | `blockencodings.cpp` |
//! | `error` | one variant for each fault | `ReadStatus`, `blockencodings.h` |

mod compact_block;
mod error;
mod partially_downloaded_block;
mod short_id;
#[cfg(test)]
mod tests;

pub use compact_block::{CompactBlock, MAX_COMPACT_BLOCK_TRANSACTIONS, PrefilledTransaction};
pub use error::{CompactBlockError, ReconstructionError};
pub use partially_downloaded_block::{PartiallyDownloadedBlock, TransactionSources, TransactionTotal};
pub use short_id::{SHORT_ID_SIZE, ShortId, ShortIdKey};
