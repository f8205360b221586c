//! Whom to ask for headers.
//!
//! While a peer sends full answers there are more, and nobody else is asked: every peer would send the same ones. Once one peer has
//! no more, all others are asked that claim more work than we know of, or announced a header whose parent we do not know: a peer
//! that hides the best chain hides nothing that any other peer has (Core: `fSyncStarted`, `net_processing.cpp`).

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
        if asked >= MAX_ASKED || self.peers.values().any(is_loading) {
            return None;
        }
        let is_worth_it = |state: &Peer| {
            let claims_more = state.work > best && state.answered_work.is_none_or(|answered| state.work > answered);
            !state.is_asked
                && state.paused_until.is_none_or(|until| until <= now)
                && (state.has_more || state.has_news || claims_more)
        };
        // Whoever is in the middle of it goes on; then whoever claims the most.
        let candidates = self.peers.iter_mut().filter(|(_, state)| is_worth_it(state));
        let (peer, state) = candidates.max_by_key(|(_, state)| (state.has_more, state.work))?;
        state.is_asked = true;
        if state.work > best {
            // Who is far ahead has many to send, until the answers say otherwise.
            state.loading_since.get_or_insert(now);
        }
        Some(*peer)
    }

    /// What came of asking a peer.
    pub(super) fn answered(&mut self, now: Instant, peer: &PeerId, answered: Answered) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        state.is_asked = false;
        state.has_more = answered == Answered::More;
        if !state.has_more {
            state.loading_since = None;
        }
        match answered {
            Answered::More => {}
            Answered::All => {
                state.has_news = false;
                state.answered_work = Some(state.work);
            }
            Answered::Failed => state.paused_until = Some(now + FAILURE_PAUSE),
        }
    }

    /// When somebody may be asked again though nothing happened.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.peers.values().filter_map(|state| state.paused_until).filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers<const COUNT: usize>() -> [PeerId; COUNT] {
        std::array::from_fn(|_| PeerId::random())
    }

    fn work(blocks: u8) -> Work {
        let mut bytes = [0; 32];
        bytes[31] = blocks;
        Work::from_be_bytes(bytes)
    }

    #[test]
    fn one_peer_is_asked_until_it_has_no_more() {
        let (now, [first, second]) = (Instant::now(), peers());
        let mut sync = HeaderSync::default();
        sync.peer_claims(first, work(9));
        sync.peer_claims(second, work(8));
        for _ in 0..3 {
            assert_eq!(sync.ask(now, work(1)), Some(first));
            assert_eq!(sync.ask(now, work(1)), None);
            sync.answered(now, &first, Answered::More);
        }
        assert_eq!(sync.ask(now, work(5)), Some(first));
        sync.answered(now, &first, Answered::All);
        assert_eq!(sync.ask(now, work(9)), None, "nobody claims more");
    }

    #[test]
    fn who_claims_more_than_another_had_is_asked_too() {
        let (now, [liar, honest]) = (Instant::now(), peers());
        let mut sync = HeaderSync::default();
        sync.peer_claims(liar, work(9));
        sync.peer_claims(honest, work(8));
        assert_eq!(sync.ask(now, work(1)), Some(liar));
        sync.answered(now, &liar, Answered::All);
        assert_eq!(sync.ask(now, work(2)), Some(honest));
        sync.answered(now, &honest, Answered::All);
        assert_eq!(sync.ask(now, work(2)), None, "both had their turn");
        sync.peer_claims(honest, work(10));
        assert_eq!(sync.ask(now, work(2)), Some(honest));
    }

    #[test]
    fn who_fails_waits_while_others_are_asked() {
        let (now, [first, second]) = (Instant::now(), peers());
        let mut sync = HeaderSync::default();
        sync.peer_claims(first, work(9));
        sync.peer_claims(second, work(8));
        assert_eq!(sync.ask(now, work(1)), Some(first));
        sync.answered(now, &first, Answered::Failed);
        assert_eq!(sync.ask(now, work(1)), Some(second));
        sync.answered(now, &second, Answered::Failed);
        assert_eq!(sync.ask(now, work(1)), None);
        let due = sync.next_due(now).unwrap();
        assert_eq!(sync.ask(due, work(1)), Some(first));
    }

    #[test]
    fn who_is_slow_does_not_keep_others_from_being_asked() {
        let (now, [slow, honest]) = (Instant::now(), peers());
        let mut sync = HeaderSync::default();
        sync.peer_claims(slow, work(9));
        sync.peer_claims(honest, work(8));
        assert_eq!(sync.ask(now, work(1)), Some(slow));
        sync.answered(now, &slow, Answered::More);
        assert_eq!(sync.ask(now, work(1)), Some(slow));
        assert_eq!(sync.ask(now, work(1)), None);
        assert_eq!(sync.ask(now + LOADING_TURN, work(1)), Some(honest));
    }

    #[test]
    fn news_are_asked_for_whatever_a_peer_claims() {
        let (now, [peer]) = (Instant::now(), peers());
        let mut sync = HeaderSync::default();
        sync.peer_claims(peer, work(1));
        assert_eq!(sync.ask(now, work(5)), None);
        sync.peer_has_news(peer);
        assert_eq!(sync.ask(now, work(5)), Some(peer));
        sync.answered(now, &peer, Answered::All);
        assert_eq!(sync.ask(now, work(5)), None);
        sync.remove_peer(&peer);
        sync.peer_has_news(peer);
        assert_eq!(sync.ask(now, work(5)), None);
    }
}
