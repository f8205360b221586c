//! All metrics: names, meanings, labels. `process_*` is the prometheus crate's own.
//!
//! Those of parts that are yet to come are here already, because the dashboard and the alerts show them.

pub(super) mod chain;
pub(super) mod mempool;
pub(super) mod miner;
pub(super) mod peers;
pub(super) mod process;
pub(super) mod rpc;

use super::family::Family;

/// All metrics.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static Family> {
    [process::ALL, chain::ALL, mempool::ALL, rpc::ALL, peers::ALL, miner::ALL].into_iter().flatten().copied()
}
