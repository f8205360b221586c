//! Finding peers: candidates, bootstrap nodes, walks through tables, the local network.

use std::time::{Duration, Instant};

use libp2p::kad::{self, GetClosestPeersError, GetClosestPeersOk, QueryResult};
use libp2p::rendezvous::{Cookie, Namespace};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, identify, mdns};
use tracing::debug;

use super::NetworkService;
use super::introductions::{Points, namespace};
use super::swarm_events::Dial;
use crate::behaviour::kademlia_protocol;
use crate::config::{NetworkConfig, Role};
use crate::error::NetworkError;
use crate::peer::{Bootstrap, Need, Outbound, Rendezvous, Source, Walks, is_dialable};

/// Addresses of one peer that are looked at when it names many.
const MAX_ADDRESSES: usize = 8;

/// The longest and the shortest time until everything is looked at again. Whatever is due in between says so.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
const SHORTEST_LOOK: Duration = Duration::from_millis(20);

/// How long an introducer keeps anybody: long enough to walk and to register, and not to fill its places.
const INTRODUCTION_TIME: Duration = Duration::from_secs(10 * 60);

/// What is known of finding peers.
#[derive(Debug)]
pub(super) struct Discovery {
    pub(super) outbound: Outbound,
    pub(super) bootstrap: Bootstrap,
    pub(super) rendezvous: Rendezvous<Cookie>,
    pub(super) points: Points,
    /// What the network is called at rendezvous points.
    pub(super) namespace: Namespace,
    walks: Walks,
    /// When to look at everything again.
    wake: Instant,
}

impl Discovery {
    /// # Errors
    ///
    /// When the network's name is too long.
    pub(super) fn new(now: Instant, local: PeerId, config: &NetworkConfig) -> Result<Self, NetworkError> {
        let target = if config.role == Role::Introducer { 0 } else { config.outbound_target };
        let mut outbound = Outbound::new(local, target, config.is_local);
        for (peer, address) in &config.known_addresses {
            outbound.heard(now, *peer, address, Source::Known);
        }
        Ok(Self {
            outbound,
            bootstrap: Bootstrap::new(now, &config.bootstrap),
            rendezvous: Rendezvous::new(config.is_local),
            points: Points::new(&config.rendezvous),
            namespace: namespace(&config.names)?,
            walks: Walks::new(now),
            wake: now,
        })
    }

    /// When to look at everything again.
    pub(super) fn wake(&self) -> Instant {
        self.wake
    }

    /// Something changed: looks at everything soon.
    pub(super) fn look_again(&mut self, now: Instant) {
        self.wake = now;
    }

    fn need(&self) -> Need {
        Need { is_alone: self.outbound.peers() == 0, is_short: self.outbound.is_short() }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let due = [self.outbound.next_due(), self.bootstrap.next_due(self.need()), self.rendezvous.next_due()];
        let due = due.into_iter().flatten().chain([self.walks.next_due(), now + LONGEST_LOOK]).min();
        due.unwrap_or(now).max(now + SHORTEST_LOOK)
    }
}

impl NetworkService {
    /// Does what is due to find peers, and lets go whom nobody needs.
    pub(super) fn discover(&mut self, now: Instant) {
        if now < self.discovery.wake {
            return;
        }
        if *self.active.borrow() {
            let need = self.discovery.need();
            for address in self.discovery.bootstrap.due(now, need) {
                self.counters.candidates_dialled.add_one();
                self.dial(address.clone(), Dial::Bootstrap(address));
            }
            for candidate in self.discovery.outbound.due(now) {
                self.dial_candidate(candidate.peer, candidate.addresses);
            }
            if self.discovery.walks.is_due(now, need.is_short) {
                self.walk();
            }
            self.ask_rendezvous_points(now, need.is_short);
            self.let_go(now);
        }
        self.discovery.wake = self.discovery.next_wake(now);
    }

    fn let_go(&mut self, now: Instant) {
        let mut leaving = self.discovery.outbound.excess(now);
        leaving.retain(|peer| !self.discovery.points.contains(peer));
        if self.config.role == Role::Introducer {
            leaving.extend(self.discovery.outbound.connected_for(now, INTRODUCTION_TIME));
        }
        for peer in leaving {
            debug!(%peer, "connection not needed any more");
            self.disconnect(peer);
        }
    }

