//! The file the pool is kept in while the node is down (Core: `mempool.dat`, `node/mempool_persist.cpp`).
//!
//! The format is Core's, so that either can read the other's:
//!
//! ```text
//! version (8 bytes): 2, or 1 for a file without a key
//! version 2: length of the key (1 byte: 8), key (8 bytes); byte i of the file from here on is combined by exclusive or
//!     with byte i mod 8 of the key, so that no virus scanner finds anything in it
//! number of transactions (8 bytes), then each:
//!     transaction with its witness, time it entered the pool (8 bytes), fee delta (8 bytes, signed)
//! number of deltas (compact size), then each: txid (32 bytes), fee delta (8 bytes, signed)
//! number of unbroadcast transactions (compact size), then each: txid (32 bytes)
//! ```
//!
//! All little-endian. Deltas are of transactions that are not in the pool; what was not yet broadcast is in the pool.
//!
//! | file | holds |
//! |---|---|
//! | `reader` | [`MempoolFileReader`]: one entry after the other |
//! | `stream` | the bytes of a file, as many as are needed at once |
//! | `writer` | [`write_mempool_file`] |
//! | `obfuscation` | [`ObfuscationKey`] |
//! | `error` | what can go wrong |

mod error;
mod obfuscation;
mod reader;
mod stream;
mod writer;

use std::sync::Arc;

use bitcoin::Txid;

pub use error::MempoolFileError;
pub use obfuscation::ObfuscationKey;
pub use reader::MempoolFileReader;
pub use writer::write_mempool_file;

use crate::primitives::Transaction;

/// Version of a file without a key (Core: `MEMPOOL_DUMP_VERSION_NO_XOR_KEY`).
const VERSION_WITHOUT_KEY: u64 = 1;
/// Version of a file with a key (Core: `MEMPOOL_DUMP_VERSION`).
const VERSION_WITH_KEY: u64 = 2;

/// A transaction of the pool, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MempoolFileTransaction {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// When it entered the pool, in seconds since 1970.
    pub time: i64,
    /// What was added to its fee by prioritisation, in satoshis.
    pub fee_delta: i64,
}

/// An entry of the file: all transactions, then all deltas, then all that is unbroadcast.
///
/// They are given as they stand: whether a transaction is valid, or an amount in range, is for the reader to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MempoolFileEntry {
    /// A transaction of the pool.
    Transaction(MempoolFileTransaction),
    /// What shall be added to the fee of a transaction that may enter later.
    Delta {
        /// The transaction.
        txid: Txid,
        /// Satoshis.
        fee_delta: i64,
    },
    /// A transaction of the pool that no peer has asked for yet.
    Unbroadcast {
        /// The transaction.
        txid: Txid,
    },
}

#[cfg(test)]
mod tests;
