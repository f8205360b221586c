//! Transactions whose parents are missing (Core: `node/txorphanage.{h,cpp}`).
//!
//! An orphan cannot be told from a transaction that spends nothing real, so whoever sends them must not choose our memory or
//! time. Each *announcement*, an orphan together with a peer that has it, counts against its peer, by two measures: weight,
//! and a latency score for the work of looking through it. Each peer has a share of both that nobody can take from it. Beyond
//! its share a peer may use what others leave; when all together use too much, the peer that exceeds its share the most loses
//! its oldest announcements. An orphan stays as long as one announcement does.
//!
//! | file | holds |
//! |---|---|
//! | `announcements` | the announcements, and all that is counted and indexed with them |
//! | `dos_score` | by how much a peer exceeds its share |

mod announcements;
mod dos_score;

use std::collections::{BTreeSet, BinaryHeap};
use std::fmt;
use std::sync::Arc;

use bitcoin::{OutPoint, Txid, Wtxid};

use crate::primitives::{Block, Transaction, TransactionRef};
use announcements::Announcements;
use dos_score::{DosScore, PeerUsage};

/// Weight units of orphans that nobody can take from a peer (Core: `DEFAULT_RESERVED_ORPHAN_WEIGHT_PER_PEER`).
pub const DEFAULT_RESERVED_ORPHAN_WEIGHT_PER_PEER: u64 = 404_000;

/// The highest latency score of all orphans together (Core: `DEFAULT_MAX_ORPHANAGE_LATENCY_SCORE`).
pub const DEFAULT_MAX_ORPHANAGE_LATENCY_SCORE: u64 = 3000;

/// Heavier transactions, in weight units, are no orphans worth keeping (Core: `MAX_STANDARD_TX_WEIGHT`, `policy/policy.h`).
const MAX_ORPHAN_WEIGHT: usize = 400_000;

/// A peer, by a number of its own that is never used again; higher ones connected later (Core: `NodeId`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerNumber(pub u64);

