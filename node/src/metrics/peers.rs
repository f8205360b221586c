//! Metrics of other nodes.

use std::time::Duration;

use cairn_net::{ConnectedPeer, Counters, Direction, Traffic};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::families::peers;

/// Ways to travel, as they stand in multiaddresses.
const TRANSPORTS: [&str; 2] = ["tcp", "quic"];

/// Metrics of other nodes.
#[derive(Debug)]
pub(crate) struct PeerMetrics {
    connected: IntGaugeVec,
    disconnects: IntCounterVec,
    bans: IntCounterVec,
    bytes: IntCounterVec,
    connections_failed: IntCounter,
    gossip: IntCounterVec,
    requests: IntCounterVec,
    compact_blocks: IntCounterVec,
    request_duration: HistogramVec,
    header_to_body: Histogram,
    stalls: IntCounter,
    addresses: IntGauge,
}

/// What it took to rebuild a compact block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompactOutcome {
    /// All of it was in the pool.
    Pool,
    /// Transactions were asked for.
    Requested,
    /// It could not be rebuilt, and was fetched as a whole.
    Failed,
}

impl PeerMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            connected: peers::PEERS.int_gauge_vec(registry)?,
            disconnects: peers::DISCONNECTS.int_counter_vec(registry)?,
            bans: peers::BANS.int_counter_vec(registry)?,
            bytes: peers::BYTES.int_counter_vec(registry)?,
            connections_failed: peers::CONNECTIONS_FAILED.int_counter(registry)?,
            gossip: peers::GOSSIP.int_counter_vec(registry)?,
            requests: peers::REQUESTS.int_counter_vec(registry)?,
            compact_blocks: peers::COMPACT_BLOCKS.int_counter_vec(registry)?,
            request_duration: peers::REQUEST_DURATION.histogram_vec(registry)?,
            header_to_body: peers::HEADER_TO_BODY.histogram_of(registry)?,
            stalls: peers::STALLS.int_counter(registry)?,
            addresses: peers::ADDRESSES.int_gauge(registry)?,
        };
        metrics.set_connected(&[]);
        Ok(metrics)
    }

    /// A peer was disconnected for what it did.
    pub(crate) fn count_disconnect(&self, reason: &str) {
        self.disconnects.with_label_values(&[reason]).inc();
    }

    /// A peer was banned for what it did.
    pub(crate) fn count_ban(&self, reason: &str) {
        self.bans.with_label_values(&[reason]).inc();
    }

    /// A peer answered a question of this kind, or failed to, after so long.
    pub(crate) fn observe_request(&self, kind: &str, time: Duration) {
        self.request_duration.with_label_values(&[kind]).observe(time.as_secs_f64());
    }

    /// The body of an announced block is here, so long after its header.
    pub(crate) fn observe_header_to_body(&self, time: Duration) {
        self.header_to_body.observe(time.as_secs_f64());
    }

    /// Peers held up the download of blocks.
    pub(crate) fn count_stalls(&self, stalls: u64) {
        self.stalls.inc_by(stalls);
    }

    /// So many addresses of other nodes are known.
    pub(crate) fn set_addresses(&self, addresses: usize) {
        self.addresses.set(i64::try_from(addresses).unwrap_or(i64::MAX));
    }

    /// A compact block was rebuilt, or not.
    pub(crate) fn count_compact(&self, outcome: CompactOutcome) {
        let outcome = match outcome {
            CompactOutcome::Pool => "pool",
            CompactOutcome::Requested => "requested",
            CompactOutcome::Failed => "failed",
        };
        self.compact_blocks.with_label_values(&[outcome]).inc();
    }

    /// Takes over what the network counted since it started.
    pub(super) fn set_counters(&self, counters: &Counters, traffic: Traffic) {
        let set = |counter: &IntCounter, value: u64| counter.inc_by(value.saturating_sub(counter.get()));
        set(&self.bytes.with_label_values(&["received"]), traffic.received);
        set(&self.bytes.with_label_values(&["sent"]), traffic.sent);
        set(&self.connections_failed, counters.connections_failed.get());
        for (kind, outcome, count) in [
            ("header", "taken", &counters.headers_received),
            ("header", "dropped", &counters.headers_dropped),
            ("transaction", "taken", &counters.transactions_received),
            ("transaction", "dropped", &counters.transactions_dropped),
            ("any", "wrong", &counters.gossip_rejected),
            ("any", "judged_late", &counters.late_verdicts),
        ] {
            set(&self.gossip.with_label_values(&[kind, outcome]), count.get());
        }
        for (direction, outcome, count) in [
            ("from_peer", "taken", &counters.requests_received),
            ("from_peer", "dropped", &counters.requests_dropped),
            ("from_peer", "too_many", &counters.quota_breaches),
            ("to_peer", "sent", &counters.requests_sent),
            ("to_peer", "failed", &counters.requests_failed),
        ] {
            set(&self.requests.with_label_values(&[direction, outcome]), count.get());
        }
    }

    /// Takes over who is connected.
    pub(super) fn set_connected(&self, connected: &[ConnectedPeer]) {
        for (direction, name) in [(Direction::Inbound, "inbound"), (Direction::Outbound, "outbound")] {
            for transport in TRANSPORTS {
                let is_counted = |peer: &&ConnectedPeer| {
                    let is_quic = peer.address.protocol_stack().any(|protocol| protocol.starts_with("quic"));
                    peer.direction == direction && is_quic == (transport == "quic")
                };
                let count = connected.iter().filter(is_counted).count();
                let gauge = self.connected.with_label_values(&[name, transport]);
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_told_apart_by_direction_and_transport() {
        let metrics = PeerMetrics::new(&Registry::new()).unwrap();
        let peer = |address: &str, direction| ConnectedPeer {
            peer: cairn_net::Keypair::generate_ed25519().public().to_peer_id(),
            address: address.parse().unwrap(),
            direction,
            user_agent: String::new(),
        };
        let tcp = peer("/ip4/127.0.0.1/tcp/8433", Direction::Inbound);
        let quic = peer("/ip4/127.0.0.1/udp/8433/quic-v1", Direction::Outbound);
        let count = |labels: [&str; 2]| metrics.connected.with_label_values(&labels).get();
        metrics.set_connected(&[tcp.clone(), quic, tcp]);
        assert_eq!((count(["inbound", "tcp"]), count(["outbound", "quic"])), (2, 1));
        assert_eq!((count(["inbound", "quic"]), count(["outbound", "tcp"])), (0, 0));
        metrics.set_connected(&[]);
        assert_eq!(count(["inbound", "tcp"]), 0);
    }
}
