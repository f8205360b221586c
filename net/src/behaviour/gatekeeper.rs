//! Refuses connections for their address, before anything is spent on them.

use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished, ListenFailure};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::limits::Limits;
use crate::peer::{Admission, ip_of};
use crate::subnet::SubnetSet;

/// [`Admission`] as a behaviour.
#[derive(Debug)]
pub(crate) struct Gatekeeper {
    admission: Admission,
    /// Connections to close, with their peers.
    closing: Vec<(PeerId, ConnectionId)>,
    /// Established connections, with their peers.
    established: Vec<(PeerId, ConnectionId)>,
}

impl Gatekeeper {
    pub(crate) fn new(limits: &Limits, is_local: bool) -> Self {
        Self { admission: Admission::new(limits, is_local), closing: Vec::new(), established: Vec::new() }
    }

    /// Refuses these addresses from now on, and no others that were refused. Closes their connections when the swarm is
    /// polled next.
    pub(crate) fn set_banned(&mut self, banned: SubnetSet) {
        let banned = self.admission.set_banned(banned);
        self.closing.extend(self.established.iter().filter(|(_, id)| banned.contains(id)));
    }

    /// Refuses everybody and closes everything, or not any longer.
    pub(crate) fn set_active(&mut self, is_active: bool) {
        self.admission.set_active(is_active);
        if !is_active {
            self.closing.clone_from(&self.established);
        }
    }
}

impl NetworkBehaviour for Gatekeeper {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.admission.inbound(id, ip_of(remote)).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        // It may have been banned meanwhile.
        self.admission.check(ip_of(remote)).map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: Option<PeerId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let admitted = addresses.iter().map(|address| self.admission.check(ip_of(address)));
        // Whoever has one address that is not banned may be dialled there; the others are refused when they answer.
        let refusal = admitted.clone().all(|admitted| admitted.is_err()).then(|| admitted.flat_map(Result::err).next());
        match refusal.flatten() {
            Some(refusal) => Err(ConnectionDenied::new(refusal)),
            None => self.admission.check(None).map(|()| Vec::new()).map_err(ConnectionDenied::new),
        }
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admission.check(ip_of(address)).map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                if endpoint.is_dialer() {
                    self.admission.outbound(connection_id, ip_of(endpoint.get_remote_address()));
                }
                self.established.push((peer_id, connection_id));
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.admission.ended(connection_id);
                self.established.retain(|(_, id)| *id != connection_id);
                self.closing.retain(|(_, id)| *id != connection_id);
            }
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => self.admission.ended(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        // Nobody need be woken: what fills the list is done by the task that polls the swarm next.
        match self.closing.pop() {
            Some((peer_id, id)) => {
                Poll::Ready(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(id) })
            }
            None => Poll::Pending,
        }
    }
}
