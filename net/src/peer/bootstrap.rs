//! When to dial the nodes that introduce us to the network.
//!
//! They are dialled until each was reached once or there are enough peers, and again when there is no peer left. No
//! connection with them is kept for its own sake.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use super::backoff::Backoff;
use super::dialer::{DialFailed, LASTING};

const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5 * 60) };

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting { until: Instant },
    Dialing,
    Connected { peer: PeerId, since: Instant },
}

#[derive(Debug)]
struct Entry {
    state: State,
    failures: u32,
    was_reached: bool,
}

/// How many peers there are, as far as bootstrapping depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// There is no peer.
    pub(crate) is_alone: bool,
    /// There are fewer outbound peers than we want.
    pub(crate) is_short: bool,
}

/// The nodes that introduce us, and how it stands with each.
#[derive(Debug)]
pub(crate) struct Bootstrap<S = RandomState> {
    nodes: HashMap<Multiaddr, Entry>,
    spread: S,
}

impl Bootstrap {
    pub(crate) fn new(now: Instant, addresses: &[Multiaddr]) -> Self {
        Self::with_spread(now, addresses, RandomState::new())
    }
}

impl<S: BuildHasher> Bootstrap<S> {
    pub(crate) fn with_spread(now: Instant, addresses: &[Multiaddr], spread: S) -> Self {
        let entry = || Entry { state: State::Waiting { until: now }, failures: 0, was_reached: false };
        Self { nodes: addresses.iter().map(|address| (address.clone(), entry())).collect(), spread }
    }

    /// The addresses to dial now. Each must be answered by [`failed`](Self::failed) or [`dialed`](Self::dialed).
    pub(crate) fn due(&mut self, now: Instant, need: Need) -> Vec<Multiaddr> {
        let mut due = Vec::new();
        for (address, entry) in &mut self.nodes {
            if entry.waits(need).is_some_and(|until| until <= now) {
                entry.state = State::Dialing;
                due.push(address.clone());
            }
        }
        due
    }

    /// When something is due next, if the need stays the same.
    pub(crate) fn next_due(&self, need: Need) -> Option<Instant> {
        self.nodes.values().filter_map(|entry| entry.waits(need)).min()
    }

    /// A dial did not end in a connection.
    pub(crate) fn failed(&mut self, now: Instant, address: &Multiaddr, failure: DialFailed) {
        if failure == DialFailed::Ourselves {
            self.nodes.remove(address);
        } else if let Some(entry) = self.nodes.get_mut(address) {
            entry.fail(now, self.spread.hash_one((address, now)));
        }
    }

    /// A dial ended in a connection with `peer`.
    pub(crate) fn dialed(&mut self, now: Instant, address: &Multiaddr, peer: PeerId) {
        if let Some(entry) = self.nodes.get_mut(address) {
            entry.state = State::Connected { peer, since: now };
            entry.was_reached = true;
        }
    }

    /// The last connection with `peer` is gone.
    pub(crate) fn disconnected(&mut self, now: Instant, peer: PeerId) {
        for (address, entry) in &mut self.nodes {
            if let State::Connected { peer: connected, since } = entry.state
                && connected == peer
            {
                if now.saturating_duration_since(since) >= LASTING {
                    entry.failures = 0;
                }
                entry.fail(now, self.spread.hash_one((address, now)));
            }
        }
    }
}

impl Entry {
    /// Until when it waits, if it is needed.
    fn waits(&self, need: Need) -> Option<Instant> {
        let is_needed = need.is_alone || (need.is_short && !self.was_reached);
        match self.state {
            State::Waiting { until } if is_needed => Some(until),
            _ => None,
        }
    }

    fn fail(&mut self, now: Instant, spread: u64) {
        let wait = BACKOFF.wait(self.failures, spread);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { until: now + wait };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Need = Need { is_alone: true, is_short: true };
    const SHORT: Need = Need { is_alone: false, is_short: true };
    const ENOUGH: Need = Need { is_alone: false, is_short: false };

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    fn bootstrap(now: Instant) -> Bootstrap {
        Bootstrap::new(now, &[address(1)])
    }

    #[test]
    fn dialled_until_reached() {
        let mut now = Instant::now();
        let mut bootstrap = bootstrap(now);
        for _ in 0..20 {
            assert_eq!(bootstrap.due(now, SHORT), [address(1)]);
            assert_eq!(bootstrap.due(now + BACKOFF.longest, ALONE), []);
            bootstrap.failed(now, &address(1), DialFailed::Retry);
            now = bootstrap.next_due(SHORT).unwrap();
        }
        assert_eq!(bootstrap.due(now, ENOUGH), []);
        assert_eq!(bootstrap.next_due(ENOUGH), None);
    }

    #[test]
    fn not_needed_while_there_is_another_peer() {
        let (now, peer) = (Instant::now(), PeerId::random());
        let mut bootstrap = bootstrap(now);
        bootstrap.due(now, ALONE);
        bootstrap.dialed(now, &address(1), peer);
        assert_eq!(bootstrap.next_due(ALONE), None);
        let later = now + LASTING;
        bootstrap.disconnected(later, peer);
        assert_eq!(bootstrap.next_due(SHORT), None);
        assert_eq!(bootstrap.due(later + BACKOFF.first, ALONE), [address(1)]);
    }

    #[test]
    fn one_that_refuses_us_is_not_hammered() {
        let (mut now, peer) = (Instant::now(), PeerId::random());
        let mut bootstrap = bootstrap(now);
        let start = now;
        for _ in 0..10 {
            bootstrap.due(now, ALONE);
            bootstrap.dialed(now, &address(1), peer);
            bootstrap.disconnected(now, peer);
            now = bootstrap.next_due(ALONE).unwrap();
        }
        assert!(now - start > BACKOFF.longest);
    }

    #[test]
    fn ourselves_are_forgotten() {
        let now = Instant::now();
        let mut bootstrap = bootstrap(now);
        bootstrap.due(now, ALONE);
        bootstrap.failed(now, &address(1), DialFailed::Ourselves);
        assert_eq!(bootstrap.next_due(ALONE), None);
    }
}
