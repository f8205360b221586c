//! When to dial the peers that were named to us, and when to dial them again.
//!
//! A named peer is dialled until it is connected, and again whenever it is lost, for as long as it is named. Between attempts
//! that fail passes a second, then two, then four, up to a minute; a connection counts as success once it has lasted.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use super::address::peer_of;
use super::backoff::Backoff;

/// The longest wait is Core's between rounds over its added nodes (`ThreadOpenAddedConnections`, `net.cpp`).
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };

/// A connection that lasts shorter than this was no success: peers that refuse us close at once.
pub(super) const LASTING: Duration = Duration::from_secs(10);

/// A peer that was named to us: where it is and, if the address ends in it, who it must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// The address as it was named.
    pub(crate) address: Multiaddr,
}

impl Target {
    /// Who must answer at the address, if it says so.
    pub(crate) fn peer(&self) -> Option<PeerId> {
        peer_of(&self.address)
    }
}

/// What became of a dial that did not end in a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialFailed {
    /// Nothing answered, or not as it should: worth another attempt.
    Retry,
    /// The address leads to ourselves: no attempt will end otherwise.
    Ourselves,
}

#[derive(Debug)]
struct Attempt {
    state: State,
    /// Attempts that failed since the last lasting connection.
    failures: u32,
    /// Who answered the last time.
    known: Option<PeerId>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting { until: Instant },
    Dialing,
    Connected { since: Instant },
}

/// The peers that were named, and how it stands with each.
#[derive(Debug)]
pub(crate) struct Dialer<S = RandomState> {
    targets: HashMap<Target, Attempt>,
    /// Peers we are connected with, whoever dialled, and since when.
    connected: HashMap<PeerId, Instant>,
    /// Spreads the waits, so that many nodes that lost the same peer do not come back at one instant.
    spread: S,
    backoff: Backoff,
}

impl Dialer {
    pub(crate) fn new(is_local: bool) -> Self {
        Self { backoff: BACKOFF.for_network(is_local), ..Self::with_spread(RandomState::new()) }
    }
}

impl<S: BuildHasher> Dialer<S> {
    pub(crate) fn with_spread(spread: S) -> Self {
        Self { targets: HashMap::new(), connected: HashMap::new(), spread, backoff: BACKOFF }
    }

    /// Names a peer; it is due at once. Naming it again changes nothing, and is answered with false.
    pub(crate) fn add(&mut self, now: Instant, target: Target) -> bool {
        if self.targets.contains_key(&target) {
            return false;
        }
        let known = target.peer();
        let state = match known.and_then(|peer| self.connected.get(&peer)) {
            Some(since) => State::Connected { since: *since },
            None => State::Waiting { until: now },
        };
        self.targets.insert(target, Attempt { state, failures: 0, known });
        true
    }

    /// The peers that were named, and who it is of those that are connected.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&Target, Option<PeerId>)> {
        self.targets.iter().map(|(target, attempt)| {
            let is_connected = matches!(attempt.state, State::Connected { .. });
            (target, attempt.known.filter(|_| is_connected))
        })
    }

    /// No longer dials a peer. False when it was not named.
    pub(crate) fn remove(&mut self, target: &Target) -> bool {
        self.targets.remove(target).is_some()
    }

    /// The peers to dial now. Each must be answered by [`failed`](Self::failed) or [`dialed`](Self::dialed).
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Target> {
        let mut due = Vec::new();
        for (target, attempt) in &mut self.targets {
            if matches!(attempt.state, State::Waiting { until } if until <= now) {
                attempt.state = State::Dialing;
                due.push(target.clone());
            }
        }
        due
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let waiting = |attempt: &Attempt| match attempt.state {
            State::Waiting { until } => Some(until),
            _ => None,
        };
        self.targets.values().filter_map(waiting).min()
    }

    /// A dial did not end in a connection.
    pub(crate) fn failed(&mut self, now: Instant, target: &Target, failure: DialFailed) {
        if failure == DialFailed::Ourselves {
            self.targets.remove(target);
            return;
        }
        let spread = self.spread.hash_one((target, now));
        if let Some(attempt) = self.targets.get_mut(target) {
            attempt.fail(self.backoff, now, spread);
        }
    }

    /// What kept a peer away is over, or what kept all: who waits is due at once, and starts anew.
    pub(crate) fn retry(&mut self, now: Instant, peer: Option<PeerId>) {
        // Who it is at an address that does not say so may never have been known.
        let is_meant = |attempt: &Attempt| peer.is_none() || attempt.known.is_none() || attempt.known == peer;
        for attempt in self.targets.values_mut().filter(|attempt| is_meant(attempt)) {
            attempt.failures = 0;
            if let State::Waiting { until } = &mut attempt.state {
                *until = now.min(*until);
            }
        }
    }

    /// A dial ended in a connection with `peer`.
    pub(crate) fn dialed(&mut self, now: Instant, target: &Target, peer: PeerId) {
        if let Some(attempt) = self.targets.get_mut(target) {
            attempt.known = Some(peer);
        }
        self.connected(now, peer);
    }

    /// There is a connection with `peer`, whoever dialled.
    pub(crate) fn connected(&mut self, now: Instant, peer: PeerId) {
        let since = *self.connected.entry(peer).or_insert(now);
        for attempt in self.targets.values_mut().filter(|attempt| attempt.known == Some(peer)) {
            // A dial on its way ends by itself: its failure is of no interest, and its success is a second connection.
            attempt.state = State::Connected { since };
        }
    }

    /// The last connection with `peer` is gone.
    pub(crate) fn disconnected(&mut self, now: Instant, peer: PeerId) {
        self.connected.remove(&peer);
        for (target, attempt) in self.targets.iter_mut().filter(|(_, attempt)| attempt.known == Some(peer)) {
            if let State::Connected { since } = attempt.state {
                if now.saturating_duration_since(since) >= LASTING {
                    attempt.failures = 0;
                }
                attempt.state = State::Dialing;
                attempt.fail(self.backoff, now, self.spread.hash_one((target, now)));
            }
        }
    }
}

impl Attempt {
    fn fail(&mut self, backoff: Backoff, now: Instant, spread: u64) {
        if self.state != State::Dialing {
            return;
        }
        let wait = backoff.wait(self.failures, spread);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { until: now + wait };
    }
}

#[cfg(test)]
mod tests;
