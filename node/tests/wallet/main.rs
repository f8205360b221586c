//! `cairn wallet` against a node in a process of its own, as users and scripts call it.
//!
//! | file | |
//! |---|---|
//! | `crash.rs` | a wallet that is killed |
//! | `life.rs` | coins received, sent, sped up, in conflict, reorganised, restored |
//! | `multisig.rs` | PSBTs between three wallets; signing without a node |
//! | `properties.rs` | random coins and payments: exact fees, and a mempool that takes everything |
//! | `refusals.rs` | what is wrong, and the exit code it ends with |
//! | `scene.rs` | a node, and wallets that ask it |
//! | `secrets.rs` | nothing secret in files, logs, arguments, output |
//! | `terminal.rs` | a person at the keyboard |
//! | `vectors.rs` | published vectors, from words to addresses |
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod crash;
#[path = "../../../tests/harness/mod.rs"]
mod harness;
mod life;
mod multisig;
mod properties;
mod refusals;
mod scene;
mod secrets;
mod terminal;
mod vectors;