impl fmt::Display for PeerNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An orphan and the peers that announced it (Core: `TxOrphanage::OrphanInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanInfo {
    /// The orphan.
    pub transaction: Arc<Transaction>,
    /// The peers that have it.
    pub announcers: BTreeSet<PeerNumber>,
}

/// The orphans (Core: `TxOrphanage`). They are known by their hash with witness: anyone can make others with the same txid.
#[derive(Debug)]
pub struct TxOrphanage {
    announcements: Announcements,
    max_global_latency_score: u64,
    reserved_weight_per_peer: u64,
}

impl Default for TxOrphanage {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_ORPHANAGE_LATENCY_SCORE, DEFAULT_RESERVED_ORPHAN_WEIGHT_PER_PEER)
    }
}

impl TxOrphanage {
    /// An empty orphanage with limits other than Core's: the highest latency score of all orphans, and the weight units
    /// reserved for each peer. Limits of zero count as one.
    #[must_use]
    pub fn new(max_global_latency_score: u64, reserved_weight_per_peer: u64) -> Self {
        Self {
            announcements: Announcements::default(),
            max_global_latency_score: max_global_latency_score.max(1),
            reserved_weight_per_peer: reserved_weight_per_peer.max(1),
        }
    }

    /// Adds an orphan that a peer sent, and tells whether it is new; whoever else sends it becomes one more announcer (Core:
    /// `AddTx`). Transactions heavier than standard ones are ignored. It may be evicted at once, if the peer has others that
    /// are to be reconsidered.
    pub fn add_tx(&mut self, transaction: &Arc<Transaction>, peer: PeerNumber) -> bool {
        if Transaction::as_ref(transaction).weight() > MAX_ORPHAN_WEIGHT {
            return false;
        }
        let is_new = !self.have_tx(&Transaction::as_ref(transaction).wtxid());
        let added = self.announcements.insert(Arc::clone(transaction), peer);
        self.limit_orphans();
        is_new && added
    }

    /// Adds a peer to the announcers of an orphan, and tells whether it was none before; does nothing when there is no such
    /// orphan (Core: `AddAnnouncer`).
    pub fn add_announcer(&mut self, wtxid: &Wtxid, peer: PeerNumber) -> bool {
        let Some(transaction) = self.announcements.transaction(wtxid) else { return false };
        let added = self.announcements.insert(Arc::clone(transaction), peer);
        self.limit_orphans();
        added
    }

    /// The orphan with a hash (Core: `GetTx`).
    #[must_use]
    pub fn get_tx(&self, wtxid: &Wtxid) -> Option<&Arc<Transaction>> {
        self.announcements.transaction(wtxid)
    }

    /// Whether there is an orphan with this hash (Core: `HaveTx`).
    #[must_use]
    pub fn have_tx(&self, wtxid: &Wtxid) -> bool {
        self.announcements.transaction(wtxid).is_some()
    }

    /// Whether there is an orphan with this hash that the peer announced (Core: `HaveTxFromPeer`).
    #[must_use]
    pub fn have_tx_from_peer(&self, wtxid: &Wtxid, peer: PeerNumber) -> bool {
        self.announcements.contains(wtxid, peer)
    }

    /// The oldest orphan in a peer's work set, which leaves the set but not the orphanage (Core: `GetTxToReconsider`).
    pub fn get_tx_to_reconsider(&mut self, peer: PeerNumber) -> Option<Arc<Transaction>> {
        let wtxid = self.announcements.first_to_reconsider(peer)?;
        self.announcements.set_reconsider(&wtxid, peer, false);
        self.announcements.transaction(&wtxid).cloned()
    }

    /// Whether a peer's work set holds anything (Core: `HaveTxToReconsider`).
    #[must_use]
    pub fn have_tx_to_reconsider(&self, peer: PeerNumber) -> bool {
        self.announcements.first_to_reconsider(peer).is_some()
    }

    /// Removes an orphan, whoever announced it, and tells whether there was one (Core: `EraseTx`).
    pub fn erase_tx(&mut self, wtxid: &Wtxid) -> bool {
        let erased = self.erase_all_of(wtxid);
        // The peers whose last orphan it was leave with their reserved weight.
        self.limit_orphans();
        erased
    }

    /// Removes the announcements of a peer that left, and the orphans that nobody else announced (Core: `EraseForPeer`).
    pub fn erase_for_peer(&mut self, peer: PeerNumber) {
        while let Some(wtxid) = self.announcements.first_to_evict(peer) {
            self.announcements.remove(&wtxid, peer);
        }
        self.limit_orphans();
    }

    /// Removes the orphans that a block contains or conflicts with (Core: `EraseForBlock`).
    pub fn erase_for_block(&mut self, block: &Block) {
        if self.announcements.len() == 0 {
            return;
        }
        let inputs = block.transactions().flat_map(TransactionRef::inputs);
        let spenders: BTreeSet<Wtxid> =
            inputs.filter_map(|input| self.announcements.spenders(&input.prevout())).flatten().copied().collect();
        for wtxid in &spenders {
            self.erase_all_of(wtxid);
        }
        self.limit_orphans();
    }

    /// Puts the orphans that spend an output of `parent` into the work set of one of their announcers each, unless they are
    /// in one, and returns which into whose (Core: `AddChildrenToWorkSet`).
    ///
    /// `random_below` is asked for a number below the one it is given, and its choice must not be predictable: a peer that
    /// knew it would be chosen could keep the orphan from being reconsidered.
    pub fn add_children_to_work_set(
        &mut self,
        parent: TransactionRef<'_>,
        random_below: &mut dyn FnMut(usize) -> usize,
    ) -> Vec<(Wtxid, PeerNumber)> {
        let mut added = Vec::new();
        for (vout, _) in (0u32..).zip(parent.outputs()) {
            let outpoint = OutPoint { txid: parent.txid(), vout };
            let spenders: Vec<Wtxid> = self.announcements.spenders(&outpoint).into_iter().flatten().copied().collect();
            for wtxid in spenders {
                if self.announcements.is_to_be_reconsidered(&wtxid) {
                    continue;
                }
                let announcers: Vec<PeerNumber> = self.announcements.announcers(&wtxid).collect();
                let Some(chosen) = random_below(announcers.len()).checked_rem(announcers.len()) else { continue };
                let peer = announcers[chosen];
                self.announcements.set_reconsider(&wtxid, peer, true);
                added.push((wtxid, peer));
            }
        }
        added
    }

    /// The orphans that spend an output of the transaction `parent` and that the peer announced: those in its work set first,
    /// the newest first among equals (Core: `GetChildrenFromSamePeer`).
    #[must_use]
    pub fn get_children_from_same_peer(&self, parent: &Txid, peer: PeerNumber) -> Vec<Arc<Transaction>> {
        let spends_parent = |transaction: &&Arc<Transaction>| {
            Transaction::as_ref(transaction).inputs().any(|input| input.prevout().txid == *parent)
        };
        self.announcements.newest_of_peer(peer).filter(spends_parent).cloned().collect()
    }

    /// All orphans, in the order of their hashes (Core: `GetOrphanTransactions`).
    #[must_use]
    pub fn get_orphan_transactions(&self) -> Vec<OrphanInfo> {
        self.announcements.orphans()
    }

    /// Number of orphans.
    #[must_use]
    pub fn count_unique_orphans(&self) -> usize {
        self.announcements.unique_orphans()
    }

    /// Number of announcements: an orphan counts once for each of its announcers.
    #[must_use]
    pub fn count_announcements(&self) -> usize {
        self.announcements.len()
    }

    /// Number of orphans that a peer announced.
    #[must_use]
    pub fn announcements_from_peer(&self, peer: PeerNumber) -> usize {
        self.announcements.usage(peer).announcements
    }

    /// Weight units of all orphans.
    #[must_use]
    pub fn total_orphan_usage(&self) -> u64 {
        self.announcements.unique_weight()
    }

    /// Weight units of the orphans that a peer announced, others' announcements or not.
    #[must_use]
    pub fn usage_by_peer(&self, peer: PeerNumber) -> u64 {
        self.announcements.usage(peer).weight
    }

    /// Latency score of the whole: one for each announcement, and one for every ten inputs of each orphan.
    #[must_use]
    pub fn total_latency_score(&self) -> u64 {
        self.announcements.latency_score()
    }

    /// Latency score of a peer's announcements, each of which counts one, and one more for every ten inputs.
    #[must_use]
    pub fn latency_score_from_peer(&self, peer: PeerNumber) -> u64 {
        self.announcements.usage(peer).latency_score
    }

    /// The highest latency score of the whole.
    #[must_use]
    pub fn max_global_latency_score(&self) -> u64 {
        self.max_global_latency_score
    }

    /// The share of the latency score that every peer has: all that have orphans share alike.
    #[must_use]
    pub fn max_peer_latency_score(&self) -> u64 {
        self.max_global_latency_score / self.peers()
    }

    /// Weight units that every peer has.
    #[must_use]
    pub fn reserved_peer_usage(&self) -> u64 {
        self.reserved_weight_per_peer
    }

    /// The highest weight of the whole, in weight units: what is reserved for all peers that have orphans.
    #[must_use]
    pub fn max_global_usage(&self) -> u64 {
        self.reserved_weight_per_peer.saturating_mul(self.peers())
    }

    /// Peers that have orphans; at least one.
    fn peers(&self) -> u64 {
        (self.announcements.peers().len() as u64).max(1)
    }

    fn needs_trim(&self) -> bool {
        self.total_latency_score() > self.max_global_latency_score
            || self.total_orphan_usage() > self.max_global_usage()
    }

    /// Evicts until the whole is within its limits: from whichever peer exceeds its share the most, its oldest announcement;
    /// those that wait to be reconsidered go last (Core: `LimitOrphans`).
    fn limit_orphans(&mut self) {
        if !self.needs_trim() {
            return;
        }
        // The share as it is now, although peers may lose their last orphan meanwhile. There can be more peers than scores
        // to share.
        let max_latency_score = self.max_peer_latency_score().max(1);
        let max_weight = self.reserved_weight_per_peer;
        let score = |peer, usage: &PeerUsage| DosScore::new(peer, usage, max_latency_score, max_weight);
        let mut worst_first: BinaryHeap<DosScore> =
            self.announcements.peers().iter().map(|(peer, usage)| score(*peer, usage)).collect();
        while self.needs_trim() {
            let Some(DosScore { peer, .. }) = worst_first.pop() else { break };
            let Some(wtxid) = self.announcements.first_to_evict(peer) else { continue };
            self.announcements.remove(&wtxid, peer);
            if let Some(usage) = self.announcements.peers().get(&peer) {
                worst_first.push(score(peer, usage));
            }
        }
    }

    fn erase_all_of(&mut self, wtxid: &Wtxid) -> bool {
        let announcers: Vec<PeerNumber> = self.announcements.announcers(wtxid).collect();
        for peer in &announcers {
            self.announcements.remove(wtxid, *peer);
        }
        !announcers.is_empty()
    }
}

#[cfg(test)]
mod tests;
