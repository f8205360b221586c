//! The chain state on disk: whole histories against Core's answers, crashes, and what users may ask of it.
//!
//! | file | holds |
//! |---|---|
//! | `acceptance` | histories with the answers Core gave at every step |
//! | `headers` | headers from peers |
//! | `history` | chains that go forth and back |
//! | `lookup` | single blocks and branches |
//! | `own_chain` | blocks for that |
//! | `submit` | a block as Core's `submitblock` takes it |
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod acceptance;
#[path = "../support/acceptance_data.rs"]
mod acceptance_data;
#[path = "../support/data_forms.rs"]
mod data;
mod headers;
mod history;
mod lookup;
mod own_chain;
mod submit;
