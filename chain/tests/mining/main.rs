//! Block templates, the search for their nonces, and blocks from outside, on chains of our own.
//!
//! | file | holds |
//! |---|---|
//! | `miner` | a chain state with a pool, and somebody who mines |
//! | `templates` | what is in a template |
//! | `limits` | full blocks |
//! | `networks` | times, targets, subsidies and versions of different networks |
//! | `jobs` | the search |
//! | `proposals` | blocks that are only looked at |
//! | `submit` | what miners are answered |
//! | `random` | pools of all shapes |
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod jobs;
mod limits;
mod miner;
mod networks;
mod proposals;
mod random;
mod submit;
mod templates;
