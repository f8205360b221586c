//! What peers and the chain ask for, handed to whoever does it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cairn_net::{GossipHeader, GossipTransaction, InboundRequest, PeerEvent};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;

use super::serve::Server;
use crate::chain_service::ChainStopped;
use crate::context::SharedContext;
use crate::penalty::{Conduct, Reputation};
use crate::relay::Relay;
use crate::sync::SyncHandle;

/// Questions about new blocks that are answered at the same time, or wait for the block.
const MAX_WAITING: usize = 64;
/// Time between two looks at what was announced to nobody. Core waits ten to fifteen minutes, so as not to tell whose it is.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(5);

/// Tells everybody who has to know of peers that come, go and misbehave.
pub(super) async fn follow_peers(
    context: SharedContext,
    mut events: mpsc::Receiver<PeerEvent>,
    (relay, sync, reputation): (Relay, SyncHandle, Arc<Reputation>),
) -> Result<(), Infallible> {
    while let Some(event) = unless_stopped(&context, events.recv()).await {
        match event {
            PeerEvent::Connected(peer) => sync.peer_connected(peer.peer).await,
            PeerEvent::Disconnected(peer) => {
                relay.forget_peer(&peer);
                sync.peer_disconnected(peer).await;
            }
            PeerEvent::Misbehaved { peer, violation } => {
                reputation.judge(peer, &Conduct::Violation(&violation)).await;
            }
        }
    }
    Ok(())
}

/// Looks at announced headers.
pub(super) async fn relay_headers(
    context: SharedContext,
    mut headers: mpsc::Receiver<GossipHeader>,
    relay: Relay,
) -> Result<(), Infallible> {
    while let Some(header) = unless_stopped(&context, headers.recv()).await {
        if let Err(ChainStopped) = relay.header_announced(header).await {
            break;
        }
    }
    Ok(())
}

/// Looks at announced transactions.
pub(super) async fn relay_transactions(
    context: SharedContext,
    mut transactions: mpsc::Receiver<GossipTransaction>,
    relay: Relay,
) -> Result<(), Infallible> {
    while let Some(transaction) = unless_stopped(&context, transactions.recv()).await {
        relay.transaction_announced(transaction).await;
    }
    Ok(())
}

/// Answers what peers ask. Who asks for a block that is on its way waits for it, and takes nobody's place meanwhile.
pub(super) async fn serve(
    context: SharedContext,
    mut requests: mpsc::Receiver<InboundRequest>,
    server: Server,
) -> Result<(), Infallible> {
    let waiting = Arc::new(Semaphore::new(MAX_WAITING));
    while let Some(request) = unless_stopped(&context, requests.recv()).await {
        let may_wait =
            matches!(request, InboundRequest::CompactBlock { .. } | InboundRequest::BlockTransactions { .. });
        let places = if may_wait { &waiting } else { &server.places };
        // Without a place for it, the peer is told that we are busy.
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            let server = server.clone();
            tokio::spawn(async move {
                let _place = place;
                // Nothing is to be done about a node that stops.
                let _ = server.serve(request).await;
            });
        }
    }
    Ok(())
}

/// Announces what happens to the chain and to the pool.
pub(super) async fn announce(context: SharedContext, relay: Relay) -> Result<(), Infallible> {
    let (mut tips, mut transactions) = (context.chain.subscribe(), context.chain.subscribe_mempool());
    let mut late = interval(ANNOUNCE_INTERVAL);
    late.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outcome = tokio::select! {
            () = context.shutdown.cancelled() => return Ok(()),
            _ = late.tick() => relay.announce_unbroadcast().await,
            event = tips.recv() => match event {
                Ok(event) => relay.tip_changed(&event).await,
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

/// What a queue holds next; nothing when it is closed, or the node is to stop.
async fn unless_stopped<T>(context: &SharedContext, next: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::select! {
        biased;
        () = context.shutdown.cancelled() => None,
        next = next => next,
    }
}
