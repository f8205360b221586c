//! Other nodes.

use super::Family;

pub(crate) const PEERS: Family = Family::gauge("cairn_peers", "Peers that are connected, by direction and transport.")
    .with_labels(&["direction", "transport"]);
pub(crate) const DISCONNECTS: Family =
    Family::counter("cairn_peer_disconnects_total", "Connections to peers that ended, by reason.")
        .with_labels(&["reason"]);
pub(crate) const BANS: Family =
    Family::counter("cairn_peer_bans_total", "Peers that were banned, by reason.").with_labels(&["reason"]);

#[cfg(test)]
pub(crate) const ALL: &[&Family] = &[&PEERS, &DISCONNECTS, &BANS];
