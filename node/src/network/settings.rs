//! What the network is told, whichever kind of node it is for.

use std::path::Path;

use bitcoin::Target;
use cairn_chain::params::ChainParams;
use cairn_net::{IdentityError, Keypair, NetworkConfig, NetworkNames, load_or_create_identity};

use crate::config::{ConfigError, PeersConfig, is_local};
use crate::tasks::blocking;

/// What we call ourselves (BIP14).
pub(crate) const USER_AGENT: &str = concat!("/cairn:", env!("CARGO_PKG_VERSION"), "/");

/// The network's names and rules, and what the user set.
///
/// # Errors
///
/// When a file that the user named cannot be read.
pub(crate) fn network_config(params: &ChainParams, peers: &PeersConfig) -> Result<NetworkConfig, ConfigError> {
    let spec_hash = params.spec_hash();
    let pow_limit = Target::from_be_bytes(params.consensus.pow.limit.to_be_bytes());
    let names = NetworkNames::new(&params.name, &spec_hash);
    let mut config = NetworkConfig::new(names, spec_hash, pow_limit, is_local(params));
    USER_AGENT.clone_into(&mut config.user_agent);
    peers.apply(&mut config)?;
    Ok(config)
}

/// The key in a file, by which peers know us; a new one if there is none.
///
/// # Errors
///
/// When it cannot be read or written.
pub(crate) async fn identity(file: &Path) -> Result<Keypair, IdentityError> {
    let file = file.to_owned();
    blocking(move || load_or_create_identity(&file)).await
}
