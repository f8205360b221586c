//! Transactions that wait for a block.

pub mod policy;
