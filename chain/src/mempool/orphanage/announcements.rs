//! The announcements, and all that is counted and indexed with them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Wtxid};

use super::{OrphanInfo, PeerNumber, PeerUsage};
use crate::primitives::Transaction;

/// So many inputs of an orphan count as much as one announcement does (Core: `Announcement::GetLatencyScore`).
const INPUTS_PER_LATENCY_SCORE: usize = 10;

/// Orphans, each with the peers that announced it. All else is derived, and changes with them.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    by_wtxid: BTreeMap<(Wtxid, PeerNumber), Announcement>,
    /// Whose they are, whether they wait to be reconsidered, and their numbers: in the order in which a peer's are evicted.
    by_peer: BTreeMap<(PeerNumber, bool, u64), Wtxid>,
    /// Number of the next announcement.
    next_sequence: u64,
    /// The orphans that spend an output.
    spenders: HashMap<OutPoint, BTreeSet<Wtxid>>,
    /// The orphans that wait to be reconsidered, each by one announcement.
    to_be_reconsidered: BTreeSet<Wtxid>,
    /// The peers that have announcements.
    peers: BTreeMap<PeerNumber, PeerUsage>,
    unique_orphans: usize,
    /// Weight units of all orphans.
    unique_weight: u64,
    /// What the inputs of all orphans add to the latency score.
    unique_input_score: u64,
}

/// An orphan that a peer announced.
#[derive(Debug)]
struct Announcement {
    transaction: Arc<Transaction>,
    sequence: u64,
    /// Whether it is in the peer's work set.
    reconsider: bool,
}

impl Announcements {
    /// Adds one, and tells whether it was not there.
    pub(super) fn insert(&mut self, transaction: Arc<Transaction>, peer: PeerNumber) -> bool {
        let tx = Transaction::as_ref(&transaction);
        let wtxid = tx.wtxid();
        if self.contains(&wtxid, peer) {
            return false;
        }
        let (weight, input_score) = (weight(&transaction), input_score(&transaction));
        if self.transaction(&wtxid).is_none() {
            for input in tx.inputs() {
                self.spenders.entry(input.prevout()).or_default().insert(wtxid);
            }
            self.unique_orphans += 1;
            self.unique_weight += weight;
            self.unique_input_score += input_score;
        }
        let usage = self.peers.entry(peer).or_default();
        usage.announcements += 1;
        usage.weight += weight;
        usage.latency_score += 1 + input_score;

        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.by_peer.insert((peer, false, sequence), wtxid);
        self.by_wtxid.insert((wtxid, peer), Announcement { transaction, sequence, reconsider: false });
        true
    }

    /// Takes one out, if it is there, and the orphan with the last.
    pub(super) fn remove(&mut self, wtxid: &Wtxid, peer: PeerNumber) {
        let Some(Announcement { transaction, sequence, reconsider }) = self.by_wtxid.remove(&(*wtxid, peer)) else {
            return;
        };
        self.by_peer.remove(&(peer, reconsider, sequence));
        if reconsider {
            self.to_be_reconsidered.remove(wtxid);
        }
        let (weight, input_score) = (weight(&transaction), input_score(&transaction));
        if let Some(usage) = self.peers.get_mut(&peer) {
            usage.announcements -= 1;
            usage.weight -= weight;
            usage.latency_score -= 1 + input_score;
            // A peer without orphans has no share, and is not remembered for ever.
            if usage.announcements == 0 {
                self.peers.remove(&peer);
            }
        }
        if self.transaction(wtxid).is_none() {
            for input in Transaction::as_ref(&transaction).inputs() {
                let prevout = input.prevout();
                if let Some(spenders) = self.spenders.get_mut(&prevout) {
                    spenders.remove(wtxid);
                    if spenders.is_empty() {
                        self.spenders.remove(&prevout);
                    }
                }
            }
            self.unique_orphans -= 1;
            self.unique_weight -= weight;
            self.unique_input_score -= input_score;
        }
    }

    /// Puts an announcement into its peer's work set, or takes it out.
    pub(super) fn set_reconsider(&mut self, wtxid: &Wtxid, peer: PeerNumber, reconsider: bool) {
        let Some(announcement) = self.by_wtxid.get_mut(&(*wtxid, peer)) else { return };
        self.by_peer.remove(&(peer, announcement.reconsider, announcement.sequence));
        announcement.reconsider = reconsider;
        self.by_peer.insert((peer, reconsider, announcement.sequence), *wtxid);
        if reconsider {
            self.to_be_reconsidered.insert(*wtxid);
        } else {
            self.to_be_reconsidered.remove(wtxid);
        }
    }

    pub(super) fn contains(&self, wtxid: &Wtxid, peer: PeerNumber) -> bool {
        self.by_wtxid.contains_key(&(*wtxid, peer))
    }

    pub(super) fn transaction(&self, wtxid: &Wtxid) -> Option<&Arc<Transaction>> {
        self.of(wtxid).next().map(|(_, announcement)| &announcement.transaction)
    }

    /// The peers that announced an orphan, in order.
    pub(super) fn announcers(&self, wtxid: &Wtxid) -> impl Iterator<Item = PeerNumber> {
        self.of(wtxid).map(|((_, peer), _)| *peer)
    }

    fn of(&self, wtxid: &Wtxid) -> impl Iterator<Item = (&(Wtxid, PeerNumber), &Announcement)> {
        self.by_wtxid.range((*wtxid, PeerNumber(0))..=(*wtxid, PeerNumber(u64::MAX)))
    }

