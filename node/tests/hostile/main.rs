//! Clients that mean ill, and a node that is killed in the middle of its work.
//!
//! Everything random here follows from a seed, which is printed. The usual run is short; the long one is
//!
//! ```text
//! CAIRN_REQUESTS=100000 CAIRN_ROUNDS=20 CAIRN_BODY_MEGABYTES=31 cargo test -p cairn-node --test hostile -- --nocapture
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CAIRN_REQUESTS` | how many random requests are sent; 10,000 by default |
//! | `CAIRN_ROUNDS` | how often the node is killed; 5 by default |
//! | `CAIRN_BODY_MEGABYTES` | how large the largest bodies are, in MiB; 6 by default, 31 at most |
//! | `CAIRN_SEED` | another seed, other requests and other moments |
//!
//! | file | holds |
//! |---|---|
//! | `requests` | random and malformed requests: what is answered, and what the node is like afterwards |
//! | `memory` | bodies that are made to take much memory |
//! | `slow_clients` | hundreds of clients that hardly send or never read |
//! | `bodies` | a body for each kind of request |
//! | `calls` | one call of a method, right or wrong |
//! | `values` | JSON of every kind |
//! | `noise` | HTTP that is wrong, or none at all |
//! | `world` | what the node knows, and what requests are therefore made of |
//! | `verdict` | whether an answer is one that Core could have given |
//! | `kill` | `kill -9` while transactions arrive |
//! | `http` | a client that says what it is told to |
//! | `process` | what a process takes of the machine |
//! | `environment` | what the environment asks for |
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::print_stdout, reason = "long runs report figures")]

mod bodies;
mod calls;
mod environment;
#[path = "../../../tests/harness/mod.rs"]
mod harness;
mod http;
mod kill;
mod memory;
mod noise;
mod process;
mod requests;
mod slow_clients;
mod values;
mod verdict;
mod world;
