//! Where peers may be found: the address book.
//!
//! It holds what others said and what was tried. Nothing in it is believed: an address is a candidate for a dial, and the
//! dial shows who is there. Its size is bounded, and so is what any one way of hearing of peers can put into it, so that
//! whoever invents peers drives out other inventions and not the peers that we knew.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::backoff::Backoff;
use super::dialer::LASTING;

/// Peers in the book. A connected one stays whatever comes.
const MAX_PEERS: usize = 2000;

/// Peers in the book that were heard of in one way only: half of it, as whoever fills one way should not fill the book.
const MAX_PEERS_PER_SOURCE: usize = MAX_PEERS / 2;

/// Addresses of one peer: Core keeps an address in up to eight places (`ADDRMAN_NEW_BUCKETS_PER_ADDRESS`, `addrman_impl.h`),
/// we keep up to eight addresses of an identity.
const MAX_ADDRESSES_PER_PEER: usize = 8;

/// Bytes of one address: names are longer than numbers, and no sensible one is longer than this.
const MAX_ADDRESS_LENGTH: usize = 320;

/// A peer that was never reached is forgotten after as many failures (Core: `ADDRMAN_MAX_FAILURES`, `addrman.cpp`).
const MAX_FAILURES: u32 = 10;

/// The longest wait between two attempts is Core's (`AddrInfo::GetChance`, `addrman.cpp`, deprioritises for ten minutes).
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10 * 60) };

/// How long a peer of another network is left alone.
const ANOTHER_NETWORK_WAIT: Duration = Duration::from_secs(60 * 60);

/// How we heard of a peer's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    /// The peer itself said so, on a connection that it opened. True for as long as it is connected.
    Inbound,
    /// On the local network.
    Mdns,
    /// From a rendezvous point.
    Rendezvous,
    /// From other peers' tables.
    Kademlia,
    /// The book of an earlier run.
    Known,
    /// We reached the peer there.
    Dialed,
}

/// A peer to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) peer: PeerId,
    /// Where it may be, the most promising first. None of them ends in the peer's name.
    pub(crate) addresses: Vec<Multiaddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting { until: Instant },
    Dialing,
    Connected { since: Instant },
}

#[derive(Debug)]
struct Entry {
    /// The best sources first.
    addresses: Vec<(Source, Multiaddr)>,
    state: State,
    failures: u32,
    was_reached: bool,
    /// Not dialled before, whatever else happens.
    shunned_until: Option<Instant>,
    /// When it was last heard of or connected.
    heard: Instant,
}

impl Entry {
    fn source(&self) -> Source {
        self.addresses.iter().map(|(source, _)| *source).max().unwrap_or(Source::Inbound)
    }
}

/// Peers that may be dialled, and how it stands with each.
#[derive(Debug)]
pub(crate) struct AddressBook<S = RandomState> {
    local: PeerId,
    peers: HashMap<PeerId, Entry>,
    spread: S,
    backoff: Backoff,
}

impl AddressBook {
    /// An empty book of the peer `local`, which it never holds itself.
    pub(crate) fn new(local: PeerId, is_local: bool) -> Self {
        Self { backoff: BACKOFF.for_network(is_local), ..Self::with_spread(local, RandomState::new()) }
    }
}

impl<S: BuildHasher> AddressBook<S> {
    pub(crate) fn with_spread(local: PeerId, spread: S) -> Self {
        Self { local, peers: HashMap::new(), spread, backoff: BACKOFF }
    }

