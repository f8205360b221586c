//! What is told of a peer (Core: `getpeerinfo`, `rpc/net.cpp`): of Core's fields those that are known of a peer here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitcoin::BlockHash;
use cairn_chain::chainstate::Chainstate;
use cairn_net::{Direction, PeerFacts, TransportKind};
use serde::Serialize;

use super::node_address::{network, show_place, socket_address};
use super::{PROTOCOL_VERSION, services_hex, services_names};
use crate::rpc::{Btc, Real, ResultDoc};

/// The fields of a peer.
pub(super) const PEER_FIELDS: &[ResultDoc] = &[
    ResultDoc::number("id", "Peer index"),
    ResultDoc::string("addr", "(host:port) The IP address/hostname optionally followed by :port of the peer"),
    ResultDoc::string("addrbind", "(ip:port) Bind address of the connection to the peer").optional(),
    ResultDoc::string("network", "Network (ipv4, ipv6, not_publicly_routable)"),
    ResultDoc::hex("services", "The services offered; none before the peer said which"),
    ResultDoc::array(
        "servicesnames",
        "the services offered, in human-readable form",
        &[ResultDoc::string("SERVICE_NAME", "the service name if it is recognised")],
    ),
    ResultDoc::time("lastsend", "The UNIX epoch time of the last send"),
    ResultDoc::time("lastrecv", "The UNIX epoch time of the last receive"),
    ResultDoc::number("bytessent", "The total bytes sent"),
    ResultDoc::number("bytesrecv", "The total bytes received"),
    ResultDoc::time("conntime", "The UNIX epoch time of the connection"),
    ResultDoc::number("pingtime", "The last ping time in seconds, if any").optional(),
    ResultDoc::number("minping", "The minimum observed ping time in seconds, if any").optional(),
    ResultDoc::number("version", "The peer version, such as 70001: that of the protocol which both speak"),
    ResultDoc::string("subver", "The string version"),
    ResultDoc::boolean("inbound", "Inbound (true) or Outbound (false)"),
    ResultDoc::number("synced_headers", "The last header we have in common with this peer; -1 if none is known"),
    ResultDoc::number("synced_blocks", "The last block we have in common with this peer; -1 if none is known"),
    ResultDoc::amount("minfeefilter", "The minimum fee rate for transactions this peer accepts").optional(),
    ResultDoc::string(
        "connection_type",
        "Type of connection: \n\
         outbound-full-relay (opened by us),\n\
         manual (to a peer that was added),\n\
         inbound (initiated by the peer).",
    ),
    ResultDoc::string(
        "transport_protocol_type",
        "Type of transport protocol: \n\
         tcp (with Noise and Yamux),\n\
         quic.",
    ),
    ResultDoc::string("multiaddress", "Where the peer is, as libp2p writes it"),
    ResultDoc::string("peer_id", "The key that the peer is known by, as libp2p writes it"),
];

/// What we have in common with a peer, by its last word on its tip. Heights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SyncedWith {
    headers: u32,
    blocks: u32,
}

impl SyncedWith {
    /// With a peer that has this tip; nothing when its header is not known.
    pub(super) fn find(chainstate: &Chainstate, tip: &BlockHash) -> Option<Self> {
        let peer = chainstate.lookup(tip)?;
        let mut common = peer.clone();
        // A peer that is far off our chain has nothing for us to wait for.
        for _ in 0..MAX_REORG_SHOWN {
            if common.is_active {
                return Some(Self { headers: peer.height, blocks: common.height });
            }
            common = chainstate.lookup(&common.header.prev_blockhash)?;
        }
        None
    }
}

/// Blocks to go back in search of one that both have.
const MAX_REORG_SHOWN: u32 = 2016;

/// A peer.
#[derive(Debug, Serialize)]
pub(super) struct PeerView {
    id: u64,
    addr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    addrbind: Option<String>,
    network: &'static str,
    services: String,
    servicesnames: Vec<&'static str>,
    lastsend: u64,
    lastrecv: u64,
    bytessent: u64,
    bytesrecv: u64,
    conntime: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pingtime: Option<Real>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minping: Option<Real>,
    version: u32,
    subver: String,
    inbound: bool,
    synced_headers: i64,
    synced_blocks: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    minfeefilter: Option<Btc>,
    connection_type: &'static str,
    transport_protocol_type: &'static str,
    multiaddress: String,
    peer_id: String,
}

impl PeerView {
    /// A peer, whether it was added, and what we have in common with it.
    pub(super) fn new(facts: &PeerFacts, is_added: bool, synced: Option<SyncedWith>) -> Self {
        let peer = &facts.peer;
        let status = facts.status.as_ref();
        let services = status.map(|status| status.services).unwrap_or_default();
        let seconds = |time: Duration| Real(time.as_secs_f64());
        Self {
            id: facts.id,
            addr: show_place(&peer.address),
            addrbind: facts.local_address.as_ref().and_then(socket_address).map(|address| address.to_string()),
            network: network(peer.ip()),
            services: services_hex(services),
            servicesnames: services_names(services),
            lastsend: facts.last_sent.map_or(0, unix_seconds),
            lastrecv: facts.last_received.map_or(0, unix_seconds),
            bytessent: facts.traffic.sent,
            bytesrecv: facts.traffic.received,
            conntime: unix_seconds(facts.connected_since),
            pingtime: facts.ping.map(seconds),
            minping: facts.min_ping.map(seconds),
            version: PROTOCOL_VERSION,
            subver: peer.user_agent.clone(),
            inbound: peer.direction == Direction::Inbound,
            synced_headers: synced.map_or(-1, |synced| synced.headers.into()),
            synced_blocks: synced.map_or(-1, |synced| synced.blocks.into()),
            minfeefilter: status.and_then(|status| i64::try_from(status.fee_filter).ok()).map(Btc),
            connection_type: match peer.direction {
                Direction::Inbound => "inbound",
                Direction::Outbound if is_added => "manual",
                Direction::Outbound => "outbound-full-relay",
            },
            transport_protocol_type: match facts.transport {
                TransportKind::Tcp => "tcp",
                TransportKind::Quic => "quic",
            },
            multiaddress: peer.address.to_string(),
            peer_id: peer.peer.to_string(),
        }
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
