//! Finding peers through rendezvous points: nodes that keep a list of who is there.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use libp2p::rendezvous::client::{Event, RegisterError};
use libp2p::rendezvous::{MAX_NAMESPACE, Namespace, server};
use libp2p::{Multiaddr, PeerId};
use tracing::{debug, info};

use super::NetworkService;
use crate::error::NetworkError;
use crate::names::NetworkNames;
use crate::peer::{RendezvousAction, Source, Target};

/// Registrations that one answer brings.
const MAX_REGISTRATIONS: u64 = 100;

/// What the network is called at rendezvous points, which may serve several.
///
/// # Errors
///
/// When the name is too long.
pub(super) fn namespace(names: &NetworkNames) -> Result<Namespace, NetworkError> {
    let name = names.name("rendezvous", 1);
    let got = name.len();
    Namespace::new(name).map_err(|_| NetworkError::NameTooLong { got, limit: MAX_NAMESPACE })
}

/// The rendezvous points we were told to use.
#[derive(Debug)]
pub(super) struct Points {
    addresses: HashSet<Multiaddr>,
    peers: HashSet<PeerId>,
}

impl Points {
    pub(super) fn new(addresses: &[Multiaddr]) -> Self {
        let named = addresses.iter().filter_map(|address| Target { address: address.clone() }.peer());
        Self { addresses: addresses.iter().cloned().collect(), peers: named.collect() }
    }

    /// `peer` answered at `address`.
    pub(super) fn dialed(&mut self, address: &Multiaddr, peer: PeerId) {
        if self.addresses.contains(address) {
            self.peers.insert(peer);
        }
    }

    pub(super) fn contains(&self, peer: &PeerId) -> bool {
        self.peers.contains(peer)
    }
}

impl NetworkService {
    pub(super) fn ask_rendezvous_points(&mut self, now: Instant, is_short: bool) {
        let Some(client) = self.swarm.behaviour_mut().rendezvous.as_mut() else { return };
        let namespace = &self.discovery.namespace;
        for action in self.discovery.rendezvous.due(now, is_short) {
            match action {
                RendezvousAction::Register(point) => match client.register(namespace.clone(), point, None) {
                    Ok(()) => {}
                    Err(RegisterError::NoExternalAddresses) => {
                        debug!(%point, "not registered: no address of ours is known to be reachable");
                    }
                    Err(error) => info!(%point, %error, "not registered at the rendezvous point"),
                },
                RendezvousAction::Discover(point, cookie) => {
                    client.discover(Some(namespace.clone()), cookie, Some(MAX_REGISTRATIONS), point);
                }
            }
        }
    }

    pub(super) fn on_rendezvous_event(&mut self, event: Event) {
        let now = Instant::now();
        match event {
            Event::Discovered { rendezvous_node: point, registrations, cookie } => {
                debug!(%point, registrations = registrations.len(), "the rendezvous point told of peers");
                self.discovery.rendezvous.discovered(&point, cookie);
                let via = self.peers.ip(&point);
                let limit = usize::try_from(MAX_REGISTRATIONS).unwrap_or(usize::MAX);
                for registration in registrations.into_iter().take(limit) {
                    if registration.namespace == self.discovery.namespace {
                        let record = registration.record;
                        self.heard_of(record.peer_id(), record.addresses(), via, Source::Rendezvous);
                    }
                }
            }
            Event::DiscoverFailed { rendezvous_node: point, error, .. } => {
                debug!(%point, ?error, "the rendezvous point told of nobody");
                self.discovery.rendezvous.not_discovered(&point);
            }
            Event::Registered { rendezvous_node: point, ttl, .. } => {
                debug!(%point, seconds = ttl, "registered at the rendezvous point");
                self.discovery.rendezvous.registered(now, &point, Duration::from_secs(ttl));
                self.discovery.look_again(now);
            }
            Event::RegisterFailed { rendezvous_node: point, error, .. } => {
                info!(%point, ?error, "not registered at the rendezvous point");
            }
            Event::Expired { .. } => {}
        }
    }

    pub(super) fn on_rendezvous_server_event(event: &server::Event) {
        match event {
            server::Event::PeerRegistered { peer, .. } => debug!(%peer, "peer registered"),
            server::Event::PeerNotRegistered { peer, error, .. } => debug!(%peer, ?error, "peer not registered"),
            _ => {}
        }
    }
}
