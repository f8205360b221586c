//! Everything that runs on each connection, as one libp2p behaviour.
//!
//! | file | holds |
//! |---|---|
//! | `gatekeeper` | refuses connections for their address |
//! | `kademlia` | Kademlia, to find peers and nothing else |

// What the derive makes is as visible as the struct, and has no documentation.
#![allow(missing_docs)]

mod gatekeeper;
mod kademlia;

use std::time::Duration;

use gatekeeper::Gatekeeper;
use kademlia::Kademlia;
pub(crate) use kademlia::kademlia_protocol;
use libp2p::allow_block_list::{self, AllowedPeers, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{PeerId, StreamProtocol, identify, mdns, ping, rendezvous};

use crate::config::{NetworkConfig, Role};
use crate::error::NetworkError;
use crate::gossip::{Gossipsub, Topics, gossipsub};
use crate::names::NetworkNames;
use crate::protocol::{Blocks, Exchange, FrameCodec, Headers, StatusExchange, Transactions};

/// How often a silent connection is tested.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How long a peer may take to answer a ping (Core allows twenty minutes: `TIMEOUT_INTERVAL`, `net.h`; its pings wait behind
/// blocks, ours have a stream of their own).
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Questions and answers of one protocol.
pub(crate) type ExchangeBehaviour<E> = request_response::Behaviour<FrameCodec<E>>;

/// Registrations that a rendezvous point keeps: more than there are peers on any network it could serve alone, at a few
/// hundred bytes each.
const MAX_REGISTRATIONS: usize = 1000;

/// Everything that runs on each connection. The gatekeepers stand first: a connection is refused by the first that does not
/// want it. Then come what every peer must speak, and what finds peers.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) allowed: Toggle<allow_block_list::Behaviour<AllowedPeers>>,
    pub(crate) banned: allow_block_list::Behaviour<BlockedPeers>,
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) kademlia: Toggle<Kademlia>,
    pub(crate) mdns: Toggle<mdns::tokio::Behaviour>,
    pub(crate) rendezvous: Toggle<rendezvous::client::Behaviour>,
    pub(crate) rendezvous_server: Toggle<rendezvous::server::Behaviour>,
    pub(crate) gossip: Gossipsub,
    pub(crate) status: ExchangeBehaviour<StatusExchange>,
    pub(crate) headers: ExchangeBehaviour<Headers>,
    pub(crate) blocks: ExchangeBehaviour<Blocks>,
    pub(crate) transactions: ExchangeBehaviour<Transactions>,
}

/// What identify must say for a peer to be of the network.
pub(crate) fn protocol_version(names: &NetworkNames) -> String {
    names.name("id", 1)
}

impl Behaviour {
    /// # Errors
    ///
    /// When the system does not say which interfaces it has, to look for peers there.
    pub(crate) fn new(config: &NetworkConfig, topics: &Topics, key: &Keypair) -> Result<Self, NetworkError> {
        let local = key.public().to_peer_id();
        let (names, is_local) = (&config.names, config.is_local);
        let identify = identify::Config::new(protocol_version(names), key.public())
            .with_agent_version(config.user_agent.clone())
            .with_push_listen_addr_updates(true)
            // Private addresses mean nothing to strangers, and say something about us.
            .with_hide_listen_addrs(!is_local);
        let is_server = is_local || config.role == Role::Introducer;
        let kademlia = config.kademlia.then(|| Kademlia::new(local, names, is_local, is_server));
        let mdns = config.mdns.then(|| mdns::tokio::Behaviour::new(mdns::Config::default(), local));
        let rendezvous = !config.rendezvous.is_empty();
        Ok(Self {
            gatekeeper: Gatekeeper::new(&config.limits, is_local),
            allowed: config.allow.as_deref().map(allow_only).into(),
            banned: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(connection_limits(config)),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT)),
            kademlia: kademlia.into(),
            mdns: mdns.transpose().map_err(NetworkError::Mdns)?.into(),
            rendezvous: rendezvous.then(|| rendezvous::client::Behaviour::new(key.clone())).into(),
            rendezvous_server: config.rendezvous_server.then(rendezvous_server).into(),
            gossip: gossipsub(topics),
            status: exchange(config),
            headers: exchange(config),
            blocks: exchange(config),
            transactions: exchange(config),
        })
    }
}

fn connection_limits(config: &NetworkConfig) -> ConnectionLimits {
    let limits = &config.limits;
    ConnectionLimits::default()
        .with_max_established(Some(limits.max_connections))
        .with_max_established_incoming(Some(limits.max_inbound))
        .with_max_established_per_peer(Some(limits.max_connections_per_peer))
        .with_max_pending_incoming(Some(limits.max_pending_inbound))
        .with_max_pending_outgoing(Some(limits.max_pending_outbound))
}

fn allow_only(peers: &[PeerId]) -> allow_block_list::Behaviour<AllowedPeers> {
    let mut allowed = allow_block_list::Behaviour::<AllowedPeers>::default();
    for peer in peers {
        allowed.allow_peer(*peer);
    }
    allowed
}

fn rendezvous_server() -> rendezvous::server::Behaviour {
    let config = rendezvous::server::Config::default()
        .with_max_registration_per_peer(1)
        .with_max_registration_total(MAX_REGISTRATIONS)
        .with_max_stored_cookies(MAX_REGISTRATIONS);
    rendezvous::server::Behaviour::new(config)
}

/// The name of a protocol of question and answer on a network.
pub(crate) fn exchange_protocol<E: Exchange>(names: &NetworkNames) -> StreamProtocol {
    StreamProtocol::try_from_owned(names.name(E::NAME, E::VERSION)).expect("names start with a slash")
}

fn exchange<E: Exchange>(config: &NetworkConfig) -> ExchangeBehaviour<E> {
    // Without a chain there is nothing to ask or answer, and that the protocol is missing tells peers so.
    let keeps_chain = config.role == Role::Node;
    let protocols = keeps_chain.then(|| (exchange_protocol::<E>(&config.names), ProtocolSupport::Full));
    let config = request_response::Config::default()
        .with_request_timeout(E::TIMEOUT)
        // Room for both directions, and to tell a peer that asks too much that it does. What is beyond is cut off.
        .with_max_concurrent_streams(4 * E::MAX_IN_FLIGHT + 8);
    request_response::Behaviour::with_codec(FrameCodec::new(), protocols, config)
}
