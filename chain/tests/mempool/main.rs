//! The pool on a chain state on disk, by Bitcoin Core's policy: what it takes and refuses, and what blocks do to it.
//!
//! | file | holds |
//! |---|---|
//! | `node` | a regtest chain with a pool, and coins anybody may spend |
//! | `transactions` | transactions for that |
//! | `reasons` | every rule, with Core's reason and Core's words |
//! | `fees` | minimum fees, eviction, expiry and what the operator pretends |
//! | `replacement` | transactions that take the place of others |
//! | `clusters` | how many may hang together |
//! | `packages` | several at once |
//! | `steps` | what may happen between check, verification and admission |
//! | `blocks` | blocks that connect |
//! | `reorganisations` | blocks that leave |
//! | `random` | anything, in any order |
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod blocks;
mod clusters;
mod fees;
mod node;
mod packages;
mod random;
mod reasons;
mod reorganisations;
mod replacement;
mod steps;
mod transactions;
