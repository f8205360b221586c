//! The service and the tasks around it, as the configuration says.

use std::convert::Infallible;
use std::sync::Arc;

use bitcoin::Target;
use cairn_net::{
    IdentityError, Network, NetworkConfig, NetworkError, NetworkEvents, NetworkHandle, NetworkNames,
    load_or_create_identity,
};
use thiserror::Error;
use tracing::info;

use super::serve::Server;
use super::status::USER_AGENT;
use super::tasks::{announce, follow_peers, relay_headers, relay_transactions, serve};
use crate::context::SharedContext;
use crate::penalty::{BanListError, Reputation};
use crate::relay::Relay;
use crate::sync;
use crate::tasks::Tasks;

/// The file of the key that peers know us by, in the folder of the network's data.
const KEY_FILE: &str = "node_key";

/// Why a node cannot meet others.
#[derive(Debug, Error)]
pub(crate) enum NetworkStartError {
    /// The network cannot be started.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The key that peers know us by cannot be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The list of who is banned cannot be had.
    #[error(transparent)]
    Bans(#[from] BanListError),
}

/// Starts to listen and to dial. The tasks end when the node is to stop.
///
/// # Errors
///
/// When addresses cannot be listened on, there is no key, or the list of who is banned cannot be read.
pub(crate) async fn start(context: &SharedContext, tasks: &mut Tasks) -> Result<NetworkHandle, NetworkStartError> {
    let params = &context.params;
    let spec_hash = params.spec_hash();
    let pow_limit = Target::from_be_bytes(params.consensus.pow.limit.to_be_bytes());
    // What presents itself as regtest is on one's own machines.
    let is_local = params.rpc_name == "regtest" && params.name != "cairn";
    let names = NetworkNames::new(&params.name, &spec_hash);
    let mut config = NetworkConfig::new(names, spec_hash, pow_limit, is_local);
    USER_AGENT.clone_into(&mut config.user_agent);
    config.listen.clone_from(&context.config.peers.listen);
    config.peers.clone_from(&context.config.peers.peer);
    let key_file = context.directory.join(KEY_FILE);
    let key = tokio::task::spawn_blocking(move || load_or_create_identity(&key_file)).await;
    let key = key.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    let Network { service, handle, events } = Network::start(config, key).await?;
    let stopping = context.shutdown.clone().cancelled_owned();
    tasks.spawn("network", async move {
        service.run(stopping).await;
        Ok::<(), Infallible>(())
    });
    info!(peer = %handle.local_peer_id(), addresses = ?handle.listen_addresses(), "listening for peers");

    let reputation = Arc::new(Reputation::open(Arc::clone(context), handle.clone())?);
    // Nobody else has set it.
    let _ = context.reputation.set(Arc::clone(&reputation));
    tasks.spawn("bans", Arc::clone(&reputation).enforce());
    let (sync, commands) = sync::channel();
    let relay = Relay::new(Arc::clone(context), handle.clone(), Arc::clone(&reputation), sync.clone());
    let NetworkEvents { peers, headers, transactions, requests } = events;
    let server = Server { context: Arc::clone(context), sync: sync.clone() };
    let who_knows = (relay.clone(), sync, Arc::clone(&reputation));
    tasks.spawn("sync", sync::run(Arc::clone(context), handle.clone(), reputation, commands));
    tasks.spawn("peers", follow_peers(Arc::clone(context), peers, who_knows));
    tasks.spawn("relay of headers", relay_headers(Arc::clone(context), headers, relay.clone()));
    tasks.spawn("relay of transactions", relay_transactions(Arc::clone(context), transactions, relay.clone()));
    tasks.spawn("answers to peers", serve(Arc::clone(context), requests, server));
    tasks.spawn("announcements", announce(Arc::clone(context), relay));
    Ok(handle)
}
