//! `cairn devnet` as people and programs use it: real processes, driven from outside.
//!
//! | file | what is shown |
//! |---|---|
//! | `bdk.rs` | a wallet of BDK that is pointed at it by variables |
//! | `bitcoinjs.rs` | a program of Node.js that is pointed at it by variables |
//! | `five_minutes.rs` | the first five minutes, in a terminal |
//! | `lifecycle.rs` | it starts in time, is found, and leaves nothing, however it ends |
//! | `chain.rs` | mining, payments, time |
//! | `faults.rs` | partitions, slow links, reorganisations, nodes that are killed |
//! | `many.rs` | sixteen nodes, and what an idle one takes |
//! | `scenario.rs` | scenarios and files that describe a devnet |
//! | `soak.rs` | everything at once, and one chain in the end |
//! | `surroundings.rs` | wallets that find it, Prometheus that watches it |
//! | `help.rs` | what the help says works |
//! | `running.rs` | a devnet that runs |
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod bdk;
mod bitcoinjs;
mod chain;
mod faults;
mod five_minutes;
#[path = "../../../tests/harness/mod.rs"]
mod harness;
mod help;
mod lifecycle;
mod many;
mod running;
mod scenario;
mod soak;
mod surroundings;
