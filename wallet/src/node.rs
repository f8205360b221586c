//! The node that a wallet asks: any that speaks Bitcoin Core's JSON-RPC.
//!
//! | file | holds |
//! |---|---|
//! | `client` | calls, and the mempool's transactions fetched many at a time |
//! | `error` | what a node can fail at |

mod client;
mod error;

use std::fmt;
use std::time::Duration;

use bdk_bitcoind_rpc::bitcoincore_rpc::jsonrpc::client::Client as JsonRpcClient;
use bdk_bitcoind_rpc::bitcoincore_rpc::jsonrpc::simple_http::SimpleHttpTransport;
use bdk_bitcoind_rpc::bitcoincore_rpc::{self, RpcApi};
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, BlockHash, FeeRate, Transaction, Txid};
use serde::Deserialize;
use zeroize::Zeroizing;

pub(crate) use client::Client;
pub use error::NodeError;

use crate::network::{Network, Stakes};

/// As good as for ever.
const VERY_LONG: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Satoshis per virtual byte, in satoshis per thousand weight units: what is paid where nobody can tell what is usual.
const FALLBACK_RATE: FeeRate = FeeRate::from_sat_per_kwu(250);

/// Where a node is, and how it knows us.
#[derive(Clone)]
pub struct NodeAddress {
    /// Its URL, such as `http://127.0.0.1:8432`.
    pub url: String,
    /// User and password, separated by a colon.
    pub user_password: Option<Zeroizing<String>>,
    /// How long it may take for one answer; for ever if absent.
    pub timeout: Option<Duration>,
}

impl fmt::Debug for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeAddress").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A node that answered.
#[derive(Debug)]
pub struct Node {
    pub(crate) client: Client,
    url: String,
}

/// What a node knows of the chain.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ChainInfo {
    pub(crate) blocks: u32,
    headers: u32,
    initialblockdownload: bool,
}

impl Node {
    /// Makes sure that there is a node, and that it is one of the wallet's network.
    ///
    /// # Errors
    ///
    /// When nobody answers, or another network's node does.
    pub fn connect(address: &NodeAddress, network: &Network) -> Result<Self, NodeError> {
        let url = &address.url;
        let invalid = |error: &dyn fmt::Display| NodeError::Address { url: url.clone(), problem: error.to_string() };
        let mut transport = SimpleHttpTransport::builder()
            .timeout(address.timeout.unwrap_or(VERY_LONG))
            .url(url)
            .map_err(|error| invalid(&error))?;
        if let Some((user, password)) = address.user_password.as_ref().and_then(|pair| pair.split_once(':')) {
            transport = transport.auth(user, Some(password));
        }
        let client = bitcoincore_rpc::Client::from_jsonrpc(JsonRpcClient::with_transport(transport.build()));
        let node = Self { client: Client::new(client), url: url.clone() };
        let genesis: BlockHash = node.call("getblockhash", &[0.into()])?;
        if genesis != network.genesis {
            return Err(NodeError::OtherNetwork { url: url.clone(), ours: network.name.clone() });
        }
        Ok(node)
    }

    /// Whether the node knows the whole chain, as far as it can tell.
    ///
    /// On a network of one's own, where nobody mines unless asked to, an old tip says nothing.
    ///
    /// # Errors
    ///
    /// When it does not, or does not answer.
    pub fn check_synced(&self, network: &Network) -> Result<(), NodeError> {
        let info = self.chain_info()?;
        let is_resting = network.stakes == Stakes::Local;
        if info.blocks < info.headers || (info.initialblockdownload && !is_resting) {
            return Err(NodeError::Syncing { blocks: info.blocks, headers: info.headers });
        }
        Ok(())
    }

    /// What a transaction should pay to be mined within `target` blocks; whether that is a guess for want of an estimate.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub fn estimate_fee_rate(&self, target: u16) -> Result<(FeeRate, bool), NodeError> {
        #[derive(Deserialize)]
        struct Estimate {
            feerate: Option<f64>,
        }
        #[derive(Deserialize)]
        struct Pool {
            mempoolminfee: f64,
        }
        let estimate: Estimate = self.call("estimatesmartfee", &[target.into()])?;
        let pool: Pool = self.call("getmempoolinfo", &[])?;
        let least = from_btc_per_kvb(pool.mempoolminfee);
        Ok(match estimate.feerate {
            Some(rate) => (from_btc_per_kvb(rate).max(least), false),
            None => (FALLBACK_RATE.max(least), true),
        })
    }

    /// Gives a transaction to the node.
    ///
    /// # Errors
    ///
    /// When the node does not take it, with its reason.
    pub fn broadcast(&self, transaction: &Transaction) -> Result<Txid, NodeError> {
        self.call("sendrawtransaction", &[serialize_hex(transaction).into()])
    }

    /// How many nodes this one is connected with.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub fn peers(&self) -> Result<u32, NodeError> {
        self.call("getconnectioncount", &[])
    }

    /// The height of its newest block.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub fn height(&self) -> Result<u32, NodeError> {
        Ok(self.chain_info()?.blocks)
    }

    pub(crate) fn chain_info(&self) -> Result<ChainInfo, NodeError> {
        self.call("getblockchaininfo", &[])
    }

    /// Calls a method.
    ///
    /// # Errors
    ///
    /// When the node does not answer, or with an error.
    pub fn call<T: for<'a> Deserialize<'a>>(
        &self,
        method: &str,
        arguments: &[serde_json::Value],
    ) -> Result<T, NodeError> {
        self.client.call(method, arguments).map_err(|error| self.error(error))
    }

    /// Makes sure that a transaction is not worth more than there is.
    pub(crate) fn check_amounts(&self, transaction: &Transaction) -> Result<(), NodeError> {
        let sum = transaction.output.iter().try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value));
        match sum {
            Some(sum) if sum <= Amount::MAX_MONEY => Ok(()),
            _ => Err(self.malformed(&"a transaction is worth more than there is")),
        }
    }

    /// What the node said cannot be.
    pub(crate) fn malformed(&self, problem: &dyn fmt::Display) -> NodeError {
        NodeError::Malformed { url: self.url.clone(), problem: problem.to_string() }
    }

    /// What an error of the client means.
    pub(crate) fn error(&self, error: bitcoincore_rpc::Error) -> NodeError {
        NodeError::of(error, &self.url)
    }
}

/// A rate as Core writes it, in bitcoins per thousand virtual bytes; rounded up, so as not to be below what is asked.
fn from_btc_per_kvb(rate: f64) -> FeeRate {
    let sat_per_kvb = (rate * 1e8).clamp(0.0, 1e12);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    FeeRate::from_sat_per_kwu((sat_per_kvb / 4.0 - 1e-6).ceil().max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_cores() {
        assert_eq!(from_btc_per_kvb(0.00001), FeeRate::from_sat_per_kwu(250));
        assert_eq!(from_btc_per_kvb(0.000001), FeeRate::from_sat_per_kwu(25));
        assert_eq!(from_btc_per_kvb(0.00012345), FeeRate::from_sat_per_kwu(3087));
        assert_eq!(from_btc_per_kvb(f64::NAN), FeeRate::ZERO);
        assert_eq!(from_btc_per_kvb(-1.0), FeeRate::ZERO);
    }

    #[test]
    fn a_password_is_not_printed_for_debugging() {
        let user_password = Some(Zeroizing::new("alice:secret".to_owned()));
        let address = NodeAddress { url: "http://127.0.0.1:1".to_owned(), user_password, timeout: None };
        assert!(!format!("{address:?}").contains("secret"));
    }
}
