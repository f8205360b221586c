//! Random operations, compared with a model that keeps a list and looks through all of it for every answer.

use super::*;
use proptest::prelude::*;

const PEERS: u64 = 5;

struct ModelAnnouncement {
    transaction: Arc<Transaction>,
    peer: PeerNumber,
    reconsider: bool,
}

/// Announcements, the oldest first.
struct Model {
    announcements: Vec<ModelAnnouncement>,
    max_latency_score: u64,
    reserved_weight: u64,
}

fn weight(transaction: &Transaction) -> u64 {
    transaction.as_ref().weight() as u64
}

fn input_score(transaction: &Transaction) -> u64 {
    transaction.as_ref().input_count() as u64 / 10
}

impl Model {
    fn have(&self, transaction: &Transaction) -> bool {
        self.announcements.iter().any(|announcement| *announcement.transaction == *transaction)
    }

    fn have_from(&self, transaction: &Transaction, peer: PeerNumber) -> bool {
        self.of(peer).any(|announcement| *announcement.transaction == *transaction)
    }

    fn of(&self, peer: PeerNumber) -> impl DoubleEndedIterator<Item = &ModelAnnouncement> {
        self.announcements.iter().filter(move |announcement| announcement.peer == peer)
    }

    fn unique(&self) -> Vec<&Arc<Transaction>> {
        let mut unique: Vec<_> = self.announcements.iter().map(|announcement| &announcement.transaction).collect();
        unique.sort_by_key(|transaction| wtxid(transaction));
        unique.dedup();
        unique
    }

    fn peers(&self) -> BTreeSet<PeerNumber> {
        self.announcements.iter().map(|announcement| announcement.peer).collect()
    }

    fn latency_score(&self) -> u64 {
        self.announcements.len() as u64 + self.unique().iter().map(|transaction| input_score(transaction)).sum::<u64>()
    }

    fn weight(&self) -> u64 {
        self.unique().iter().map(|transaction| weight(transaction)).sum()
    }

    fn usage(&self, peer: PeerNumber) -> (u64, u64) {
        let latency = self.of(peer).map(|announcement| 1 + input_score(&announcement.transaction)).sum();
        (latency, self.of(peer).map(|announcement| weight(&announcement.transaction)).sum())
    }

    fn needs_trim(&self) -> bool {
        let peers = (self.peers().len() as u64).max(1);
        self.latency_score() > self.max_latency_score || self.weight() > peers * self.reserved_weight
    }

    /// Evicts one by one, from the peer that is worst just now.
    fn limit(&mut self) {
        let share = (self.max_latency_score / (self.peers().len() as u64).max(1)).max(1);
        while self.needs_trim() {
            // Numerators over a common denominator, then whether it is the latency, which has the smaller one here.
            let worst = self.peers().into_iter().max_by_key(|peer| {
                let (latency, weight) = self.usage(*peer);
                let (latency, weight) = (latency * self.reserved_weight, weight * share);
                (latency.max(weight), latency >= weight, *peer)
            });
            let worst = worst.unwrap();
            let candidates = || self.announcements.iter().enumerate().filter(|(_, each)| each.peer == worst);
            let index = candidates().find(|(_, each)| !each.reconsider).or_else(|| candidates().next()).unwrap().0;
            self.announcements.remove(index);
        }
    }

    fn add(&mut self, transaction: &Arc<Transaction>, peer: PeerNumber) -> bool {
        let is_new = !self.have(transaction);
        if !self.have_from(transaction, peer) {
            let transaction = Arc::clone(transaction);
            self.announcements.push(ModelAnnouncement { transaction, peer, reconsider: false });
        }
        self.limit();
        is_new
    }

    fn erase(&mut self, mut doomed: impl FnMut(&ModelAnnouncement) -> bool) {
        self.announcements.retain(|announcement| !doomed(announcement));
        self.limit();
    }

    /// As the orphanage does when it always picks the announcer at `choice`.
    fn add_children(&mut self, parent: &Transaction, choice: usize) -> Vec<(Wtxid, PeerNumber)> {
        let mut added = Vec::new();
        for vout in 0..2 {
            let outpoint = output(parent, vout);
            let spends = |orphan: &Transaction| orphan.as_ref().inputs().any(|input| input.prevout() == outpoint);
            let orphans: Vec<Arc<Transaction>> =
                self.unique().into_iter().filter(|orphan| spends(orphan)).cloned().collect();
            for orphan in orphans {
                let mut all: Vec<_> =
                    self.announcements.iter_mut().filter(|announcement| announcement.transaction == orphan).collect();
                if all.iter().any(|announcement| announcement.reconsider) {
                    continue;
                }
                all.sort_by_key(|announcement| announcement.peer);
                let chosen = choice % all.len();
                all[chosen].reconsider = true;
                added.push((wtxid(&orphan), all[chosen].peer));
            }
        }
        added
    }

    fn next_to_reconsider(&mut self, peer: PeerNumber) -> Option<Arc<Transaction>> {
        let mut all = self.announcements.iter_mut();
        let next = all.find(|announcement| announcement.peer == peer && announcement.reconsider)?;
        next.reconsider = false;
        Some(Arc::clone(&next.transaction))
    }

