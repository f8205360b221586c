//! `cairn run` as users run it, and the commands around it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod configuration;
mod lifecycle;
mod metrics;
mod mining;
mod monitoring;
mod peers;
#[path = "../support/mod.rs"]
mod support;
mod tx_index;