    fn walk(&mut self) {
        if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut()
            && kademlia.walk()
        {
            debug!("walking through other peers' tables");
        }
    }

    fn dial_candidate(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        debug!(%peer, ?addresses, "dialling a candidate");
        self.counters.candidates_dialled.add_one();
        let condition = PeerCondition::DisconnectedAndNotDialing;
        self.dial_with(
            DialOpts::peer_id(peer).condition(condition).addresses(addresses).build(),
            Dial::Candidate(peer),
        );
    }

    /// A peer of our network said where it is, and what it speaks.
    pub(super) fn on_introduced(&mut self, now: Instant, peer: PeerId, info: &identify::Info, keeps_chain: bool) {
        let was_alone = self.discovery.need().is_alone;
        let outbound = &mut self.discovery.outbound;
        let via = self.peers.ip(&peer);
        let is_dialable = |address: &&Multiaddr| is_dialable(address, via, self.config.is_local);
        let named: Vec<_> = info.listen_addrs.iter().filter(is_dialable).take(MAX_ADDRESSES).cloned().collect();
        let dialled = outbound.address(&peer).cloned();
        if keeps_chain {
            for address in &named {
                outbound.heard(now, peer, address, Source::Inbound);
            }
        }
        outbound.identified(now, peer, keeps_chain);
        let answers_walks = info.protocols.contains(&kademlia_protocol(&self.config.names));
        if answers_walks
            && self.peers.learns(now, &peer, &named)
            && let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut()
        {
            // What it said before is not true any more.
            kademlia.remove_peer(&peer);
            for address in dialled.iter().filter(is_dialable).chain(&named) {
                kademlia.add_address(&peer, address.clone());
            }
            if was_alone {
                self.walk();
            }
        }
        self.discovery.walks.changed(now);
        self.discovery.look_again(now);
    }

    /// Neither dials a peer nor tells others of it, until somebody names it again.
    pub(super) fn forget_candidate(&mut self, peer: &PeerId) {
        self.discovery.outbound.forget(peer);
        if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut() {
            kademlia.remove_peer(peer);
        }
    }

    /// A peer turned out to be of another network.
    pub(super) fn on_stranger(&mut self, now: Instant, peer: PeerId) {
        self.discovery.outbound.is_of_another_network(now, peer);
        if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut() {
            kademlia.remove_peer(&peer);
        }
    }

    /// The last connection with a peer is gone.
    pub(super) fn on_peer_gone(&mut self, now: Instant, peer: PeerId) {
        self.discovery.outbound.disconnected(now, peer);
        self.discovery.bootstrap.disconnected(now, peer);
        self.discovery.rendezvous.disconnected(&peer);
        self.discovery.walks.changed(now);
        self.discovery.look_again(now);
    }

    pub(super) fn on_kademlia_event(&mut self, event: kad::Event) {
        let kad::Event::OutboundQueryProgressed { result: QueryResult::GetClosestPeers(result), .. } = event else {
            return;
        };
        let (Ok(GetClosestPeersOk { peers, .. }) | Err(GetClosestPeersError::Timeout { peers, .. })) = result;
        for found in peers {
            self.heard_of(found.peer_id, &found.addrs, None, Source::Kademlia);
        }
    }

    pub(super) fn on_mdns_event(&mut self, event: mdns::Event) {
        // What expires fails when it is dialled.
        let mdns::Event::Discovered(found) = event else { return };
        for (peer, address) in found {
            self.heard_of(peer, &[address], None, Source::Mdns);
        }
    }

    /// Somebody, who is at `via`, said where a peer is.
    pub(super) fn heard_of(
        &mut self,
        peer: PeerId,
        addresses: &[Multiaddr],
        via: Option<std::net::IpAddr>,
        source: Source,
    ) {
        let now = Instant::now();
        // Multicast reaches the local network only, whatever network its peers are of.
        let is_local = self.config.is_local || source == Source::Mdns;
        let dialable = addresses.iter().filter(|address| is_dialable(address, via, is_local));
        for address in dialable.take(MAX_ADDRESSES) {
            self.discovery.outbound.heard(now, peer, address, source);
        }
        self.discovery.look_again(now);
    }
}
