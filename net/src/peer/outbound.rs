//! Whom to dial of one's own accord, and whom to let go.
//!
//! A node opens connections until as many of its own as it wants are there, since those are the ones that an attacker cannot
//! choose (Core: `CConnman::ThreadOpenConnections`, `net.cpp`). Random walks open more of them; what is too much is closed
//! again after a while. Whoever was named to us is dialled by the [`Dialer`](super::Dialer), and does not count.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use super::address::{Prefix, ip_of, is_global};
use super::book::{AddressBook, Candidate, Source};

/// How long a connection that is one too many stays: a random walk that opened it is over by then.
const EXCESS_TIME: Duration = Duration::from_secs(20);

/// How long a peer that only introduces others stays once there are enough others.
const INTRODUCER_TIME: Duration = Duration::from_secs(60);

/// How long nobody is looked for after nobody fitted.
const IDLE_TIME: Duration = Duration::from_secs(2);

/// The part a connected peer has here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It has not said yet what it is.
    Unknown,
    /// It keeps a chain.
    Peer,
    /// It introduces others and keeps no chain.
    Introducer,
}

#[derive(Debug)]
struct Connected {
    since: Instant,
    part: Part,
    /// We dialled, and nobody had named the peer to us.
    is_own_choice: bool,
    /// Where it is, of those we dialled.
    address: Option<Multiaddr>,
}

/// Keeps the number of outbound connections.
#[derive(Debug)]
pub(crate) struct Outbound<S = RandomState> {
    /// Outbound connections that we want.
    target: usize,
    /// Whether several peers of one private network may be dialled.
    is_local: bool,
    book: AddressBook<S>,
    connected: HashMap<PeerId, Connected>,
    dialing: HashSet<PeerId>,
    /// Whoever may be dialled was looked at, and nobody fitted: not looked at again before this, unless something changes.
    idle_until: Option<Instant>,
}

impl Outbound {
    pub(crate) fn new(local: PeerId, target: usize, is_local: bool) -> Self {
        Self::with_book(AddressBook::new(local, is_local), target, is_local)
    }
}

impl<S: BuildHasher> Outbound<S> {
    pub(crate) fn with_book(book: AddressBook<S>, target: usize, is_local: bool) -> Self {
        Self { target, is_local, book, connected: HashMap::new(), dialing: HashSet::new(), idle_until: None }
    }

    /// Peers that keep a chain, whoever dialled.
    pub(crate) fn peers(&self) -> usize {
        self.connected.values().filter(|connected| connected.part == Part::Peer).count()
    }

    /// Whether there are fewer outbound connections than we want.
    pub(crate) fn is_short(&self) -> bool {
        self.own_choices() < self.target
    }

    /// Somebody said that `peer` is at `address`.
    pub(crate) fn heard(&mut self, now: Instant, peer: PeerId, address: &Multiaddr, source: Source) {
        self.idle_until = None;
        self.book.add(now, peer, address, source);
        if self.connected.contains_key(&peer) {
            self.book.connected(now, peer);
        }
    }

