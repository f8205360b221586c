//! By how much a peer exceeds its share.

use std::cmp::Ordering;

use super::PeerNumber;

/// What a peer's announcements use (Core: `PeerDoSInfo`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PeerUsage {
    pub(super) announcements: usize,
    /// Weight units.
    pub(super) weight: u64,
    pub(super) latency_score: u64,
}

/// The larger of two fractions, how much of its share of latency score and of weight a peer uses (Core: `GetDosScore`).
///
/// Of equal fractions the one with the smaller share is larger, which makes a peer go first that has too many announcements
/// rather than too heavy ones (Core: `ByRatioNegSize`, `util/feefrac.h`); of the same fractions that of the later peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct DosScore {
    used: u64,
    share: u64,
    pub(super) peer: PeerNumber,
}

impl DosScore {
    pub(super) fn new(peer: PeerNumber, usage: &PeerUsage, max_latency_score: u64, max_weight: u64) -> Self {
        let latency = Self { used: usage.latency_score, share: max_latency_score, peer };
        let weight = Self { used: usage.weight, share: max_weight, peer };
        latency.max(weight)
    }
}

impl Ord for DosScore {
    fn cmp(&self, other: &Self) -> Ordering {
        let crossed = |used: u64, share: u64| u128::from(used) * u128::from(share);
        crossed(self.used, other.share)
            .cmp(&crossed(other.used, self.share))
            .then_with(|| other.share.cmp(&self.share))
            .then_with(|| self.peer.cmp(&other.peer))
    }
}

impl PartialOrd for DosScore {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DosScore {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for DosScore {}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(peer: u64, latency_score: u64, weight: u64) -> DosScore {
        DosScore::new(PeerNumber(peer), &PeerUsage { announcements: 1, weight, latency_score }, 10, 1000)
    }

    #[test]
    fn the_larger_fraction_counts() {
        assert_eq!((score(0, 5, 600).used, score(0, 5, 600).share), (600, 1000));
        assert_eq!((score(0, 7, 600).used, score(0, 7, 600).share), (7, 10));
        assert_eq!((score(0, 6, 600).used, score(0, 6, 600).share), (6, 10), "the smaller share of equal fractions");
    }

    #[test]
    fn scores_are_ordered_by_fraction_share_and_peer() {
        assert!(score(9, 5, 0) < score(0, 6, 0));
        assert!(score(0, 0, 601) > score(9, 6, 0));
        assert!(score(9, 0, 600) < score(0, 6, 0), "weight goes after latency");
        assert!(score(1, 6, 0) > score(0, 6, 0), "the later peer goes first");
        assert!(score(1, u64::MAX, u64::MAX) > score(1, u64::MAX - 1, u64::MAX - 1));
    }
}
