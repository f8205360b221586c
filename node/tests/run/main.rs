//! `cairn run` as users run it, and the commands around it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod configuration;
#[path = "../../../tests/harness/mod.rs"]
mod harness;
mod lifecycle;
mod metrics;
mod mining;
mod monitoring;
mod peers;
mod tx_index;
