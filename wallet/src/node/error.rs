//! What a node can fail at.

use bdk_bitcoind_rpc::bitcoincore_rpc;
use bdk_bitcoind_rpc::bitcoincore_rpc::jsonrpc;
use bdk_bitcoind_rpc::bitcoincore_rpc::jsonrpc::simple_http;

/// Core's number for a node that starts (`rpc/protocol.h`: `RPC_IN_WARMUP`).
const IN_WARMUP: i32 = -28;
/// Core's numbers for a transaction that is not taken (`RPC_VERIFY_ERROR`, `RPC_VERIFY_REJECTED`).
const VERIFY_ERRORS: [i32; 2] = [-25, -26];

/// Why a node does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A URL that is none.
    #[error("expected the URL of a node, got '{url}': {problem}")]
    Address {
        /// The text.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody answers.
    #[error("no node answers at {url}: {problem}; start one with 'cairn run'")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened instead.
        problem: String,
    },
    /// It does not know us.
    #[error(
        "the node at {url} does not accept our cookie or password; choose its data with --datadir and --network, or a user with --rpc-user"
    )]
    Unauthorised {
        /// Where it is.
        url: String,
    },
    /// It is not ready.
    #[error("the node is starting: {0}")]
    Starting(String),
    /// It does not know the whole chain.
    #[error(
        "the node is still syncing: it has {blocks} of {headers} blocks, or its newest block is old; try again when it has all"
    )]
    Syncing {
        /// Blocks that it has.
        blocks: u32,
        /// Blocks that it knows of.
        headers: u32,
    },
    /// It knows less than the wallet.
    #[error(
        "the node has {node} blocks, and this wallet has seen {wallet}; let it sync, or use 'cairn wallet rescan' if the chain was begun anew"
    )]
    Behind {
        /// Blocks that the node has.
        node: u32,
        /// Blocks that the wallet has seen.
        wallet: u32,
    },
    /// Its chain is another one.
    #[error("the node at {url} is of another network than {ours}")]
    OtherNetwork {
        /// Where it is.
        url: String,
        /// The wallet's network.
        ours: String,
    },
    /// It does not take a transaction.
    #[error("the node does not take the transaction: {0}")]
    Rejected(String),
    /// It answers with an error.
    #[error("the node says: {message} (code {code})")]
    Rpc {
        /// The number of the error.
        code: i32,
        /// What is wrong.
        message: String,
    },
    /// It answers with what could not be understood.
    #[error("the answer of the node at {url} cannot be understood: {problem}")]
    Malformed {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl NodeError {
    /// Whether nobody answers.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Starting(_))
    }

    /// Whether the node has to catch up first.
    pub(crate) fn is_unwell(&self) -> bool {
        matches!(self, Self::Syncing { .. } | Self::Behind { .. })
    }

    /// What an error of the client means.
    pub(super) fn of(error: bitcoincore_rpc::Error, url: &str) -> Self {
        let url = url.to_owned();
        match error {
            bitcoincore_rpc::Error::JsonRpc(jsonrpc::Error::Rpc(error)) => match error.code {
                IN_WARMUP => Self::Starting(error.message),
                code if VERIFY_ERRORS.contains(&code) => Self::Rejected(error.message),
                code => Self::Rpc { code, message: error.message },
            },
            bitcoincore_rpc::Error::JsonRpc(jsonrpc::Error::Transport(error)) => {
                match error.downcast_ref::<simple_http::Error>() {
                    Some(simple_http::Error::HttpErrorCode(401)) => Self::Unauthorised { url },
                    Some(simple_http::Error::HttpErrorCode(_)) | None => {
                        Self::Malformed { url, problem: error.to_string() }
                    }
                    Some(_) => Self::Unreachable { url, problem: error.to_string() },
                }
            }
            error => Self::Malformed { url, problem: error.to_string() },
        }
    }
}
