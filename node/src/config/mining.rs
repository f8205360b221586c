//! Mining.

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, KnownHrp, Network, NetworkKind, ScriptBuf};
use cairn_chain::params::{AddressFormat, ChainParams};
use clap::Args;

use super::ConfigError;

/// Keys about mining.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mining")]
pub(crate) struct MiningConfig {
    /// Mine, and have blocks pay to this address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mine: Option<Address<NetworkUnchecked>>,
    /// Threads that search for blocks.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) mine_threads: u16,
    /// Most hashes a second, over all threads [default: no limit].
    #[arg(long, value_name = "HASHES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) mine_throttle: Option<u64>,
}

impl MiningConfig {
    /// The script that blocks pay to.
    ///
    /// # Errors
    ///
    /// When the address is another network's.
    pub(crate) fn script_pubkey(&self, params: &ChainParams) -> Result<Option<ScriptBuf>, ConfigError> {
        let Some(address) = self.mine.clone() else { return Ok(None) };
        let network = network_of(params.address_format);
        if !address.is_valid_for_network(network) {
            let text = address.assume_checked();
            let problem = format!("expected an address of network {}, got {text}", params.name);
            return Err(ConfigError::Value { key: "mine", problem });
        }
        Ok(Some(address.assume_checked().script_pubkey()))
    }
}

/// The network of rust-bitcoin that writes addresses in this way.
fn network_of(format: AddressFormat) -> Network {
    match (format.kind, format.hrp) {
        (NetworkKind::Main, _) => Network::Bitcoin,
        (NetworkKind::Test, KnownHrp::Testnets) => Network::Testnet4,
        (NetworkKind::Test, _) => Network::Regtest,
    }
}
