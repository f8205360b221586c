//! What a node must be told to take part in a network.

use bitcoin::Target;
use libp2p::Multiaddr;

use crate::limits::Limits;
use crate::names::NetworkNames;

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
    /// Whether addresses may be QUIC's (`/udp/<port>/quic-v1`).
    pub quic: bool,
    /// Whether addresses may be names (`/dns4`, `/dns6`, `/dnsaddr`).
    pub dns: bool,
    /// Whether to hear of transactions from the start. Without this, [`relay_transactions`] asks for them later.
    ///
    /// [`relay_transactions`]: crate::NetworkHandle::relay_transactions
    pub relay_transactions: bool,
    /// What peers can make us do.
    pub limits: Limits,
}

impl NetworkConfig {
    /// The configuration for a network, listening nowhere and dialling nobody.
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
            quic: false,
            dns: true,
            relay_transactions: true,
            limits: if is_local { Limits::local() } else { Limits::public() },
        }
    }
}
