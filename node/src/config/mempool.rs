//! Unconfirmed transactions.

use bitcoin::NetworkKind;
use cairn_chain::mempool::MempoolOptions;
use cairn_chain::mempool::policy::PolicyOptions;
use cairn_chain::params::ChainParams;
use clap::{ArgAction, Args};

use super::{ConfigError, FeeRate};

/// Keys about the mempool; the defaults are Core's (`kernel/mempool_options.h`, `policy/policy.h`).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mempool")]
pub(crate) struct MempoolConfig {
    /// Memory for transactions, in MB (Core: -maxmempool).
    #[arg(long, value_name = "MB", default_value_t = 300, value_parser = clap::value_parser!(u32).range(5..))]
    pub(crate) max_mempool: u32,
    /// Hours after which a transaction leaves (Core: -mempoolexpiry).
    #[arg(long, value_name = "HOURS", default_value_t = 336, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) mempool_expiry: u32,
    /// Least fee rate that is relayed, in satoshis per virtual byte (Core: -minrelaytxfee).
    #[arg(long, value_name = "SAT/VB", default_value = "0.1")]
    pub(crate) min_relay_fee: FeeRate,
    /// Fee rate at which an output must be worth spending, in satoshis per virtual byte (Core: -dustrelayfee).
    #[arg(long, value_name = "SAT/VB", default_value = "3")]
    pub(crate) dust_relay_fee: FeeRate,
    /// Most bytes of scripts that carry data; 0 relays none (Core: -datacarriersize).
    #[arg(long, value_name = "BYTES", default_value_t = 100_000)]
    pub(crate) data_carrier_size: u32,
    /// Relay and mine transactions that are valid but not standard; not on main (Core: -acceptnonstdtxn).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = false, default_missing_value = "true")]
    pub(crate) accept_nonstandard: bool,
    /// Save transactions when the node stops, and load them when it starts (Core: -persistmempool).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
        default_value_t = true, default_missing_value = "true")]
    pub(crate) persist_mempool: bool,
}

impl MempoolConfig {
    /// How the pool is to be run.
    pub(crate) fn options(&self) -> MempoolOptions {
        let default = MempoolOptions::default();
        let per_kvb = |rate: &FeeRate| i64::try_from(rate.sat_per_kvb()).unwrap_or(i64::MAX);
        MempoolOptions {
            policy: PolicyOptions {
                require_standard: !self.accept_nonstandard,
                max_datacarrier_bytes: usize::try_from(self.data_carrier_size).ok().filter(|&size| size > 0),
                dust_relay_fee: self.dust_relay_fee.sat_per_kvb(),
                ..default.policy
            },
            max_bytes: usize::try_from(u64::from(self.max_mempool) * 1_000_000).unwrap_or(usize::MAX),
            expiry: u64::from(self.mempool_expiry) * 60 * 60,
            min_relay_fee_rate: cairn_chain::mempool::FeeRate::per_kvb(per_kvb(&self.min_relay_fee)),
            ..default
        }
    }

    /// As Core, which knows nothing but standard transactions on main (`ApplyArgsManOptions`, `node/mempool_args.cpp`).
    pub(super) fn check(&self, params: &ChainParams) -> Result<(), ConfigError> {
        if self.accept_nonstandard && params.address_format.kind == NetworkKind::Main {
            return Err(ConfigError::Value {
                key: "accept-nonstandard",
                problem: format!("network {} has standard transactions only", params.name),
            });
        }
        Ok(())
    }
}
