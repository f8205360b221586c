//! What tests of a node in a process of its own share.
//!
//! | file | |
//! |---|---|
//! | `anyone.rs` | coins that anyone may spend |
//! | `node_process.rs` | the node, its data directory, waiting for it |
//! | `rpc.rs` | calls of its JSON-RPC |
//! | `running.rs` | both together, and what tests ask of a node among others |
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod anyone;
pub(crate) mod node_process;
pub(crate) mod rpc;
pub(crate) mod running;
