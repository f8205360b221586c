//! Transactions that wait for a block, and what is learned from them.
//!
//! | file | holds |
//! |---|---|
//! | [`fees`] | what a transaction must pay to be confirmed soon |
//! | [`orphanage`] | transactions whose parents are missing |
//! | [`persist`] | the file the pool is kept in while the node is down |

pub mod fees;
pub mod orphanage;
pub mod persist;
