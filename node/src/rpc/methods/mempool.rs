//! Transactions that wait for a block (Core: `rpc/mempool.cpp`, and `prioritisetransaction` of `rpc/mining.cpp`).
//!
//! | file | holds |
//! |---|---|
//! | `entry` | what is told about a transaction of the pool |
//! | `entries` | one transaction, its relatives, or all |
//! | `cluster` | transactions that depend on each other, and the order they are mined in |
//! | `spenders` | which transactions spend given outputs |
//! | `info` | the pool as a whole |
//! | `file` | saving the pool, and reading another |
//! | `priority` | what the operator pretends that transactions pay |

pub(super) mod cluster;
pub(super) mod entries;
mod entry;
pub(super) mod file;
pub(super) mod info;
pub(super) mod priority;
pub(super) mod spenders;

use crate::rpc::RpcError;

/// The transaction that was asked about is not there.
fn not_in_mempool() -> RpcError {
    RpcError::invalid_address_or_key("Transaction not in mempool")
}

#[cfg(test)]
mod tests;
