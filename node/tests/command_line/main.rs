//! What every command has: help with examples that run, a manual page, completion.
//!
//! | file | |
//! |---|---|
//! | `completions.rs` | scripts for shells |
//! | `examples.rs` | the examples of `--help`, each of them run |
//! | `help.rs` | the commands there are, by what `--help` says |
//! | `man.rs` | manual pages |
//! | `stage.rs` | a home with a shell, in which examples run |
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod completions;
mod examples;
#[path = "../../../tests/harness/mod.rs"]
mod harness;
mod help;
mod man;
mod stage;
