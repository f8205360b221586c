//! Whom to ask for headers.
//!
//! While a peer sends full answers there are more, and nobody else is asked: every peer would send the same ones. Once one peer has
//! no more, all others are asked that claim more work than we know of, or announced a header whose parent we do not know: a peer
//! that hides the best chain hides nothing that any other peer has (Core: `fSyncStarted`, `net_processing.cpp`).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cairn_chain::pow::Work;
use cairn_net::PeerId;

/// How long a peer is not asked that did not answer.
const FAILURE_PAUSE: Duration = Duration::from_secs(10);
/// Peers that are asked at the same time, when none is far ahead.
const MAX_ASKED: usize = 4;
/// How long a peer that has more and more keeps others from being asked: one that is slow on purpose must not for ever.
const LOADING_TURN: Duration = Duration::from_secs(120);

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// There are more.
    More,
    /// That was all.
    All,
    /// The peer has no time, and says for how long.
    Busy(Duration),
    /// Nothing: the peer failed to answer.
    Failed,
}

/// How it stands with a peer.
#[derive(Debug, Default)]
struct Peer {
    /// Work of its chain, as it says.
    work: Work,
    /// It announced something that does not connect to what we know.
    has_news: bool,
    is_asked: bool,
    /// It has answered, and has more.
    has_more: bool,
    /// Since when it has more and more.
    loading_since: Option<Instant>,
    /// Work that it claimed when it last had no more: to claim as much again is no news.
    answered_work: Option<Work>,
    /// When it was asked last: who was not has its turn first, whatever others claim.
    last_asked: Option<Instant>,
    paused_until: Option<Instant>,
}

/// Whom to ask for headers.
#[derive(Debug, Default)]
pub(super) struct HeaderSync {
    peers: BTreeMap<PeerId, Peer>,
}

impl HeaderSync {
    /// A peer says how much work its chain has.
    pub(super) fn peer_claims(&mut self, peer: PeerId, work: Work) {
        self.peers.entry(peer).or_default().work = work;
    }

    /// A peer has a header whose parent we do not know.
    pub(super) fn peer_has_news(&mut self, peer: PeerId) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.has_news = true;
        }
    }

    /// A peer has gone.
    pub(super) fn remove_peer(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// Whom to ask next, when our best header has so much work. Each must be followed by [`answered`](Self::answered).
    pub(super) fn ask(&mut self, now: Instant, best: Work) -> Option<PeerId> {
        let asked = self.peers.values().filter(|state| state.is_asked).count();
        let has_turn = |since: Instant| now.saturating_duration_since(since) < LOADING_TURN;
        let is_loading = |state: &Peer| state.is_asked && state.loading_since.is_some_and(has_turn);
        // By its claim alone nobody keeps others from being asked.
        if asked >= MAX_ASKED || self.peers.values().any(is_loading) {
            return None;
        }
        let is_worth_it = |state: &Peer| {
            let claims_more = state.work > best && state.answered_work.is_none_or(|answered| state.work > answered);
            !state.is_asked
                && state.paused_until.is_none_or(|until| until <= now)
                && (state.has_more || state.has_news || claims_more)
        };
        // Whoever is in the middle of it goes on; then whoever was not asked for the longest time; then whoever claims the most.
        let candidates = self.peers.iter_mut().filter(|(_, state)| is_worth_it(state));
        let turn = |state: &Peer| (state.has_more, Reverse(state.last_asked), state.work);
        let (peer, state) = candidates.max_by_key(|(_, state)| turn(state))?;
        state.is_asked = true;
        state.last_asked = Some(now);
        Some(*peer)
    }

    /// What came of asking a peer.
    pub(super) fn answered(&mut self, now: Instant, peer: &PeerId, answered: Answered) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        state.is_asked = false;
        match answered {
            Answered::More => {
                state.has_more = true;
                state.loading_since.get_or_insert(now);
            }
            Answered::All => {
                state.has_more = false;
                state.has_news = false;
                state.loading_since = None;
                state.answered_work = Some(state.work);
            }
            // It goes on where it was, when it is its turn again.
            Answered::Busy(wait) => {
                state.loading_since = None;
                state.paused_until = Some(now + wait.min(FAILURE_PAUSE));
            }
            Answered::Failed => {
                state.has_more = false;
                state.loading_since = None;
                state.paused_until = Some(now + FAILURE_PAUSE);
            }
        }
    }

    /// When somebody may be asked again though nothing happened.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.peers.values().filter_map(|state| state.paused_until).filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests;
