//! Why a node does not start, or ends.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use cairn_chain::chainstate::ChainstateError;
use cairn_chain::index::IndexError;
use thiserror::Error;

use crate::config::ConfigError;
use crate::miner::MinerError;
use crate::network::NetworkStartError;
use crate::rpc::RpcServerError;
use crate::tasks::TaskFailure;

/// Why a node does not start, or ends.
#[derive(Debug, Error)]
pub(crate) enum NodeError {
    /// It was told something that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory or the chain state cannot be opened, or not be written any more.
    #[error(transparent)]
    Chainstate(#[from] ChainstateError),
    /// The system has no thread for the chain.
    #[error("cannot start the chain thread: {0}")]
    Thread(io::Error),
    /// The chain thread ended and nobody had asked it to.
    #[error("the chain thread ended by itself")]
    ChainEnded,
    /// Something about the chain panicked.
    #[error("{what} panicked: {message}")]
    Panicked {
        /// What panicked.
        what: &'static str,
        /// What it panicked with.
        message: String,
    },
    /// An address is not to be had.
    #[error("cannot serve {what} at {address}: {source}; choose another place with {advice}")]
    Listen {
        /// What was to be served.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
        /// The options that change where.
        advice: &'static str,
    },
    /// RPC cannot be served.
    #[error("{0}; choose another place with --rpc-listen and --rpc-port, or --rpc=false for none")]
    Rpc(#[from] RpcServerError),
    /// A metric was defined wrongly.
    #[error("cannot register metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A file of the node cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no meeting other nodes.
    #[error("cannot meet other nodes: {0}")]
    Network(#[from] NetworkStartError),
    /// Nothing can be mined.
    #[error("cannot mine: {0}")]
    Miner(#[from] MinerError),
    /// The index of transactions cannot be opened.
    #[error("cannot open the index of transactions: {0}")]
    TxIndex(#[from] IndexError),
    /// A part of the node failed.
    #[error(transparent)]
    Task(#[from] TaskFailure),
}
