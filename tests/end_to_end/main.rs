//! Clusters of real nodes, each in a process of its own, from the outside: what a network promises as a whole.
//!
//! The harness is in `tests/harness`; what each command and each part promises by itself is shown in `node/tests`. These are tests
//! of the package `cairn-node`, since only its own tests are told where the program is.
//!
//! | file | what is shown |
//! |---|---|
//! | `gossip.rs` | blocks and transactions of any node reach all, over several others |
//! | `sync_from_scratch.rs` | an empty node gets the chain and the same coins, while others mine |
//! | `partition.rs` | two sides go on by themselves and become one again; no payment is lost |
//! | `deep_reorg.rs` | a branch of hundreds of blocks gives way |
//! | `crash_under_load.rs` | nodes are killed while payments arrive, and nothing that was acknowledged is lost |
//! | `banned_liar.rs` | whoever sends bad blocks is banned, and harms nobody |
//! | `payments.rs` | wallets of different nodes pay each other |
//! | `metrics.rs` | what each node tells Prometheus is what its chain, pool and peers are |
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod banned_liar;
mod crash_under_load;
mod deep_reorg;
mod gossip;
#[path = "../harness/mod.rs"]
mod harness;
mod metrics;
mod partition;
mod payments;
mod sync_from_scratch;
