//! `cairn chain` as users run it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod export;
mod import;
mod interruption;
mod queries;
mod support;
mod usage;
