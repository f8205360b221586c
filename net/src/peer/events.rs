//! What is still to be told about peers.
//!
//! A listener that is slow must neither miss that a peer went, nor make us remember every coming and going meanwhile. So this
//! holds for each peer what the listener was told and what is the case, and tells the difference.

use std::collections::{BTreeMap, HashMap};

use libp2p::PeerId;

use crate::event::{ConnectedPeer, PeerEvent, Violation};

#[derive(Debug, Default)]
struct Entry {
    /// Which of the peer's connections the listener knows of.
    told: Option<u64>,
    /// The peer as it is connected now, and which of its connections that is.
    current: Option<(u64, ConnectedPeer)>,
    violation: Option<Violation>,
    /// Its place in the queue.
    place: Option<u64>,
}

/// Events about peers that wait to be told. It remembers the peers that are connected and those that the listener believes
/// to be, and nobody else.
#[derive(Debug, Default)]
pub(crate) struct PeerEventQueue {
    entries: HashMap<PeerId, Entry>,
    /// Peers about whom there is something to tell, in the order in which it began.
    queue: BTreeMap<u64, PeerId>,
    /// The last number given to a connection or a place.
    last: u64,
}

impl PeerEventQueue {
    pub(crate) fn connected(&mut self, peer: ConnectedPeer) {
        self.last += 1;
        let id = peer.peer;
        self.entries.entry(id).or_default().current = Some((self.last, peer));
        self.settle(id);
    }

    pub(crate) fn disconnected(&mut self, peer: PeerId) {
        if let Some(entry) = self.entries.get_mut(&peer) {
            entry.current = None;
            self.settle(peer);
        }
    }

    /// A connected peer broke a rule of the protocol. Only the first time counts.
    pub(crate) fn misbehaved(&mut self, peer: PeerId, violation: Violation) {
        if let Some(entry) = self.entries.get_mut(&peer) {
            entry.violation.get_or_insert(violation);
            self.settle(peer);
        }
    }

    /// Whether there is anything to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next thing to tell.
    pub(crate) fn pop(&mut self) -> Option<PeerEvent> {
        let (_, peer) = self.queue.pop_first()?;
        let entry = self.entries.get_mut(&peer)?;
        entry.place = None;
        let event = entry.next(peer);
        self.settle(peer);
        event
    }

    /// Puts the peer into the queue, takes it out, or forgets it.
    fn settle(&mut self, peer: PeerId) {
        let Some(entry) = self.entries.get_mut(&peer) else { return };
        match (entry.has_news(), entry.place) {
            (true, None) => {
                self.last += 1;
                entry.place = Some(self.last);
                self.queue.insert(self.last, peer);
            }
            (false, Some(place)) => {
                entry.place = None;
                self.queue.remove(&place);
            }
            (true, Some(_)) | (false, None) => {}
        }
        if entry.told.is_none() && entry.current.is_none() {
            self.entries.remove(&peer);
        }
    }
}

impl Entry {
    /// Whether the listener knows of another connection than the one there is.
    fn is_stale(&self) -> bool {
        self.told.is_some() && self.told != self.current.as_ref().map(|(connection, _)| *connection)
    }

    fn has_news(&self) -> bool {
        let is_known = self.told.is_some();
        self.is_stale() || (!is_known && self.current.is_some()) || (is_known && self.violation.is_some())
    }

