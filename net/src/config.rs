//! What a node must be told to take part in a network.

use bitcoin::Target;
use libp2p::{Multiaddr, PeerId};

use crate::limits::Limits;
use crate::names::NetworkNames;
use crate::pre_shared_key::PreSharedKey;

/// Outbound connections that a node wants (Core: `MAX_OUTBOUND_FULL_RELAY_CONNECTIONS`, `net.h`).
pub const DEFAULT_OUTBOUND_TARGET: usize = 8;

/// What a node is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// It keeps a chain.
    #[default]
    Node,
    /// It introduces nodes to each other and keeps no chain: it gossips nothing and answers no questions about blocks. Nodes
    /// do not count it as a peer, and it lets them go after a while.
    Introducer,
}

/// What a node must be told to take part in a network.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// What the network's protocols and topics are called.
    pub names: NetworkNames,
    /// The hash over everything the network's nodes must agree on.
    pub spec_hash: [u8; 32],
    /// The easiest target a header may have: gossip that was cheaper to make is refused unseen.
    pub pow_limit: Target,
    /// Whether the network is on one's own machines: its peers tell each other private addresses, and are served as fast
    /// as they ask.
    pub is_local: bool,
    /// The program and its version, as in BIP14.
    pub user_agent: String,
    /// Addresses to listen on, such as `/ip4/0.0.0.0/tcp/8433`; port 0 is any free one.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected with. An address that ends in `/p2p/<PeerId>` takes no other peer.
    pub peers: Vec<Multiaddr>,
    /// Where strangers reach us, if we know: told to peers, and to those they tell of us. Addresses that we listen on need
    /// not be named again if they are global, or the network local.
    pub external: Vec<Multiaddr>,
    /// What we are to the others.
    pub role: Role,
    /// Connections to open of our own accord, to peers of our own choice.
    pub outbound_target: usize,
    /// Peers that an earlier run knew ([`addresses`](crate::NetworkHandle::addresses)): candidates for these connections.
    pub known_addresses: Vec<(PeerId, Multiaddr)>,
    /// Nodes that introduce us to others: dialled until there are enough peers, and again when there is none.
    pub bootstrap: Vec<Multiaddr>,
    /// Whether to find peers through the tables of other peers.
    pub kademlia: bool,
    /// Whether to find peers on the local network by multicast (mDNS).
    pub mdns: bool,
    /// Nodes that keep lists of peers: connections with them are kept, so that we are on the list.
    pub rendezvous: Vec<Multiaddr>,
    /// Whether to keep such a list for others.
    pub rendezvous_server: bool,
    /// A secret without which nobody gets as far as to say who it is. For TCP only.
    pub pre_shared_key: Option<PreSharedKey>,
    /// Peers that we connect with; anybody where there is no list.
    pub allow: Option<Vec<PeerId>>,
    /// Whether addresses may be QUIC's (`/udp/<port>/quic-v1`).
    pub quic: bool,
    /// Whether addresses may be names (`/dns4`, `/dns6`, `/dnsaddr`).
    pub dns: bool,
    /// Whether to hear of transactions from the start. Without this, [`relay_transactions`] asks for them later.
    ///
    /// [`relay_transactions`]: crate::NetworkHandle::relay_transactions
    pub relay_transactions: bool,
    /// Whether links can be cut, slowed and broken ([`set_link_conditions`]). For TCP only.
    ///
    /// [`set_link_conditions`]: crate::NetworkHandle::set_link_conditions
    pub link_control: bool,
    /// What peers can make us do.
    pub limits: Limits,
}

impl NetworkConfig {
    /// The configuration for a network, listening nowhere, dialling nobody and looking for nobody.
    #[must_use]
    pub fn new(names: NetworkNames, spec_hash: [u8; 32], pow_limit: Target, is_local: bool) -> Self {
        Self {
            names,
            spec_hash,
            pow_limit,
            is_local,
            user_agent: concat!("/cairn:", env!("CARGO_PKG_VERSION"), "/").to_owned(),
            listen: Vec::new(),
            peers: Vec::new(),
            external: Vec::new(),
            role: Role::Node,
            outbound_target: DEFAULT_OUTBOUND_TARGET,
            known_addresses: Vec::new(),
            bootstrap: Vec::new(),
            kademlia: false,
            mdns: false,
            rendezvous: Vec::new(),
            rendezvous_server: false,
            pre_shared_key: None,
            allow: None,
            quic: false,
            dns: true,
            relay_transactions: true,
            link_control: false,
            limits: if is_local { Limits::local() } else { Limits::public() },
        }
    }
}
