//! Several nodes, each in a process of its own, and what lies between them.
//!
//! | file | what is shown |
//! |---|---|
//! | `discovery.rs` | nodes that know one address find all others, by each mechanism alone |
//! | `sync.rs` | a chain from good, silent and lying peers |
//! | `links.rs` | links that are cut, slowed and broken while nodes run |
//! | `privacy.rs` | what is on the wire, and who is refused |
//! | `hosts.rs` | the same between hosts with addresses of their own: partition, healing, narrow lines |
//! | `tapped_line.rs` | a line on which every byte is heard, and may take its time |
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod discovery;
#[path = "../../../tests/harness/mod.rs"]
mod harness;
mod hosts;
mod links;
mod privacy;
mod sync;
mod tapped_line;
