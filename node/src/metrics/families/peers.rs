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

#[cfg(test)]
pub(crate) const ALL: &[&Family] =
    &[&PEERS, &DISCONNECTS, &BANS, &BYTES, &CONNECTIONS_FAILED, &GOSSIP, &REQUESTS, &COMPACT_BLOCKS];
