//! What is known of each connected peer, to be read by anybody at any time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::event::ConnectedPeer;
use crate::protocol::Status;
use crate::traffic::{Traffic, TrafficCounts};

/// What carries the bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportKind {
    /// TCP, with Noise and Yamux.
    Tcp,
    /// QUIC.
    Quic,
}

impl TransportKind {
    fn of(address: &Multiaddr) -> Self {
        if address.iter().any(|part| part == Protocol::QuicV1) { Self::Quic } else { Self::Tcp }
    }
}

/// What is known of a connected peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFacts {
    /// Counts the peers that connected since the start, from 0: who comes back gets another.
    pub id: u64,
    /// The peer, and where it is.
    pub peer: ConnectedPeer,
    /// When it said that it is of our network.
    pub connected_since: SystemTime,
    /// Our end of the connection, where the peer opened it.
    pub local_address: Option<Multiaddr>,
    /// What carries the connection.
    pub transport: TransportKind,
    /// The round trip of the last ping that was answered.
    pub ping: Option<Duration>,
    /// The shortest round trip of a ping.
    pub min_ping: Option<Duration>,
    /// Bytes that came from the peer and went to it, see [`NetworkHandle::traffic`](crate::NetworkHandle::traffic).
    pub traffic: Traffic,
    /// When bytes came last, to the second.
    pub last_received: Option<SystemTime>,
    /// When bytes went last, to the second.
    pub last_sent: Option<SystemTime>,
    /// What it last said of its chain, whoever asked.
    pub status: Option<Status>,
}

/// The facts about all connected peers. One task writes, anybody reads.
#[derive(Debug, Default)]
pub(crate) struct PeerTable {
    peers: Mutex<Peers>,
    next_id: AtomicU64,
    traffic: Arc<TrafficCounts>,
}

#[derive(Debug, Default)]
struct Peers {
    facts: HashMap<PeerId, PeerFacts>,
    /// The last and the shortest round trip of everybody who is connected: the first ping is often answered before the peer
    /// has said who it is.
    pings: HashMap<PeerId, (Duration, Duration)>,
}

impl PeerTable {
    pub(crate) fn new(traffic: Arc<TrafficCounts>) -> Self {
        Self { traffic, ..Self::default() }
    }

    /// A peer said that it is of our network.
    pub(crate) fn connected(&self, now: SystemTime, peer: ConnectedPeer, local_address: Option<Multiaddr>) {
        let facts = PeerFacts {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            connected_since: now,
            local_address,
            transport: TransportKind::of(&peer.address),
            ping: None,
            min_ping: None,
            traffic: Traffic::default(),
            last_received: None,
            last_sent: None,
            status: None,
            peer,
        };
        self.peers().facts.insert(facts.peer.peer, facts);
    }

    /// The last connection with a peer is gone.
    pub(crate) fn disconnected(&self, peer: &PeerId) {
        let mut peers = self.peers();
        peers.facts.remove(peer);
        peers.pings.remove(peer);
    }

    /// A connected peer answered a ping. Remembered until it is disconnected.
    pub(crate) fn pinged(&self, peer: PeerId, round_trip: Duration) {
        let mut peers = self.peers();
        let (last, shortest) = peers.pings.entry(peer).or_insert((round_trip, round_trip));
        (*last, *shortest) = (round_trip, round_trip.min(*shortest));
    }

    /// A peer told its status.
    pub(crate) fn told_status(&self, peer: &PeerId, status: &Status) {
        if let Some(facts) = self.peers().facts.get_mut(peer) {
            facts.status = Some(status.clone());
        }
    }

    /// All peers, the oldest first.
    pub(crate) fn all(&self) -> Vec<PeerFacts> {
        let mut all = {
            let peers = self.peers();
            let with_ping = |facts: &PeerFacts| {
                let ping = peers.pings.get(&facts.peer.peer);
                let (ping, min_ping) = (ping.map(|(last, _)| *last), ping.map(|(_, shortest)| *shortest));
                PeerFacts { ping, min_ping, ..facts.clone() }
            };
            peers.facts.values().map(with_ping).collect::<Vec<_>>()
        };
        for facts in &mut all {
            let counts = self.traffic.of(&facts.peer.peer);
            facts.traffic = counts.traffic;
            (facts.last_received, facts.last_sent) = (counts.last_received, counts.last_sent);
        }
        all.sort_by_key(|facts| facts.id);
        all
    }

    /// Bytes of all connections since the start.
    pub(crate) fn total_traffic(&self) -> Traffic {
        self.traffic.total()
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        // Nothing panics while it holds the lock.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Direction;

    #[test]
    fn the_shortest_ping_is_kept() {
        let table = PeerTable::default();
        let peer = PeerId::random();
        let address: Multiaddr = "/ip4/127.0.0.1/udp/1/quic-v1".parse().unwrap();
        let connected = ConnectedPeer { peer, address, direction: Direction::Inbound, user_agent: String::new() };
        // Before the peer has said who it is.
        table.pinged(peer, Duration::from_millis(7));
        assert_eq!(table.all(), []);
        table.connected(SystemTime::now(), connected, None);
        assert_eq!(table.all()[0].ping, Some(Duration::from_millis(7)));
        for milliseconds in [3, 5] {
            table.pinged(peer, Duration::from_millis(milliseconds));
        }
        let [facts] = &table.all()[..] else { panic!("one peer") };
        assert_eq!(facts.ping, Some(Duration::from_millis(5)));
        assert_eq!(facts.min_ping, Some(Duration::from_millis(3)));
        assert_eq!(facts.transport, TransportKind::Quic);
        table.disconnected(&peer);
        assert_eq!(table.all(), []);
        assert!(table.peers().pings.is_empty());
    }
}