    fn next(&mut self, peer: PeerId) -> Option<PeerEvent> {
        if self.told.is_some()
            && let Some(violation) = self.violation.take()
        {
            return Some(PeerEvent::Misbehaved { peer, violation });
        }
        if self.is_stale() {
            self.told = None;
            return Some(PeerEvent::Disconnected(peer));
        }
        let (connection, connected) = self.current.as_ref()?;
        self.told = Some(*connection);
        Some(PeerEvent::Connected(connected.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::event::Direction;
    use crate::protocol::FrameError;

    fn peer(number: u8) -> PeerId {
        let key = libp2p::identity::Keypair::ed25519_from_bytes([number; 32]).unwrap();
        key.public().to_peer_id()
    }

    fn connected(number: u8, agent: &str) -> ConnectedPeer {
        ConnectedPeer {
            peer: peer(number),
            address: "/ip4/127.0.0.1/tcp/1".parse().unwrap(),
            direction: Direction::Inbound,
            user_agent: agent.to_owned(),
        }
    }

    fn violation() -> Violation {
        Violation::Frame(FrameError::TrailingBytes { got: 1 })
    }

    #[test]
    fn a_listener_that_keeps_up_hears_everything_in_order() {
        let mut queue = PeerEventQueue::default();
        queue.connected(connected(1, "a"));
        assert_eq!(queue.pop(), Some(PeerEvent::Connected(connected(1, "a"))));
        queue.misbehaved(peer(1), violation());
        assert_eq!(queue.pop(), Some(PeerEvent::Misbehaved { peer: peer(1), violation: violation() }));
        queue.disconnected(peer(1));
        assert_eq!(queue.pop(), Some(PeerEvent::Disconnected(peer(1))));
        assert_eq!(queue.pop(), None);
        assert!(queue.entries.is_empty());
    }

    #[test]
    fn a_visit_that_the_listener_slept_through_is_not_told() {
        let mut queue = PeerEventQueue::default();
        queue.connected(connected(1, "a"));
        queue.misbehaved(peer(1), violation());
        queue.disconnected(peer(1));
        assert!(queue.is_empty());
        assert!(queue.entries.is_empty());
    }

    #[test]
    fn a_peer_that_came_back_is_told_as_gone_and_new() {
        let mut queue = PeerEventQueue::default();
        queue.connected(connected(1, "a"));
        queue.pop();
        for agent in ["b", "c"] {
            queue.disconnected(peer(1));
            queue.connected(connected(1, agent));
        }
        assert_eq!(queue.pop(), Some(PeerEvent::Disconnected(peer(1))));
        assert_eq!(queue.pop(), Some(PeerEvent::Connected(connected(1, "c"))));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn what_a_peer_did_is_told_before_that_it_went_and_after_that_it_came() {
        let mut queue = PeerEventQueue::default();
        queue.connected(connected(1, "a"));
        queue.misbehaved(peer(1), violation());
        assert_eq!(queue.pop(), Some(PeerEvent::Connected(connected(1, "a"))));
        queue.disconnected(peer(1));
        assert_eq!(queue.pop(), Some(PeerEvent::Misbehaved { peer: peer(1), violation: violation() }));
        assert_eq!(queue.pop(), Some(PeerEvent::Disconnected(peer(1))));
    }

    proptest! {
        #[test]
        fn whoever_listens_ends_up_with_the_truth(steps in prop::collection::vec((0u8..6, 0u8..4), 0..200)) {
            let mut queue = PeerEventQueue::default();
            let mut truth = HashSet::new();
            let mut believed = HashSet::new();
            let mut hear = |event: Option<PeerEvent>| match event {
                Some(PeerEvent::Connected(peer)) => assert!(believed.insert(peer.peer), "told twice"),
                Some(PeerEvent::Disconnected(peer)) => assert!(believed.remove(&peer), "was never told"),
                Some(PeerEvent::Misbehaved { peer, .. }) => assert!(believed.contains(&peer), "of a stranger"),
                None => {}
            };
            for (step, number) in steps {
                match step {
                    0 | 1 => {
                        queue.connected(connected(number, ""));
                        truth.insert(peer(number));
                    }
                    2 | 3 => {
                        queue.disconnected(peer(number));
                        truth.remove(&peer(number));
                    }
                    4 => queue.misbehaved(peer(number), violation()),
                    _ => hear(queue.pop()),
                }
                prop_assert!(queue.queue.len() <= queue.entries.len());
                prop_assert!(queue.entries.len() <= 4);
            }
            while !queue.is_empty() {
                hear(queue.pop());
            }
            prop_assert_eq!(believed, truth);
        }
    }
}
