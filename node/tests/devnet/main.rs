//! `cairn devnet` as people and programs use it: real processes, driven from outside.
//!
//! | file | what is shown |
//! |---|---|
//! | `lifecycle.rs` | it starts in time, is found, and leaves nothing, however it ends |
//! | `chain.rs` | mining, payments, time |
//! | `faults.rs` | partitions, slow links, reorganisations, nodes that are killed |
//! | `scenario.rs` | scenarios and files that describe a devnet |
//! | `surroundings.rs` | wallets that find it, Prometheus that watches it |
//! | `help.rs` | what the help says works |
//! | `running.rs` | a devnet that runs |
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod chain;
mod faults;
mod help;
mod lifecycle;
mod running;
mod scenario;
#[path = "../support/mod.rs"]
mod support;
mod surroundings;