    fn children(&self, parent: &Txid, peer: PeerNumber) -> Vec<Arc<Transaction>> {
        let spends = |orphan: &Transaction| orphan.as_ref().inputs().any(|input| input.prevout().txid == *parent);
        let mut children: Vec<_> = self.of(peer).rev().filter(|each| spends(&each.transaction)).collect();
        children.sort_by_key(|announcement| !announcement.reconsider);
        children.into_iter().map(|announcement| Arc::clone(&announcement.transaction)).collect()
    }

    fn orphans(&self) -> Vec<OrphanInfo> {
        let announcers = |orphan: &Arc<Transaction>| {
            self.announcements.iter().filter(|each| each.transaction == *orphan).map(|each| each.peer).collect()
        };
        let info = |orphan| OrphanInfo { transaction: Arc::clone(orphan), announcers: announcers(orphan) };
        self.unique().into_iter().map(info).collect()
    }
}

/// A family of transactions: parents, and children of one, two or many inputs, some of them large.
fn family() -> (Vec<Arc<Transaction>>, Vec<Arc<Transaction>>) {
    let parents: Vec<_> = (0..4).map(numbered).collect();
    let mut children = Vec::new();
    for (index, parent) in parents.iter().enumerate() {
        let next = &parents[(index + 1) % parents.len()];
        children.push(build(&[output(parent, 0)], 1, 20, 1));
        children.push(build(&[output(parent, 0)], 1, 20, 2));
        children.push(build(&[output(parent, 1), output(next, 0)], 2, 20, 1));
        children.push(build(&[output(parent, 0), output(parent, 0)], 3, 300 * (index + 1), 1));
        let mut many: Vec<_> = (0..9 + 8 * u32::try_from(index).unwrap()).map(unknown).collect();
        many.push(output(parent, 0));
        children.push(build(&many, 4, 20, 1));
    }
    (parents, children)
}

proptest! {
    #[test]
    fn the_orphanage_does_what_the_model_does(
        max_latency_score in 1u64..40,
        reserved_weight in 300u64..9000,
        operations in prop::collection::vec((0u8..12, 0usize..20, 0..PEERS), 0..120),
    ) {
        let (parents, children) = family();
        let mut orphanage = TxOrphanage::new(max_latency_score, reserved_weight);
        let mut model = Model { announcements: Vec::new(), max_latency_score, reserved_weight };
        for (operation, index, peer) in operations {
            let (transaction, parent) = (&children[index], &parents[index % parents.len()]);
            let peer = PeerNumber(peer);
            match operation {
                0..5 => prop_assert_eq!(orphanage.add_tx(transaction, peer), model.add(transaction, peer)),
                5 => {
                    let added = model.have(transaction) && !model.have_from(transaction, peer);
                    if added {
                        model.add(transaction, peer);
                    }
                    prop_assert_eq!(orphanage.add_announcer(&wtxid(transaction), peer), added);
                }
                6 => {
                    prop_assert_eq!(orphanage.erase_tx(&wtxid(transaction)), model.have(transaction));
                    model.erase(|each| each.transaction == *transaction);
                }
                7 if index < 8 => {
                    orphanage.erase_for_peer(peer);
                    model.erase(|each| each.peer == peer);
                }
                8 => {
                    let pair = [transaction, &children[(index + 7) % children.len()]];
                    orphanage.erase_for_block(&block(&pair));
                    let spent: BTreeSet<OutPoint> =
                        pair.iter().flat_map(|tx| Transaction::as_ref(tx).inputs()).map(|input| input.prevout()).collect();
                    model.erase(|each| {
                        Transaction::as_ref(&each.transaction).inputs().any(|input| spent.contains(&input.prevout()))
                    });
                }
                9 => prop_assert_eq!(orphanage.get_tx_to_reconsider(peer), model.next_to_reconsider(peer)),
                _ => {
                    let added = orphanage.add_children_to_work_set(Transaction::as_ref(parent), &mut |_| index);
                    prop_assert_eq!(added, model.add_children(parent, index));
                }
            }
            orphanage.announcements.check();
            prop_assert!(!orphanage.needs_trim());
            prop_assert_eq!(orphanage.get_orphan_transactions(), model.orphans());
            prop_assert_eq!(orphanage.count_announcements(), model.announcements.len());
            prop_assert_eq!(orphanage.total_latency_score(), model.latency_score());
            prop_assert_eq!(orphanage.total_orphan_usage(), model.weight());
            for peer in (0..PEERS).map(PeerNumber) {
                let usage = (orphanage.latency_score_from_peer(peer), orphanage.usage_by_peer(peer));
                prop_assert_eq!(usage, model.usage(peer));
                prop_assert_eq!(
                    orphanage.have_tx_to_reconsider(peer),
                    model.of(peer).any(|announcement| announcement.reconsider)
                );
                let parent = txid(parent);
                prop_assert_eq!(orphanage.get_children_from_same_peer(&parent, peer), model.children(&parent, peer));
            }
        }
    }
}