    /// Somebody said that `peer` is at `address`. An address that ends in another peer's name, or passes through a relay, is
    /// not taken.
    pub(crate) fn add(&mut self, now: Instant, peer: PeerId, address: &Multiaddr, source: Source) {
        let Some(address) = plain_address(peer, address) else { return };
        if peer == self.local || !self.make_room(peer, source) {
            return;
        }
        let entry = self.peers.entry(peer).or_insert_with(|| Entry {
            addresses: Vec::new(),
            state: State::Waiting { until: now },
            failures: 0,
            was_reached: false,
            shunned_until: None,
            heard: now,
        });
        entry.heard = now;
        match entry.addresses.iter_mut().find(|(_, known)| *known == address) {
            Some((known, _)) => *known = source.max(*known),
            None => entry.addresses.push((source, address)),
        }
        entry.addresses.sort_by_key(|(source, _)| std::cmp::Reverse(*source));
        entry.addresses.truncate(MAX_ADDRESSES_PER_PEER);
    }

    /// Up to `count` peers to dial now, which are then being dialled, each until [`failed`](Self::failed) or
    /// [`connected`](Self::connected). `may_dial` is asked about each of their addresses.
    pub(crate) fn candidates(
        &mut self,
        now: Instant,
        count: usize,
        mut may_dial: impl FnMut(&Multiaddr) -> bool,
    ) -> Vec<Candidate> {
        let mut due: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, entry)| matches!(entry.state, State::Waiting { until } if until <= now))
            .map(|(peer, entry)| ((entry.failures, !entry.was_reached, self.spread.hash_one((peer, now))), *peer))
            .collect();
        due.sort_unstable_by_key(|(rank, _)| *rank);
        let mut candidates = Vec::new();
        for (_, peer) in due {
            if candidates.len() == count {
                break;
            }
            let Some(entry) = self.peers.get_mut(&peer) else { continue };
            let known = entry.addresses.iter().map(|(_, address)| address);
            let addresses: Vec<_> = known.filter(|address| may_dial(address)).cloned().collect();
            if !addresses.is_empty() {
                entry.state = State::Dialing;
                candidates.push(Candidate { peer, addresses });
            }
        }
        candidates
    }

    /// When the next peer may be dialled.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let waiting = |entry: &Entry| match entry.state {
            State::Waiting { until } => Some(until),
            State::Dialing | State::Connected { .. } => None,
        };
        self.peers.values().filter_map(waiting).min()
    }

    /// A dial of a candidate did not end in a connection.
    pub(crate) fn failed(&mut self, now: Instant, peer: PeerId) {
        let spread = self.spread.hash_one((peer, now));
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        if entry.state == State::Dialing {
            entry.fail(self.backoff, now, spread);
            if !entry.was_reached && entry.failures >= MAX_FAILURES {
                self.peers.remove(&peer);
            }
        }
    }

    /// What kept a peer away is over, or what kept all: who waits may be dialled at once, unless it is shunned.
    pub(crate) fn retry(&mut self, now: Instant, peer: Option<PeerId>) {
        for (_, entry) in self.peers.iter_mut().filter(|(known, _)| peer.is_none_or(|peer| peer == **known)) {
            entry.failures = 0;
            if let State::Waiting { until } = &mut entry.state {
                *until = now.max(entry.shunned_until.unwrap_or(now)).min(*until);
            }
        }
    }

    /// A candidate was not dialled after all.
    pub(crate) fn not_dialled(&mut self, now: Instant, peer: PeerId) {
        if let Some(entry) = self.peers.get_mut(&peer)
            && entry.state == State::Dialing
        {
            entry.state = State::Waiting { until: now };
        }
    }

    /// There is a connection with `peer`, whoever dialled.
    pub(crate) fn connected(&mut self, now: Instant, peer: PeerId) {
        if let Some(entry) = self.peers.get_mut(&peer)
            && !matches!(entry.state, State::Connected { .. })
        {
            entry.state = State::Connected { since: now };
            entry.heard = now;
        }
    }

    /// We dialled `peer` at `address`, and it is of our network.
    pub(crate) fn reached(&mut self, now: Instant, peer: PeerId, address: &Multiaddr) {
        self.add(now, peer, address, Source::Dialed);
        self.connected(now, peer);
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.was_reached = true;
        }
    }

    /// The last connection with `peer` is gone. What it said of itself alone is forgotten.
    pub(crate) fn disconnected(&mut self, now: Instant, peer: PeerId) {
        let spread = self.spread.hash_one((peer, now));
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        entry.addresses.retain(|(source, _)| *source != Source::Inbound);
        if entry.addresses.is_empty() {
            self.peers.remove(&peer);
            return;
        }
        if let State::Connected { since } = entry.state {
            entry.heard = now;
            if now.saturating_duration_since(since) >= LASTING {
                entry.failures = 0;
            }
            entry.fail(self.backoff, now, spread);
        }
    }

    /// `peer` is of another network: it is left alone for an hour.
    pub(crate) fn is_of_another_network(&mut self, now: Instant, peer: PeerId) {
        if let Some(entry) = self.peers.get_mut(&peer) {
            let until = now + ANOTHER_NETWORK_WAIT;
            entry.shunned_until = Some(until);
            entry.state = State::Waiting { until };
        }
    }

    /// Forgets `peer`.
    pub(crate) fn remove(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// What is worth knowing after a restart, the peers that were reached first.
    pub(crate) fn addresses(&self) -> Vec<(PeerId, Multiaddr)> {
        let mut peers: Vec<_> = self.peers.iter().collect();
        peers.sort_unstable_by_key(|(peer, entry)| (!entry.was_reached, entry.failures, **peer));
        let known = |(peer, entry): (&PeerId, &'_ Entry)| {
            let lasting = entry.addresses.iter().filter(|(source, _)| *source != Source::Inbound);
            lasting.map(|(_, address)| (*peer, address.clone())).collect::<Vec<_>>()
        };
        peers.into_iter().flat_map(known).collect()
    }

    /// How many peers are in the book.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there is a place for `peer`, after the worst other one has gone if need be.
    fn make_room(&mut self, peer: PeerId, source: Source) -> bool {
        if self.peers.contains_key(&peer) {
            return true;
        }
        let of_source = || self.peers.values().filter(|entry| entry.source() == source).count();
        let worst = if self.peers.len() >= MAX_PEERS {
            self.worst(|_| true)
        } else if self.peers.len() >= MAX_PEERS_PER_SOURCE && of_source() >= MAX_PEERS_PER_SOURCE {
            self.worst(|entry| entry.source() == source)
        } else {
            return true;
        };
        worst.is_some_and(|worst| self.peers.remove(&worst).is_some())
    }

    /// The peer that is missed least, of those that are neither connected nor being dialled.
    fn worst(&self, is_meant: impl Fn(&Entry) -> bool) -> Option<PeerId> {
        self.peers
            .iter()
            .filter(|(_, entry)| matches!(entry.state, State::Waiting { .. }) && is_meant(entry))
            .min_by_key(|(_, entry)| (entry.was_reached, std::cmp::Reverse(entry.failures), entry.heard))
            .map(|(peer, _)| *peer)
    }
}

impl Entry {
    fn fail(&mut self, backoff: Backoff, now: Instant, spread: u64) {
        let wait = backoff.wait(self.failures, spread);
        self.failures = self.failures.saturating_add(1);
        let until = (now + wait).max(self.shunned_until.unwrap_or(now));
        self.state = State::Waiting { until };
    }
}

/// The address without the peer's name at its end, if it is one that can be dialled for that peer.
fn plain_address(peer: PeerId, address: &Multiaddr) -> Option<Multiaddr> {
    let mut plain = address.clone();
    if let Some(Protocol::P2p(named)) = plain.iter().last() {
        if named != peer {
            return None;
        }
        plain.pop();
    }
    let is_relayed = plain.iter().any(|part| matches!(part, Protocol::P2p(_) | Protocol::P2pCircuit));
    (!is_relayed && !plain.is_empty() && plain.len() <= MAX_ADDRESS_LENGTH).then_some(plain)
}

#[cfg(test)]
mod tests;
