//! Connections that come and go, and who is behind them.

use std::time::{Instant, SystemTime};

use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{ConnectionId, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify, ping};
use tracing::{debug, info, warn};

use super::dials::{Dial, describe_refusal};
use super::peers::Closed;
use super::{NetworkService, describe};
use crate::behaviour::{BehaviourEvent, exchange_protocol};
use crate::error::NetworkError;
use crate::event::Violation;
use crate::peer::{ip_of, is_global};
use crate::protocol::{BlockTransactions, Blocks, CompactBlocks, Headers, StatusExchange, Transactions};

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
                self.on_inbound_failed(&send_back_addr, &error);
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                info!(%address, "listening");
                self.unbound.remove(&listener_id);
                if self.config.is_local || ip_of(&address).is_some_and(is_global) {
                    self.swarm.add_external_address(address);
                }
                self.publish_listen_addresses();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                info!(%address, "no longer listening");
                self.swarm.remove_external_address(&address);
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
            BehaviourEvent::Ping(ping::Event { peer, connection, result }) => match result {
                // Who has gone since is not remembered.
                Ok(round_trip) if self.swarm.is_connected(&peer) => self.facts.pinged(peer, round_trip),
                Ok(_) => {}
                Err(error) => {
                    debug!(%peer, %error, "no answer to a ping");
                    self.swarm.close_connection(connection);
                }
            },
            BehaviourEvent::Kademlia(event) => self.on_kademlia_event(event),
            BehaviourEvent::Mdns(event) => self.on_mdns_event(event),
            BehaviourEvent::Rendezvous(event) => self.on_rendezvous_event(event),
            BehaviourEvent::RendezvousServer(event) => Self::on_rendezvous_server_event(&event),
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
        let mut was_named = false;
        match self.dials.remove(&connection) {
            Some(Dial::Named(target)) => {
                was_named = true;
                self.discovery.points.dialed(&target.address, peer);
                self.dialer.dialed(now, &target, peer);
            }
            Some(Dial::Once(answer)) => {
                was_named = true;
                // Whoever asked may have gone.
                let _ = answer.send(Ok(()));
            }
            Some(Dial::Bootstrap(address)) => self.discovery.bootstrap.dialed(now, &address, peer),
            // Without a dial of ours it was a walk's, or the peer's.
            Some(Dial::Candidate(_)) | None => {}
        }
        self.dialer.connected(now, peer);
        let dialled = endpoint.is_dialer().then(|| endpoint.get_remote_address().clone());
        self.discovery.outbound.connected(now, peer, dialled, was_named);
        debug!(%peer, address = %endpoint.get_remote_address(), "connection established");
        self.peers.established(now, peer, connection, endpoint, &self.config.limits);
    }

    fn on_closed(&mut self, peer: PeerId, connection: ConnectionId) {
        let was_dialled = self.peers.was_dialled(&peer);
        match self.peers.closed(peer, connection) {
            Closed::OneOfMany => {}
            Closed::Last { was_identified } => {
                let now = Instant::now();
                self.dialer.disconnected(now, peer);
                self.on_peer_gone(now, peer);
                self.facts.disconnected(&peer);
                if was_identified {
                    info!(%peer, "peer disconnected");
                    self.peer_events.disconnected(peer);
                    self.connected.send_modify(|connected| connected.retain(|other| other.peer != peer));
                } else {
                    self.counters.connections_failed.add_one();
                    if was_dialled {
                        info!(%peer, "peer closed the connection before it said who it is: it may have refused us");
                    } else if self.config.is_local {
                        // With strangers this is worth nobody's time.
                        info!(%peer, "peer closed the connection before it said who it is: it may have expected another");
                    }
                }
            }
        }
    }

    fn on_inbound_failed(&mut self, address: &Multiaddr, error: &ListenError) {
        self.counters.connections_failed.add_one();
        let has_key = self.config.pre_shared_key.is_some();
        let reason = match error {
            ListenError::Denied { cause } => describe_refusal(cause),
            other => describe(other),
        };
        if matches!(error, ListenError::Denied { .. }) || has_key {
            self.counters.connections_refused.add_one();
        }
        if has_key || self.config.allow.is_some() || self.config.is_local {
            // Few have a reason to come here, so this is worth a line.
            info!(%address, reason, "inbound connection failed");
        } else {
            debug!(%address, reason, "inbound connection failed");
        }
    }

    fn on_identified(&mut self, peer: PeerId, info: &identify::Info) {
        let now = Instant::now();
        if info.protocol_version != self.protocol_version {
            debug!(%peer, theirs = ?info.protocol_version, ours = self.protocol_version, "peer of another network");
            self.on_stranger(now, peer);
            self.disconnect(peer);
            return;
        }
        let keeps_chain = info.protocols.contains(&exchange_protocol::<StatusExchange>(&self.config.names));
        self.on_introduced(now, peer, info, keeps_chain);
        if self.discovery.points.contains(&peer) {
            self.discovery.rendezvous.connected(now, peer);
        }
        if let Some(connected) = self.peers.identified(peer, &info.agent_version) {
            self.discovery.network_changed(now);
            if !keeps_chain {
                info!(%peer, address = %connected.address, agent = connected.user_agent, "introducer connected");
                return;
            }
            info!(%peer, address = %connected.address, agent = connected.user_agent, "peer connected");
            self.facts.connected(SystemTime::now(), connected.clone(), self.peers.local_address(&peer).cloned());
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
