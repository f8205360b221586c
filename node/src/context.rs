//! What every part of a running node may ask for.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use cairn_chain::params::ChainParams;
use cairn_net::NetworkHandle;
use tokio_util::sync::CancellationToken;

use crate::chain_service::ChainHandle;
use crate::coin_scans::CoinScans;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::penalty::Reputation;
use crate::tx_index::TxIndex;

/// What RPC methods, metrics and the miner share. Held behind an `Arc`.
#[derive(Debug)]
pub(crate) struct NodeContext {
    /// The way to the chain thread.
    pub(crate) chain: ChainHandle,
    /// The network.
    pub(crate) params: ChainParams,
    /// Folder of the network's data.
    pub(crate) directory: PathBuf,
    /// When the node started.
    pub(crate) started: Instant,
    /// Cancelled when the node is to stop; whoever cancels it stops the node.
    pub(crate) shutdown: CancellationToken,
    /// What the user set.
    pub(crate) config: Config,
    /// What is counted and measured.
    pub(crate) metrics: Metrics,
    /// The way to other nodes, as soon as there is one.
    pub(crate) network: OnceLock<NetworkHandle>,
    /// Who is banned, as soon as there is a network.
    pub(crate) reputation: OnceLock<Arc<Reputation>>,
    /// Who reads all coins.
    pub(crate) coin_scans: Arc<CoinScans>,
    /// Where the transactions of the chain are; nothing unless the user wants to know.
    pub(crate) tx_index: Option<TxIndex>,
    /// Whether the pool of the last run was taken back, as far as it fits.
    pub(crate) mempool_loaded: AtomicBool,
}

/// The context that tasks hold.
pub(crate) type SharedContext = Arc<NodeContext>;
