//! Kademlia, to find peers and nothing else: it keeps no records.

use std::num::NonZeroUsize;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::kad::{self, BucketInserts, Caching, Mode, StoreInserts};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, StreamProtocol};

use crate::names::NetworkNames;
use crate::peer::is_dialable;

/// How long a walk may take.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a peer may take to answer one question of a walk.
const STREAM_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest frame, in bytes: twenty peers with a few addresses each (libp2p: `DEFAULT_MAX_PACKET_SIZE`).
const MAX_PACKET_SIZE: usize = 16 * 1024;

type Inner = kad::Behaviour<MemoryStore>;

/// The protocol's name on a network.
pub(crate) fn kademlia_protocol(names: &NetworkNames) -> StreamProtocol {
    StreamProtocol::try_from_owned(names.name("kad", 1)).expect("names start with a slash")
}

/// libp2p's Kademlia, which dials nothing on a public network that is not public.
///
/// Its walks dial whatever the peers say. A stranger could make us knock at the doors of our own local network, or of
/// anything else, by naming addresses there: so what is dialled for a walk is looked at first.
pub(crate) struct Kademlia {
    inner: Inner,
    is_local: bool,
}

impl Kademlia {
    /// Answers others from the start if `is_server`, and otherwise once an address of ours is known to be reachable.
    pub(crate) fn new(local: PeerId, names: &NetworkNames, is_local: bool, is_server: bool) -> Self {
        let mut config = kad::Config::new(kademlia_protocol(names));
        config
            // Only who proved to be of our network gets in.
            .set_kbucket_inserts(BucketInserts::Manual)
            // Nobody's records are kept: they come as events, which are dropped.
            .set_record_filtering(StoreInserts::FilterBoth)
            .set_caching(Caching::Disabled)
            .set_replication_interval(None)
            .set_publication_interval(None)
            .set_provider_publication_interval(None)
            // Our own clock says when to walk.
            .set_periodic_bootstrap_interval(None)
            .disjoint_query_paths(true)
            .set_query_timeout(QUERY_TIMEOUT)
            .set_substreams_timeout(STREAM_TIMEOUT)
            .set_max_packet_size(MAX_PACKET_SIZE);
        let nothing =
            MemoryStoreConfig { max_records: 0, max_value_bytes: 0, max_providers_per_key: 0, max_provided_keys: 0 };
        let mut inner = Inner::with_config(local, MemoryStore::with_config(local, nothing), config);
        if is_server {
            inner.set_mode(Some(Mode::Server));
        }
        Self { inner, is_local }
    }

    /// `peer` is at `address`: others may be told.
    pub(crate) fn add_address(&mut self, peer: &PeerId, address: Multiaddr) {
        self.inner.add_address(peer, address);
    }

    /// Others are not told of `peer` any more.
    pub(crate) fn remove_peer(&mut self, peer: &PeerId) {
        self.inner.remove_peer(peer);
    }

    /// Asks for the peers nearest to a random place. False when there is nobody to ask.
    pub(crate) fn walk(&mut self) -> bool {
        let knows_somebody = self.inner.kbuckets().next().is_some();
        if knows_somebody {
            self.inner
                .get_n_closest_peers(PeerId::random(), NonZeroUsize::new(kad::K_VALUE.get()).unwrap_or(kad::K_VALUE));
        }
        knows_somebody
    }

    /// The same dial, at addresses that we may dial.
    fn checked_dial(&mut self, dial: DialOpts) -> DialOpts {
        let (Some(peer), false) = (dial.get_peer_id(), self.is_local) else { return dial };
        let addresses = self
            .inner
            .handle_pending_outbound_connection(dial.connection_id(), Some(peer), &[], Endpoint::Dialer)
            .unwrap_or_default();
        let addresses = addresses.into_iter().filter(|address| is_dialable(address, None, false)).collect();
        // Without an address the swarm refuses the dial, and the walk goes on without the peer.
        DialOpts::peer_id(peer).addresses(addresses).build()
    }
}

impl NetworkBehaviour for Kademlia {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = kad::Event;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(id, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<kad::Event, THandlerInEvent<Self>>> {
        self.inner.poll(context).map(|action| match action {
            ToSwarm::Dial { opts } => ToSwarm::Dial { opts: self.checked_dial(opts) },
            other => other,
        })
    }
}
