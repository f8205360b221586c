//! Connections that come and go, and who is behind them.

use std::time::Instant;

use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError as SwarmDialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify, ping};
use tokio::sync::oneshot;
use tracing::{debug, info, warn};

use super::peers::Closed;
use super::{NetworkService, describe};
use crate::behaviour::BehaviourEvent;
use crate::error::{DialError, NetworkError};
use crate::event::{Direction, Violation};
use crate::peer::{DialFailed, Target};
use crate::protocol::{BlockTransactions, Blocks, CompactBlocks, Headers, StatusExchange, Transactions};

/// Who wanted a dial.
#[derive(Debug)]
pub(super) enum Dial {
    /// The dialer.
    Named(Target),
    /// The node, which waits for the outcome.
    Once(oneshot::Sender<Result<(), DialError>>),
}

impl NetworkService {
    pub(super) fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                let cause = cause.map(|cause| describe(&cause));
                debug!(peer = %peer_id, cause, "connection closed");
                self.on_closed(peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.counters.connections_failed.add_one();
                if let Some(dial) = self.dials.remove(&connection_id) {
                    self.dial_failed(dial, &error);
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                self.counters.connections_failed.add_one();
                debug!(address = %send_back_addr, reason = describe(&error), "inbound connection failed");
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                info!(%address, "listening");
                self.unbound.remove(&listener_id);
                self.publish_listen_addresses();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                info!(%address, "no longer listening");
                self.publish_listen_addresses();
            }
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                warn!(?addresses, ?reason, "listener closed");
                self.publish_listen_addresses();
            }
            SwarmEvent::ListenerError { error, .. } => warn!(%error, "listener failed"),
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(peer_id, &info);
            }
            BehaviourEvent::Identify(identify::Event::Error { peer_id, error, .. }) => {
                debug!(peer = %peer_id, %error, "identification failed");
            }
            BehaviourEvent::Identify(_) => {}
            BehaviourEvent::Ping(ping::Event { peer, connection, result }) => {
                if let Err(error) = result {
                    debug!(%peer, %error, "no answer to a ping");
                    self.swarm.close_connection(connection);
                }
            }
            BehaviourEvent::Gossip(event) => self.on_gossip_event(event),
            BehaviourEvent::Status(event) => self.on_exchange_event::<StatusExchange>(event),
            BehaviourEvent::Headers(event) => self.on_exchange_event::<Headers>(event),
            BehaviourEvent::Blocks(event) => self.on_exchange_event::<Blocks>(event),
            BehaviourEvent::Transactions(event) => self.on_exchange_event::<Transactions>(event),
            BehaviourEvent::CompactBlocks(event) => self.on_exchange_event::<CompactBlocks>(event),
            BehaviourEvent::BlockTransactions(event) => self.on_exchange_event::<BlockTransactions>(event),
        }
    }

    fn on_established(&mut self, peer: PeerId, connection: ConnectionId, endpoint: ConnectedPoint) {
        let now = Instant::now();
        match self.dials.remove(&connection) {
            Some(Dial::Named(target)) => self.dialer.dialed(now, &target, peer),
            Some(Dial::Once(answer)) => {
                // Whoever asked may have gone.
                let _ = answer.send(Ok(()));
            }
            None => {}
        }
        self.dialer.connected(now, peer);
        let from = match endpoint {
            ConnectedPoint::Dialer { address, .. } => (address, Direction::Outbound),
            ConnectedPoint::Listener { send_back_addr, .. } => (send_back_addr, Direction::Inbound),
        };
        debug!(%peer, address = %from.0, "connection established");
        self.peers.established(now, peer, connection, from, &self.config.limits);
    }

    fn on_closed(&mut self, peer: PeerId, connection: ConnectionId) {
        match self.peers.closed(peer, connection) {
            Closed::OneOfMany => {}
            Closed::Last { was_identified } => {
                self.dialer.disconnected(Instant::now(), peer);
                if was_identified {
                    info!(%peer, "peer disconnected");
                    self.peer_events.disconnected(peer);
                    self.connected.send_modify(|connected| connected.retain(|other| other.peer != peer));
                } else {
                    self.counters.connections_failed.add_one();
                }
            }
        }
    }

    fn on_identified(&mut self, peer: PeerId, info: &identify::Info) {
        if info.protocol_version != self.protocol_version {
            debug!(%peer, theirs = ?info.protocol_version, ours = self.protocol_version, "peer of another network");
            self.disconnect(peer);
            return;
        }
        if let Some(connected) = self.peers.identified(peer, &info.agent_version) {
            info!(%peer, address = %connected.address, agent = connected.user_agent, "peer connected");
            self.connected.send_modify(|peers| peers.push(connected.clone()));
            self.peer_events.connected(connected);
        }
    }

    /// Tells the node what a peer did that no honest node does, and disconnects it.
    pub(super) fn on_violation(&mut self, peer: PeerId, violation: Violation) {
        self.counters.violations.add_one();
        info!(%peer, %violation, "peer misbehaved");
        self.peer_events.misbehaved(peer, violation);
        self.disconnect(peer);
    }

    pub(super) fn disconnect(&mut self, peer: PeerId) {
        // An error means that it has gone already.
        let _ = self.swarm.disconnect_peer_id(peer);
    }

    pub(super) fn disconnect_overdue(&mut self, now: Instant) {
        for peer in self.peers.overdue(now) {
            debug!(%peer, "peer does not say who it is");
            self.peers.postpone(now, &peer);
            self.disconnect(peer);
        }
    }

    pub(super) fn dial_due(&mut self, now: Instant) {
        for target in self.dialer.due(now) {
            self.dial(target.address.clone(), Dial::Named(target));
        }
    }

    pub(super) fn dial(&mut self, address: Multiaddr, dial: Dial) {
        let options = match address.iter().last() {
            Some(Protocol::P2p(peer)) => DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![address])
                .build(),
            _ => DialOpts::unknown_peer_id().address(address).build(),
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, dial);
            }
            Err(error) => self.dial_failed(dial, &error),
        }
    }

    fn dial_failed(&mut self, dial: Dial, error: &SwarmDialError) {
        match dial {
            Dial::Named(target) => {
                let failure = match error {
                    SwarmDialError::LocalPeerId { .. } => DialFailed::Ourselves,
                    _ => DialFailed::Retry,
                };
                info!(address = %target.address, reason = describe_dial(error), "peer not reached");
                self.dialer.failed(Instant::now(), &target, failure);
            }
            Dial::Once(answer) => {
                let error = match error {
                    SwarmDialError::DialPeerConditionFalse(_) => DialError::AlreadyConnected,
                    error => DialError::Failed(describe_dial(error)),
                };
                // Whoever asked may have gone.
                let _ = answer.send(Err(error));
            }
        }
    }

    /// Why the network cannot start, if this event says that a listener of ours failed.
    pub(super) fn listener_failure(&self, event: &SwarmEvent<BehaviourEvent>) -> Option<NetworkError> {
        let (listener, reason) = match event {
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                let closed = "the listener closed".to_owned();
                (listener_id, reason.as_ref().err().map_or(closed, |error| describe(error)))
            }
            SwarmEvent::ListenerError { listener_id, error } => (listener_id, describe(error)),
            _ => return None,
        };
        let address = self.unbound.get(listener)?.clone();
        Some(NetworkError::Listen { address, reason })
    }

    fn publish_listen_addresses(&self) {
        let peer = *self.swarm.local_peer_id();
        let addresses = self.swarm.listeners().map(|address| address.clone().with(Protocol::P2p(peer)));
        self.listening.send_replace(addresses.collect());
    }
}

/// Why a dial failed, with every address that was tried.
fn describe_dial(error: &SwarmDialError) -> String {
    match error {
        SwarmDialError::Transport(attempts) => {
            let reasons = attempts.iter().map(|(address, error)| format!("{address}: {}", describe(error)));
            reasons.collect::<Vec<_>>().join("; ")
        }
        SwarmDialError::WrongPeerId { obtained, address } => format!("{address} is another peer: {obtained}"),
        SwarmDialError::LocalPeerId { address } => format!("{address} is ourselves"),
        other => describe(other),
    }
}
