//! The client of rendezvous points.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::identity::Keypair;
use libp2p::rendezvous::client::{Behaviour, Event, RegisterError};
use libp2p::rendezvous::{Cookie, Namespace};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tracing::warn;

/// libp2p's client, which a rendezvous point cannot stop.
///
/// The client takes for impossible that a point answers with a question, and panics when one does
/// (`client::Behaviour::handle_response`). Nothing is half done then, so it goes on with the next event.
pub(crate) struct RendezvousClient(Behaviour);

impl RendezvousClient {
    pub(crate) fn new(key: &Keypair) -> Self {
        Self(Behaviour::new(key.clone()))
    }

    /// Asks a point to tell others of us.
    ///
    /// # Errors
    ///
    /// When no address of ours is known to be reachable.
    pub(crate) fn register(&mut self, namespace: Namespace, point: PeerId) -> Result<(), RegisterError> {
        self.0.register(namespace, point, None)
    }

    /// Asks a point for up to `limit` others, who came after it gave us the cookie.
    pub(crate) fn discover(&mut self, namespace: Namespace, cookie: Option<Cookie>, limit: u64, point: PeerId) {
        self.0.discover(Some(namespace), cookie, Some(limit), point);
    }
}

impl NetworkBehaviour for RendezvousClient {
    type ConnectionHandler = <Behaviour as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_inbound_connection(id, peer, local, remote)
    }

    // Without `handle_pending_outbound_connection`: what points say of peers goes through the address book.

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_outbound_connection(id, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.0.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.0.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        catch_unwind(AssertUnwindSafe(|| self.0.poll(context))).unwrap_or_else(|_| {
            warn!("a rendezvous point answered with what is no answer");
            // There may be more to do.
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }
}
