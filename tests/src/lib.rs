//! What tests and benches of more than one crate need, and Bitcoin Core's own code to compare with.
//!
//! | module | holds |
//! |---|---|
//! | [`chain_generator`] | chains to measure nodes with |
//! | [`block_judge`] | what a node says about a block, in terms every node can answer in |
//! | [`block_tree`] | trees of blocks from a seed, and the comparison of two nodes that are fed one |
//! | [`random`] | randomness that a seed determines |
//! | [`stored_node`] | our chain state, on disk, as such a node |
//! | [`reference`](mod@reference) | the least node that decides as Core does: in memory, on the rules of `cairn-chain` |
//! | [`kernel`] | Bitcoin Core's kernel as a node; feature `oracle` |
//!
//! The feature `oracle` brings in Bitcoin Core's kernel. Even while it is off, its package is locked, and `cairn-chain`'s
//! tests read Core's published vectors out of it.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg_attr(not(feature = "oracle"), allow(rustdoc::broken_intra_doc_links, reason = "the kernel is left out"))]

pub mod block_judge;
pub mod block_tree;
pub mod chain_generator;
#[cfg(feature = "oracle")]
pub mod kernel;
pub mod random;
pub mod reference;
pub mod stored_node;
