//! What the service counted since it started.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Its value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }
}

/// What the service counted since it started. Each number is read by itself: two of them need not be of the same instant.
#[derive(Debug, Default)]
pub struct Counters {
    /// Headers handed to the node.
    pub headers_received: Counter,
    /// Headers dropped because the node was slow to take them.
    pub headers_dropped: Counter,
    /// Transactions handed to the node.
    pub transactions_received: Counter,
    /// Transactions dropped because the node was slow to take them.
    pub transactions_dropped: Counter,
    /// Gossiped messages that were wrong on their face.
    pub gossip_rejected: Counter,
    /// Verdicts that came when their message was forgotten.
    pub late_verdicts: Counter,
    /// Questions of peers handed to the node.
    pub requests_received: Counter,
    /// Questions of peers answered busy because the node was slow to take them or gave no answer.
    pub requests_dropped: Counter,
    /// Questions of peers answered busy because they asked for too much.
    pub quota_breaches: Counter,
    /// Our questions to peers.
    pub requests_sent: Counter,
    /// Our questions that failed, for whatever reason.
    pub requests_failed: Counter,
    /// Peers disconnected for what no honest node does.
    pub violations: Counter,
    /// Connections refused or lost before the peer said who it is.
    pub connections_failed: Counter,
    /// Connections to us, of those, that a rule of ours refused: a limit, a ban, a list, a key.
    pub connections_refused: Counter,
    /// Dials of our own choice, to candidates and bootstrap nodes.
    pub candidates_dialled: Counter,
}
