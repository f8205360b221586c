//! The service and the tasks around it, as the configuration says.

use std::convert::Infallible;
use std::sync::Arc;

use cairn_net::{IdentityError, Network, NetworkError, NetworkEvents, NetworkHandle};
use thiserror::Error;
use tracing::info;

use super::address_book;
use super::serve::Server;
use super::settings::{identity, network_config};
use super::tasks::{announce, follow_peers, relay_headers, relay_transactions, serve};
use crate::config::ConfigError;
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
    /// Something that the user set cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
    let mut config = network_config(&context.params, &context.config.peers)?;
    config.known_addresses = address_book::read(&context.directory);
    // While the chain is loaded nothing can be judged: the sync says when it is.
    config.relay_transactions = false;
    let key = identity(&context.directory.join(KEY_FILE)).await?;
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
    let server = Server::new(Arc::clone(context), sync.clone(), relay.recent_blocks());
    let who_knows = (relay.clone(), sync, Arc::clone(&reputation));
    let (metrics, directory) = (Arc::clone(&context.metrics.peers), context.directory.clone());
    let saved = address_book::save(handle.clone(), directory, metrics, context.shutdown.clone());
    tasks.spawn("addresses of peers", saved);
    tasks.spawn("sync", sync::run(Arc::clone(context), handle.clone(), reputation, commands));
    tasks.spawn("peers", follow_peers(Arc::clone(context), peers, who_knows));
    tasks.spawn("relay of headers", relay_headers(Arc::clone(context), headers, relay.clone()));
    tasks.spawn("relay of transactions", relay_transactions(Arc::clone(context), transactions, relay.clone()));
    tasks.spawn("answers to peers", serve(Arc::clone(context), requests, server));
    tasks.spawn("announcements", announce(Arc::clone(context), relay));
    Ok(handle)
}