    /// Whom to dial now. Each is being dialled until [`failed`](Self::failed) or [`connected`](Self::connected).
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Candidate> {
        let missing = self.target.saturating_sub(self.own_choices() + self.dialing.len());
        if missing == 0 || self.idle_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        let mut groups = self.groups();
        let is_local = self.is_local;
        let candidates = self
            .book
            .candidates(now, missing, |address| group(address, is_local).is_none_or(|group| !groups.contains(&group)));
        let mut chosen = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let of_candidate: Vec<_> =
                candidate.addresses.iter().filter_map(|address| group(address, is_local)).collect();
            if of_candidate.iter().any(|group| groups.contains(group)) {
                // Another candidate of this round took its group.
                self.book.not_dialled(now, candidate.peer);
                continue;
            }
            groups.extend(of_candidate);
            self.dialing.insert(candidate.peer);
            chosen.push(candidate);
        }
        self.idle_until = chosen.is_empty().then_some(now + IDLE_TIME);
        chosen
    }

    /// When somebody may be due next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        if self.own_choices() + self.dialing.len() >= self.target {
            return None;
        }
        self.book.next_due().map(|due| self.idle_until.map_or(due, |idle_until| due.max(idle_until)))
    }

    /// A dial did not end in a connection.
    pub(crate) fn failed(&mut self, now: Instant, peer: PeerId) {
        self.dialing.remove(&peer);
        self.idle_until = None;
        self.book.failed(now, peer);
    }

    /// What kept a peer away is over, or what kept all.
    pub(crate) fn retry(&mut self, now: Instant, peer: Option<PeerId>) {
        self.idle_until = None;
        self.book.retry(now, peer);
    }

    /// There is a connection with `peer`: dialled by us at `dialled`, or by the peer. `was_named` says that it is none of
    /// our own choice.
    pub(crate) fn connected(&mut self, now: Instant, peer: PeerId, dialled: Option<Multiaddr>, was_named: bool) {
        self.dialing.remove(&peer);
        self.book.connected(now, peer);
        let is_own_choice = dialled.is_some() && !was_named;
        self.connected
            .entry(peer)
            // One of two connections was named: so is the peer.
            .and_modify(|connected| connected.is_own_choice &= !was_named)
            .or_insert(Connected { since: now, part: Part::Unknown, is_own_choice, address: dialled });
    }

    /// `peer` said that it is of our network, and whether it keeps a chain.
    pub(crate) fn identified(&mut self, now: Instant, peer: PeerId, keeps_chain: bool) {
        let Some(connected) = self.connected.get_mut(&peer) else { return };
        connected.part = if keeps_chain { Part::Peer } else { Part::Introducer };
        match connected.address.clone() {
            // Nobody wants to be connected with an introducer for long.
            _ if !keeps_chain => self.book.remove(&peer),
            Some(address) => self.book.reached(now, peer, &address),
            None => {}
        }
    }

    /// `peer` is of another network.
    pub(crate) fn is_of_another_network(&mut self, now: Instant, peer: PeerId) {
        if let Some(address) = self.connected.get(&peer).and_then(|connected| connected.address.clone()) {
            // The walk may have found it where the book did not know it.
            self.book.add(now, peer, &address, Source::Kademlia);
        }
        self.book.is_of_another_network(now, peer);
    }

    /// The last connection with `peer` is gone.
    pub(crate) fn disconnected(&mut self, now: Instant, peer: PeerId) {
        self.connected.remove(&peer);
        self.idle_until = None;
        self.book.disconnected(now, peer);
    }

    /// Whom to disconnect: what is more than we want, the latest first, or in a group where we have a peer, and introducers
    /// who did their work. Asked again, it names them again until they are gone.
    pub(crate) fn excess(&self, now: Instant) -> Vec<PeerId> {
        let is_over = |connected: &Connected, time| now.saturating_duration_since(connected.since) >= time;
        let mut own: Vec<_> = self.connected.iter().filter(|(_, connected)| is_own_peer(connected)).collect();
        own.sort_unstable_by_key(|(_, connected)| connected.since);
        // A walk goes where others send it, so what it opened must not fill the places with one neighbourhood.
        let (mut kept, mut groups) = (0, HashSet::new());
        own.retain(|(_, connected)| {
            let group = connected.address.as_ref().and_then(|address| group(address, self.is_local));
            let is_wanted = kept < self.target && group.is_none_or(|group| groups.insert(group));
            kept += usize::from(is_wanted);
            !is_wanted
        });
        let late = own.into_iter().filter(|(_, connected)| is_over(connected, EXCESS_TIME));
        let has_enough = self.target > 0 && self.peers() >= self.target;
        let introducers = self.connected.iter().filter(|(_, connected)| {
            let is_introducer = connected.part == Part::Introducer && connected.is_own_choice;
            is_introducer && has_enough && is_over(connected, INTRODUCER_TIME)
        });
        late.chain(introducers).map(|(peer, _)| *peer).collect()
    }

    /// Who has been connected for `time` and longer, whatever for.
    pub(crate) fn connected_for(&self, now: Instant, time: Duration) -> impl Iterator<Item = PeerId> {
        let long = move |connected: &Connected| now.saturating_duration_since(connected.since) >= time;
        self.connected.iter().filter(move |(_, connected)| long(connected)).map(|(peer, _)| *peer)
    }

    /// Where we dialled a connected peer.
    pub(crate) fn address(&self, peer: &PeerId) -> Option<&Multiaddr> {
        self.connected.get(peer)?.address.as_ref()
    }

    /// Does not dial `peer` until somebody names it again.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.book.remove(peer);
    }

    /// What is worth knowing after a restart.
    pub(crate) fn addresses(&self) -> Vec<(PeerId, Multiaddr)> {
        self.book.addresses()
    }

    /// Connections that count: a peer that has not said yet what it is may well be one.
    fn own_choices(&self) -> usize {
        let counts = |connected: &&Connected| connected.is_own_choice && connected.part != Part::Introducer;
        self.connected.values().filter(counts).count()
    }

    /// Where the outbound peers are.
    fn groups(&self) -> HashSet<Prefix> {
        let own = self.connected.values().filter(|connected| is_own_peer(connected));
        own.filter_map(|connected| group(connected.address.as_ref()?, self.is_local)).collect()
    }
}

fn is_own_peer(connected: &Connected) -> bool {
    connected.is_own_choice && connected.part == Part::Peer
}

/// What only one outbound peer may be in (Core: `ThreadOpenConnections` skips network groups it is connected to). Private
/// addresses of a local network are in none.
fn group(address: &Multiaddr, is_local: bool) -> Option<Prefix> {
    let ip: IpAddr = ip_of(address)?;
    (is_global(ip) || !is_local).then(|| Prefix::of_group(ip))
}

#[cfg(test)]
mod tests;
