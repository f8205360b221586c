//! Reserved for tests that need more than one crate: clusters of nodes, hostile peers, the simulator. It holds nothing yet;
//! what one crate can show stands in that crate.
//!
//! The feature `oracle` brings in Bitcoin Core's kernel. Even while it is off, its package is locked, and `cairn-chain`'s
//! tests read Core's published vectors out of it.
