//! What is counted and measured, for Prometheus.
//!
//! A metric is defined once, as a `Family` in `families`: the registry, the dashboard and the alerts all take its name from
//! there. Names follow Prometheus' guidelines: the unit is a base unit and ends the name, counters end in `_total`, and labels
//! have few values, which nobody outside can add to.
//!
//! To add one: a constant in `families`, a field in the struct of the part it belongs to (`chain` and `rpc` are examples), and
//! if its value has to be asked for, a line in `collect`. A new part gets a struct of its own, and a field in [`Metrics`].
//!
//! | file | holds |
//! |---|---|
//! | `family`, `families` | names, meanings, labels |
//! | `chain`, `mempool`, `rpc`, `miner`, `peers` | the metrics of one part |
//! | `collect` | values that are asked for when somebody looks |
//! | `events` | values that change when something happens |
//! | `server` | where they are served |
//! | `export` | what Prometheus and Grafana need to know |

mod chain;
mod collect;
mod events;
pub(crate) mod export;
mod families;
mod family;
mod mempool;
mod miner;
mod peers;
mod rpc;
mod server;

use std::sync::Arc;

use prometheus::{Registry, TextEncoder};

pub(crate) use chain::ChainMetrics;
pub(crate) use events::count_events;
pub(crate) use mempool::MempoolMetrics;
pub(crate) use miner::MinerMetrics;
pub(crate) use peers::{CompactOutcome, PeerMetrics};
pub(crate) use rpc::RpcMetrics;
pub(crate) use server::router;

/// Everything that is counted and measured. Cheap to clone: clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Registry,
    /// The chain state.
    pub(crate) chain: Arc<ChainMetrics>,
    /// Unconfirmed transactions.
    pub(crate) mempool: Arc<MempoolMetrics>,
    /// JSON-RPC.
    pub(crate) rpc: Arc<RpcMetrics>,
    /// Mining.
    pub(crate) miner: Arc<MinerMetrics>,
    /// Other nodes.
    pub(crate) peers: Arc<PeerMetrics>,
}

impl Metrics {
    /// All metrics of a node on this network.
    ///
    /// # Errors
    ///
    /// When two of them have the same name.
    pub(crate) fn new(network: &str) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let build = families::process::BUILD_INFO.int_gauge_vec(&registry)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), network]).set(1);
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let chain = Arc::new(ChainMetrics::new(&registry)?);
        let mempool = Arc::new(MempoolMetrics::new(&registry)?);
        let rpc = Arc::new(RpcMetrics::new(&registry)?);
        let miner = Arc::new(MinerMetrics::new(&registry)?);
        let peers = Arc::new(PeerMetrics::new(&registry)?);
        Ok(Self { registry, chain, mempool, rpc, miner, peers })
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// When a metric has no name.
    pub(crate) fn encode(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

#[cfg(test)]
mod tests;
