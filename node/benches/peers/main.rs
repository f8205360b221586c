//! Nodes among others, each in a process of its own on this machine.
//!
//! | part | measures |
//! |---|---|
//! | `sync` | a chain of 400 blocks and 0.3 million transactions from a peer, against `cairn chain import` of the same; from two good peers, and from three of which one is silent and one lies |
//! | `headers` | headers a second |
//! | `propagation` | a block over eight nodes: time until each has it, half of them and 95 % |
//! | `gossip` | copies of each transaction per node, and bytes, beside flooding the same graph |
//! | `idle` | processor time of a node with fifty peers and nothing to do |
//!
//! Arguments choose among them; without any, all are run.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::print_stderr, reason = "a bench that fails says why")]
#![allow(clippy::unwrap_used, reason = "the evil peer is a test's")]

#[allow(dead_code, reason = "tests use the rest")]
#[path = "../../../tests/harness/anyone.rs"]
mod anyone;
#[allow(dead_code, reason = "another bench uses the rest")]
#[path = "../rpc/client.rs"]
mod client;
#[allow(dead_code, reason = "tests use the rest")]
#[path = "../../../tests/harness/evil_peer.rs"]
mod evil_peer;
mod gossip;
mod idle;
mod node;
mod propagation;
mod sync;

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures something, and prints it.
type Part = fn() -> Result<()>;

/// Parts, by their names.
const PARTS: [(&str, Part); 5] = [
    ("sync", sync::measure_blocks),
    ("headers", sync::measure_headers),
    ("propagation", propagation::measure),
    ("gossip", gossip::measure),
    ("idle", idle::measure),
];

fn main() -> ExitCode {
    // Cargo adds an argument of its own.
    let chosen: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match bench(&chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(chosen: &[String]) -> Result<()> {
    if let Some(other) = chosen.iter().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        let parts = PARTS.map(|(part, _)| part).join(", ");
        return Err(format!("there are the parts {parts}, not {other}").into());
    }
    for (part, measure) in PARTS {
        if chosen.is_empty() || chosen.iter().any(|name| name == part) {
            measure()?;
            println!();
        }
    }
    Ok(())
}

/// Where chains and data directories go.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
