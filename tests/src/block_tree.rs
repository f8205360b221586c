//! Trees of blocks from a seed, and the comparison of two nodes that are fed one.
//!
//! The generator keeps a model of its own: the headers and coins of every branch, with the keys to spend them. So it builds
//! valid blocks on any block of the tree, knows which rule each mutation breaks and what a node must answer, and which chain
//! must win. A tree depends on nothing but its seed.
//!
//! ```text
//! Generator ── episodes: extend, mutate, fork, reorganize, repeat ──▶ Step: bytes, expected judgement, expected tip
//!   Forge ── valid drafts on any block
//!     Tree, LockedCoins ── blocks, and the coins of one branch
//!     Spend, Lock, Unlocking ── transactions, scripts, signatures
//! Mutation ── a draft made to break one rule, or only just not to
//! compare ── feeds each step to two nodes
//! ```

mod coin;
mod compare;
mod draft;
mod forge;
mod generator;
mod keys;
mod lock;
mod mutation;
mod spend;
mod step;
mod tally;
mod tree;
mod unlock;

pub use compare::compare;
pub use tally::Tally;
