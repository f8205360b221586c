//! Clients of Bitcoin Core as they are shipped, driven against a node that runs.
//!
//! | file | |
//! |---|---|
//! | `bitcoincore_rpc.rs` | every call of `bitcoincore-rpc` that needs no wallet |
//! | `corepc.rs` | every call of `corepc-client` that needs no wallet |
//! | `bdk.rs` | a wallet of BDK that follows the node |
//! | `bitcoinjs.rs` | a payment by bitcoinjs-lib, from npm |
//! | `contract.rs` | every field that these clients and others read, method by method |
//! | `scene.rs`, `purse.rs` | a chain to ask about, and keys to spend with |
#![allow(clippy::unwrap_used, clippy::missing_errors_doc, reason = "helpers of tests are tests too")]

mod bdk;
mod bitcoincore_rpc;
mod bitcoinjs;
mod contract;
mod corepc;
#[path = "../../../tests/harness/mod.rs"]
mod harness;
mod purse;
mod scene;
