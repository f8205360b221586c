//! What tests of nodes in processes of their own share. Each test target takes it in as a module of its own, since only tests of
//! `cairn-node` are told where the program is.
//!
//! | file | |
//! |---|---|
//! | `anyone.rs` | coins that anyone may spend |
//! | `evil_peer.rs` | a peer that does what it should not |
//! | `node_process.rs` | the node, its data directory, waiting for it |
//! | `rpc.rs` | calls of its JSON-RPC |
//! | `terminal.rs` | commands in terminals of their own |
//! | `test_cluster.rs` | several nodes that are connected, parted, killed and started again |
//! | `test_node.rs` | a node and its calls together, and what tests ask of it |
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod anyone;
pub(crate) mod evil_peer;
pub(crate) mod node_process;
pub(crate) mod rpc;
pub(crate) mod terminal;
pub(crate) mod test_cluster;
pub(crate) mod test_node;
