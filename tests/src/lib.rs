//! What tests and benches of more than one crate need: so far a generator of chains.
//!
//! The feature `oracle` brings in Bitcoin Core's kernel. Even while it is off, its package is locked, and `cairn-chain`'s
//! tests read Core's published vectors out of it.

pub mod chain_generator;
