//! The `cairn` command.

mod chain_service;
mod cli;
mod coin_scans;
mod config;
mod context;
mod devnet;
mod health;
mod http;
mod logging;
mod mempool_file;
mod metrics;
mod miner;
mod network;
mod node;
mod penalty;
mod relay;
mod rpc;
mod sync;
mod tasks;
mod tx_index;
mod whole_file;

use std::process::ExitCode;

/// sled allocates and frees pages of every size all the time, on several threads. glibc's allocator keeps a third more memory
/// for that, and takes a fifth more time.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::run()
}