    /// The orphans that spend an output, if any do.
    pub(super) fn spenders(&self, outpoint: &OutPoint) -> Option<&BTreeSet<Wtxid>> {
        self.spenders.get(outpoint)
    }

    pub(super) fn is_to_be_reconsidered(&self, wtxid: &Wtxid) -> bool {
        self.to_be_reconsidered.contains(wtxid)
    }

    /// The oldest orphan in a peer's work set.
    pub(super) fn first_to_reconsider(&self, peer: PeerNumber) -> Option<Wtxid> {
        self.by_peer.range((peer, true, 0)..=(peer, true, u64::MAX)).next().map(|(_, wtxid)| *wtxid)
    }

    /// The oldest orphan of a peer; one in its work set only when all are.
    pub(super) fn first_to_evict(&self, peer: PeerNumber) -> Option<Wtxid> {
        self.of_peer(peer).next().map(|(_, wtxid)| *wtxid)
    }

    /// The orphans of a peer: those in its work set first, the newest first among equals.
    pub(super) fn newest_of_peer(&self, peer: PeerNumber) -> impl Iterator<Item = &Arc<Transaction>> {
        self.of_peer(peer).rev().filter_map(move |(_, wtxid)| {
            self.by_wtxid.get(&(*wtxid, peer)).map(|announcement| &announcement.transaction)
        })
    }

    fn of_peer(&self, peer: PeerNumber) -> impl DoubleEndedIterator<Item = (&(PeerNumber, bool, u64), &Wtxid)> {
        self.by_peer.range((peer, false, 0)..=(peer, true, u64::MAX))
    }

    /// All orphans with their announcers, in the order of their hashes.
    pub(super) fn orphans(&self) -> Vec<OrphanInfo> {
        let mut orphans: Vec<OrphanInfo> = Vec::with_capacity(self.unique_orphans);
        let mut last = Wtxid::all_zeros();
        for ((wtxid, peer), announcement) in &self.by_wtxid {
            match orphans.last_mut() {
                Some(orphan) if last == *wtxid => {
                    orphan.announcers.insert(*peer);
                }
                _ => orphans.push(OrphanInfo {
                    transaction: Arc::clone(&announcement.transaction),
                    announcers: BTreeSet::from([*peer]),
                }),
            }
            last = *wtxid;
        }
        orphans
    }

    /// Number of announcements.
    pub(super) fn len(&self) -> usize {
        self.by_wtxid.len()
    }

    pub(super) fn unique_orphans(&self) -> usize {
        self.unique_orphans
    }

    pub(super) fn unique_weight(&self) -> u64 {
        self.unique_weight
    }

    /// One for each announcement, and what the inputs of each orphan add.
    pub(super) fn latency_score(&self) -> u64 {
        self.by_wtxid.len() as u64 + self.unique_input_score
    }

    /// What a peer uses.
    pub(super) fn usage(&self, peer: PeerNumber) -> PeerUsage {
        self.peers.get(&peer).copied().unwrap_or_default()
    }

    /// The peers that have announcements, and what they use.
    pub(super) fn peers(&self) -> &BTreeMap<PeerNumber, PeerUsage> {
        &self.peers
    }

    /// Checks all that is derived against the announcements (Core: `SanityCheck`).
    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut unique = BTreeMap::new();
        let mut spenders: HashMap<OutPoint, BTreeSet<Wtxid>> = HashMap::new();
        let mut peers: BTreeMap<PeerNumber, PeerUsage> = BTreeMap::new();
        let mut to_be_reconsidered = BTreeSet::new();
        for ((wtxid, peer), announcement) in &self.by_wtxid {
            let Announcement { transaction, sequence, reconsider } = announcement;
            assert_eq!(Transaction::as_ref(transaction).wtxid(), *wtxid);
            assert_eq!(self.by_peer.get(&(*peer, *reconsider, *sequence)), Some(wtxid));
            assert!(*sequence < self.next_sequence);
            unique.insert(*wtxid, (weight(transaction), input_score(transaction)));
            for input in Transaction::as_ref(transaction).inputs() {
                spenders.entry(input.prevout()).or_default().insert(*wtxid);
            }
            let usage = peers.entry(*peer).or_default();
            usage.announcements += 1;
            usage.weight += weight(transaction);
            usage.latency_score += 1 + input_score(transaction);
            if *reconsider {
                assert!(to_be_reconsidered.insert(*wtxid), "one announcement for each orphan");
            }
        }
        assert_eq!(self.by_peer.len(), self.by_wtxid.len());
        assert_eq!(self.spenders, spenders);
        assert_eq!(self.peers, peers);
        assert_eq!(self.to_be_reconsidered, to_be_reconsidered);
        assert_eq!(self.unique_orphans, unique.len());
        assert_eq!(self.unique_weight, unique.values().map(|(weight, _)| weight).sum::<u64>());
        assert_eq!(self.unique_input_score, unique.values().map(|(_, score)| score).sum::<u64>());
    }
}

/// Weight units.
fn weight(transaction: &Transaction) -> u64 {
    transaction.as_ref().weight() as u64
}

fn input_score(transaction: &Transaction) -> u64 {
    (transaction.as_ref().input_count() / INPUTS_PER_LATENCY_SCORE) as u64
}
