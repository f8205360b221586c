//! What is told of a peer (Core: `getpeerinfo`, `rpc/net.cpp`): of Core's fields those that are known of a peer here.

use std::net::IpAddr;

use cairn_net::{ConnectedPeer, Direction};
use serde::Serialize;

use crate::rpc::ResultDoc;

/// The fields of a peer.
pub(super) const PEER_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("id", "Peer index: made from the peer's key, so that it stays the same"),
    ResultDoc::string("addr", "The multiaddress of the peer"),
    ResultDoc::string("network", "Network (ipv4, ipv6, not_publicly_routable)"),
    ResultDoc::string("subver", "The string version"),
    ResultDoc::boolean("inbound", "Inbound (true) or Outbound (false)"),
    ResultDoc::string(
        "connection_type",
        "Type of connection: \n\
         outbound-full-relay (opened by us),\n\
         inbound (initiated by the peer).",
    ),
    ResultDoc::string("peer_id", "The key that the peer is known by, as libp2p writes it"),
];

/// A peer.
#[derive(Debug, Serialize)]
pub(super) struct PeerView {
    id: u32,
    addr: String,
    network: &'static str,
    subver: String,
    inbound: bool,
    connection_type: &'static str,
    peer_id: String,
}

impl PeerView {
    pub(super) fn new(peer: &ConnectedPeer) -> Self {
        // The end of a hash or of a key.
        let bytes = peer.peer.to_bytes();
        let id = bytes.last_chunk().map_or(0, |end| u32::from_be_bytes(*end));
        let inbound = peer.direction == Direction::Inbound;
        Self {
            id,
            addr: peer.address.to_string(),
            network: match peer.ip() {
                Some(IpAddr::V4(ip)) if !ip.is_private() && !ip.is_loopback() && !ip.is_link_local() => "ipv4",
                Some(IpAddr::V6(ip)) if !ip.is_unique_local() && !ip.is_loopback() && !ip.is_unicast_link_local() => {
                    "ipv6"
                }
                _ => "not_publicly_routable",
            },
            subver: peer.user_agent.clone(),
            inbound,
            connection_type: if inbound { "inbound" } else { "outbound-full-relay" },
            peer_id: peer.peer.to_string(),
        }
    }
}
