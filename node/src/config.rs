//! Everything a user may set, from its name to its effective value.
//!
//! [`Config`] is the only definition of a key. Its field gives the name, its type how a value is read, its documentation the
//! help; the default, the heading and the name of the value stand at the field too. From there come the flag `--key-name`, the
//! variable `CAIRN_KEY_NAME`, the key `key-name` of `cairn.toml`, the text of `cairn config init` and the rows of
//! `cairn config show`.
//!
//! ```text
//! command line ─ Given ──┐
//! environment ── Layer ──┼─▶ Settings: for each key the first of them that has it ─ resolve ─▶ Config
//! cairn.toml ─── Layer ──┘                                                 └─ entries ─▶ config show
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `network`, `chain`, `blocks`, `mempool`, `peers`, `rpc`, `metrics`, `mining`, `log` | the keys, by part of the node |
//! | `listen_address`, `fee_rate` | values of kinds of their own |
//! | `key` | the keys as data |
//! | `given`, `environment`, `file` | where values come from |
//! | `settings` | which of them counts |
//! | `template` | the file that `cairn config init` writes |
//! | `nearest` | what was meant by a name that is none |
//! | `error` | what can be wrong |

mod blocks;
mod chain;
mod environment;
mod error;
mod fee_rate;
mod file;
mod given;
mod key;
mod listen_address;
mod log;
mod mempool;
mod metrics;
mod mining;
mod nearest;
mod network;
mod peers;
mod rpc;
mod settings;
mod template;

use cairn_chain::chainstate::{ChainstateOptions, DEFAULT_MAX_TIP_AGE};
use cairn_chain::params::ChainParams;
use clap::{ArgAction, Args};

pub(crate) use blocks::BlocksConfig;
pub(crate) use chain::ChainConfig;
pub(crate) use error::ConfigError;
pub(crate) use fee_rate::FeeRate;
pub(crate) use given::{FileOption, Given};
pub(crate) use listen_address::ListenAddress;
pub(crate) use log::{LogConfig, LogFormat};
pub(crate) use mempool::MempoolConfig;
pub(crate) use metrics::MetricsConfig;
pub(crate) use mining::MiningConfig;
pub(crate) use network::NetworkConfig;
pub(crate) use peers::{PeersConfig, is_local};
pub(crate) use rpc::{RpcAccess, RpcConfig};
pub(crate) use settings::{Origin, Setting, Settings};
pub(crate) use template::template;

/// How a node is to be run. The fields' units are those users write; methods give what the parts of the node need.
#[derive(Debug, Clone, Args)]
pub(crate) struct Config {
    /// Which chain, where it lies, and what it may use.
    #[command(flatten)]
    pub(crate) chain: ChainConfig,
    /// Which blocks are kept, and how they are checked.
    #[command(flatten)]
    pub(crate) blocks: BlocksConfig,
    /// Age of the tip, in seconds, beyond which the chain is taken for one that is still being loaded (Core: -maxtipage)
    /// [default: a day; no limit on networks for tests, which may rest].
    #[arg(long, value_name = "SECONDS", help_heading = "Blocks")]
    pub(crate) max_tip_age: Option<u64>,
    /// Keep an index of all transactions, so that any can be found by its id (Core: -txindex).
    #[arg(long, alias = "txindex", value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = false, default_missing_value = "true", help_heading = "Blocks")]
    pub(crate) tx_index: bool,
    /// Unconfirmed transactions.
    #[command(flatten)]
    pub(crate) mempool: MempoolConfig,
    /// Other nodes.
    #[command(flatten)]
    pub(crate) peers: PeersConfig,
    /// JSON-RPC.
    #[command(flatten)]
    pub(crate) rpc: RpcConfig,
    /// Metrics and health.
    #[command(flatten)]
    pub(crate) metrics: MetricsConfig,
    /// Mining.
    #[command(flatten)]
    pub(crate) mining: MiningConfig,
    /// What the node says.
    #[command(flatten)]
    pub(crate) log: LogConfig,
}

impl Config {
    /// Checks what no key can say alone, and returns the network.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit.
    pub(crate) fn check(&self) -> Result<ChainParams, ConfigError> {
        let params = self.chain.network.params()?;
        if self.tx_index && self.blocks.prune.is_some() {
            return Err(ConfigError::PruneWithTxIndex);
        }
        self.mempool.check(&params)?;
        self.peers.check(&params)?;
        self.rpc.access.check()?;
        self.mining.script_pubkey(&params)?;
        self.log.check()?;
        Ok(params)
    }

    /// How the chain state is to be run.
    pub(crate) fn chainstate_options(&self, params: &ChainParams) -> ChainstateOptions {
        let default = if params.is_mockable { u64::MAX } else { DEFAULT_MAX_TIP_AGE };
        let max_tip_age = self.max_tip_age.unwrap_or(default);
        ChainstateOptions { max_tip_age, ..self.blocks.apply(self.chain.chainstate_options()) }
    }
}

#[cfg(test)]
impl Config {
    /// What these words on a command line say, without environment and file.
    pub(crate) fn of(arguments: &[&str]) -> Self {
        use clap::FromArgMatches;
        let command = Self::augment_args(clap::Command::new("cairn").no_binary_name(true));
        Self::from_arg_matches(&command.get_matches_from(arguments)).unwrap()
    }
}

#[cfg(test)]
mod tests;
