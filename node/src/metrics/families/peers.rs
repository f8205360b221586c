//! Other nodes.

use super::Family;

pub(crate) const PEERS: Family = Family::gauge("cairn_peers", "Peers that are connected, by direction and transport.")
    .with_labels(&["direction", "transport"]);
pub(crate) const DISCONNECTS: Family =
    Family::counter("cairn_peer_disconnects_total", "Connections to peers that ended, by reason.")
        .with_labels(&["reason"]);
pub(crate) const BANS: Family =
    Family::counter("cairn_peer_bans_total", "Peers that were banned, by reason.").with_labels(&["reason"]);
pub(crate) const BYTES: Family =
    Family::counter("cairn_peer_bytes_total", "Bytes that connections with peers carried, by direction.")
        .with_labels(&["direction"]);
pub(crate) const CONNECTIONS_FAILED: Family = Family::counter(
    "cairn_peer_connections_failed_total",
    "Connections that were refused or lost before the peer said who it is.",
);
pub(crate) const GOSSIP: Family = Family::counter(
    "cairn_gossip_messages_total",
    "Gossiped messages from peers, by what they hold and what became of them.",
)
.with_labels(&["kind", "outcome"]);
pub(crate) const REQUESTS: Family =
    Family::counter("cairn_peer_requests_total", "Questions between peers and this node, by direction and outcome.")
        .with_labels(&["direction", "outcome"]);
pub(crate) const COMPACT_BLOCKS: Family =
    Family::counter("cairn_compact_blocks_total", "Compact blocks from peers, by what it took to rebuild them.")
        .with_labels(&["outcome"]);
pub(crate) const REQUEST_DURATION: Family = Family::histogram(
    "cairn_peer_request_duration_seconds",
    "Time until peers answered, by what they were asked for.",
    &[0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
)
.with_labels(&["kind"]);
pub(crate) const HEADER_TO_BODY: Family = Family::histogram(
    "cairn_block_header_to_body_seconds",
    "Time from the announcement of a block until its body was here.",
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
);
pub(crate) const STALLS: Family =
    Family::counter("cairn_sync_stalls_total", "Times that a peer held up the download of blocks.");
pub(crate) const ADDRESSES: Family = Family::gauge("cairn_peer_addresses", "Addresses of other nodes that are known.");

#[cfg(test)]
pub(crate) const ALL: &[&Family] = &[
    &PEERS,
    &DISCONNECTS,
    &BANS,
    &BYTES,
    &CONNECTIONS_FAILED,
    &GOSSIP,
    &REQUESTS,
    &COMPACT_BLOCKS,
    &REQUEST_DURATION,
    &HEADER_TO_BODY,
    &STALLS,
    &ADDRESSES,
];
