//! Whole networks of a few nodes in one process, over real sockets of the loopback interface, through the public interface.
//!
//! Every wait is for a condition and has a deadline. A test that expects that something does not happen waits for something
//! else that would have to happen later.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod connections;
mod discovery;
mod gossip;
mod hostile;
mod links;
mod policy;
mod requests;
mod support;
