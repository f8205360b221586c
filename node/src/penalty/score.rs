//! What a peer did so far, and what follows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cairn_net::PeerId;

/// Misbehaviour at which a connection ends.
const DISCONNECT: f64 = 20.0;
/// Misbehaviour at which a peer may not come back for a while.
const BAN: f64 = 50.0;
/// Half of what a peer did is forgotten after so long.
const HALF_LIFE: Duration = Duration::from_secs(600);
/// Less than this is forgotten.
const FORGOTTEN: f64 = 0.5;
/// Peers that are remembered. Beyond that, those who did the least are forgotten.
const MAX_PEERS: usize = 4096;

/// What follows from what a peer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Nothing yet.
    None,
    /// The connection ends. The peer may come back.
    Disconnect,
    /// It may not come back for a while.
    Ban,
}

/// What each peer did, where it counts. A peer that leaves and comes back is not forgiven by that.
#[derive(Debug, Default)]
pub(crate) struct PeerScores {
    peers: HashMap<PeerId, Score>,
}

#[derive(Debug, Clone, Copy)]
struct Score {
    misbehaviour: f64,
    at: Instant,
}

impl Score {
    fn now(&self, now: Instant) -> f64 {
        let half_lives = now.saturating_duration_since(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.misbehaviour * (-half_lives).exp2()
    }
}

impl PeerScores {
    /// Counts something against a peer.
    pub(crate) fn misbehaved(&mut self, now: Instant, peer: PeerId, misbehaviour: i32) -> Consequence {
        if misbehaviour <= 0 {
            return Consequence::None;
        }
        self.forget(now);
        let score = self.peers.entry(peer).or_insert(Score { misbehaviour: 0.0, at: now });
        let before = score.now(now);
        // What happens to an honest peer on a bad day ends its connection, as often as it happens, and never bans it.
        let most = if f64::from(misbehaviour) < BAN { before.max(DISCONNECT) } else { f64::INFINITY };
        *score = Score { misbehaviour: (before + f64::from(misbehaviour)).min(most), at: now };
        match score.misbehaviour {
            ban if ban >= BAN => Consequence::Ban,
            disconnect if disconnect >= DISCONNECT => Consequence::Disconnect,
            _ => Consequence::None,
        }
    }

    /// A peer was forgiven, or pays for what it did: it starts anew.
    pub(crate) fn clear(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    fn forget(&mut self, now: Instant) {
        if self.peers.len() < MAX_PEERS {
            return;
        }
        self.peers.retain(|_, score| score.now(now) >= FORGOTTEN);
        if self.peers.len() >= MAX_PEERS {
            let least = self.peers.iter().min_by(|(_, one), (_, other)| one.now(now).total_cmp(&other.now(now)));
            if let Some(least) = least.map(|(peer, _)| *peer) {
                self.peers.remove(&least);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_honest_node_does_bans_at_once() {
        let (now, peer) = (Instant::now(), PeerId::random());
        assert_eq!(PeerScores::default().misbehaved(now, peer, 100), Consequence::Ban);
        assert_eq!(PeerScores::default().misbehaved(now, peer, 0), Consequence::None);
    }

    #[test]
    fn small_things_add_up_and_are_forgotten() {
        let (now, peer) = (Instant::now(), PeerId::random());
        let mut scores = PeerScores::default();
        for _ in 0..3 {
            assert_eq!(scores.misbehaved(now, peer, 5), Consequence::None);
        }
        assert_eq!(scores.misbehaved(now, peer, 5), Consequence::Disconnect);
        let later = now + HALF_LIFE * 2;
        assert_eq!(scores.misbehaved(later, peer, 5), Consequence::None, "a quarter of 20 is left");
        scores.clear(&peer);
        assert!(scores.peers.is_empty());
    }

    #[test]
    fn no_number_of_small_things_bans() {
        let (now, peer) = (Instant::now(), PeerId::random());
        let mut scores = PeerScores::default();
        for _ in 0..100 {
            assert_ne!(scores.misbehaved(now, peer, 5), Consequence::Ban);
        }
        assert_eq!(scores.misbehaved(now, peer, 100), Consequence::Ban);
    }

    #[test]
    fn no_more_peers_are_remembered_than_fit() {
        let now = Instant::now();
        let mut scores = PeerScores::default();
        let worst = PeerId::random();
        scores.misbehaved(now, worst, 40);
        for _ in 0..2 * MAX_PEERS {
            scores.misbehaved(now, PeerId::random(), 1);
        }
        assert!(scores.peers.len() <= MAX_PEERS);
        assert_eq!(scores.misbehaved(now, worst, 1), Consequence::Disconnect, "the worst are remembered");
    }
}
