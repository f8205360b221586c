//! The service, as the configuration says.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Target;
use cairn_net::{
    IdentityError, Network, NetworkConfig, NetworkError, NetworkEvents, NetworkHandle, NetworkNames, PeerEvent, PeerId,
    load_or_create_identity,
};
use thiserror::Error;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{debug, info, warn};

use super::Relay;
use crate::chain_service::ChainStopped;
use crate::context::SharedContext;
use crate::tasks::Tasks;

/// What we call ourselves (BIP14).
pub(super) const USER_AGENT: &str = concat!("/cairn:", env!("CARGO_PKG_VERSION"), "/");
/// The file of the key that peers know us by, in the folder of the network's data.
const KEY_FILE: &str = "node_key";
/// Peers that may wait for us to catch up with them.
const MAX_WAITING: usize = 64;
/// Bodies of announced blocks that are fetched at the same time.
const MAX_FETCHES: usize = 3;
/// Time between two looks at whether blocks are missing that nobody is asked for.
const CATCH_UP_INTERVAL: Duration = Duration::from_secs(5);
/// How long one peer keeps the others from being asked.
const CATCH_UP_TIME: Duration = Duration::from_secs(10 * 60);
/// Time between two looks at what was announced to nobody. Core waits ten to fifteen minutes, so as not to tell whose it is.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(5);
/// Questions of peers that are answered at the same time.
const MAX_SERVED: usize = 8;

/// Why a node cannot meet others.
#[derive(Debug, Error)]
pub(crate) enum NetworkStartError {
    /// The network cannot be started.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The key that peers know us by cannot be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Starts to listen and to dial. The tasks end when the node is to stop.
///
/// # Errors
///
/// When addresses cannot be listened on, or there is no key.
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

    let (behind, waiting) = mpsc::channel(MAX_WAITING);
    let fetches = Arc::new(Semaphore::new(MAX_FETCHES));
    let relay = Relay { context: Arc::clone(context), network: handle.clone(), behind, fetches };
    tasks.spawn("catch up", catch_up_with_all(relay.clone(), waiting));
    tasks.spawn("relay", run(relay, events));
    Ok(handle)
}

/// Catches up with one peer after the other, until the node is to stop. While blocks are missing, every peer has its turn.
async fn catch_up_with_all(relay: Relay, mut waiting: mpsc::Receiver<PeerId>) -> Result<(), Infallible> {
    let shutdown = relay.context.shutdown.clone();
    let mut again = interval(CATCH_UP_INTERVAL);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut turn = 0;
    loop {
        let peer = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            peer = waiting.recv() => peer,
            _ = again.tick() => {
                let peers = relay.network.connected_peers();
                match relay.is_behind().await {
                    Ok(true) if !peers.is_empty() => {
                        turn += 1;
                        Some(peers[turn % peers.len()].peer)
                    }
                    Ok(_) => continue,
                    Err(ChainStopped) => None,
                }
            }
        };
        let Some(peer) = peer else { return Ok(()) };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            caught_up = timeout(CATCH_UP_TIME, relay.catch_up(peer)) => match caught_up {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%peer, %error, "could not catch up"),
                Err(_) => debug!(%peer, "others have their turn to be caught up with"),
            }
        }
    }
}

/// Does what peers and the chain ask for, until the node is to stop.
async fn run(relay: Relay, mut events: NetworkEvents) -> Result<(), Infallible> {
    let shutdown = relay.context.shutdown.clone();
    let (mut tips, mut transactions) = (relay.context.chain.subscribe(), relay.context.chain.subscribe_mempool());
    let places = Arc::new(Semaphore::new(MAX_SERVED));
    let mut late = interval(ANNOUNCE_INTERVAL);
    late.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outcome: Result<(), ChainStopped> = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            Some(event) = events.peers.recv() => {
                peer_changed(&relay, event);
                Ok(())
            }
            Some(header) = events.headers.recv() => relay.header_announced(header).await,
            Some(transaction) = events.transactions.recv() => relay.transaction_announced(transaction).await,
            Some(request) = events.requests.recv() => {
                // Without a place for it, the peer is told that we are busy.
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    let relay = relay.clone();
                    tokio::spawn(async move {
                        let _place = place;
                        // Nothing is to be done about a node that stops.
                        let _ = relay.serve(request).await;
                    });
                }
                Ok(())
            }
            _ = late.tick() => relay.announce_unbroadcast().await,
            event = tips.recv() => match event {
                Ok(event) => relay.announce_tip(&event).await,
                Err(RecvError::Lagged(_)) => Ok(()),
                Err(RecvError::Closed) => return Ok(()),
            },
            events = transactions.recv() => match events {
                Ok(events) => relay.announce_transactions(&events).await,
                Err(RecvError::Lagged(missed)) => {
                    debug!(missed, "transactions came too fast to be announced");
                    Ok(())
                }
                Err(RecvError::Closed) => return Ok(()),
            },
        };
        if outcome.is_err() {
            return Ok(());
        }
    }
}

fn peer_changed(relay: &Relay, event: PeerEvent) {
    match event {
        PeerEvent::Connected(peer) => {
            info!(peer = %peer.peer, address = %peer.address, user_agent = peer.user_agent, "peer connected");
            relay.catch_up_with(peer.peer);
        }
        PeerEvent::Disconnected(peer) => info!(%peer, "peer disconnected"),
        PeerEvent::Misbehaved { peer, violation } => warn!(%peer, %violation, "peer misbehaved"),
    }
}
