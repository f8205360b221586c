//! Whole blocks through every step of validation: each rule broken once, and whole chains against Core's answers.
//!
//! Blocks are judged on top of the coins their own parent leaves, in memory: what a real node has to keep on disk and undo
//! is not at stake here, only the rules and the reasons.
//!
//! | file | holds |
//! |---|---|
//! | `rules` | each rule broken, and the reason and verdict that follow |
//! | `builder` | blocks to break rules with |
//! | `acceptance`, `data`, `acceptance_data` | chains with Core's answers |
//! | `tree` | all blocks, each with the headers up to it and the coins after it |
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod acceptance;
#[path = "../support/acceptance_data.rs"]
mod acceptance_data;
mod builder;
#[path = "../support/data_forms.rs"]
mod data;
mod rules;
mod tree;
