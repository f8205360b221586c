//! Transactions that wait for another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::Wtxid;
use cairn_chain::mempool::orphanage::{PeerNumber, TxOrphanage};
use cairn_chain::primitives::{Block, Transaction};
use cairn_net::{PeerId, ValidationToken};

/// How long a verdict may be put off: when more heartbeats have passed, gossip has forgotten the message.
const TOKEN_TIME: Duration = Duration::from_secs(8);

/// Transactions that wait for another, and the numbers by which the orphanage knows peers.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    orphanage: TxOrphanage,
    numbers: HashMap<PeerId, PeerNumber>,
    last: u64,
    /// What to report the verdict with, once there is one.
    tokens: HashMap<Wtxid, (Instant, ValidationToken)>,
}

/// A transaction that waited for another.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) transaction: Arc<Transaction>,
    /// Who sent it.
    pub(super) source: PeerId,
    /// What to report the verdict with, if that is not too late.
    pub(super) token: Option<ValidationToken>,
}

impl Orphans {
    /// A peer sent a transaction whose parents are not known.
    pub(super) fn add(&mut self, now: Instant, peer: PeerId, transaction: &Arc<Transaction>, token: ValidationToken) {
        self.last += 1;
        let number = *self.numbers.entry(peer).or_insert(PeerNumber(self.last));
        self.orphanage.add_tx(transaction, number);
        self.tokens.retain(|_, (since, _)| now.saturating_duration_since(*since) < TOKEN_TIME);
        self.tokens.insert(wtxid(transaction), (now, token));
    }

    /// A transaction is in the pool: the orphans that waited for it.
    pub(super) fn take_children(&mut self, parent: &Transaction) -> Vec<Child> {
        // All of them are looked at now, so it may be known whose turn it is.
        let ready = self.orphanage.add_children_to_work_set(parent.as_ref(), &mut |_| 0);
        let mut children = Vec::new();
        for (wtxid, number) in ready {
            let source = self.numbers.iter().find(|(_, of_peer)| **of_peer == number).map(|(peer, _)| *peer);
            let transaction = self.orphanage.get_tx(&wtxid).cloned();
            self.orphanage.erase_tx(&wtxid);
            let token = self.tokens.remove(&wtxid).map(|(_, token)| token);
            if let (Some(transaction), Some(source)) = (transaction, source) {
                children.push(Child { transaction, source, token });
            }
        }
        children
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.orphanage.count_unique_orphans() == 0
    }

    /// A block was connected.
    pub(super) fn block_connected(&mut self, block: &Block) {
        self.orphanage.erase_for_block(block);
    }

    /// A peer has gone.
    pub(super) fn peer_disconnected(&mut self, peer: &PeerId) {
        if let Some(number) = self.numbers.remove(peer) {
            self.orphanage.erase_for_peer(number);
        }
    }
}

fn wtxid(transaction: &Transaction) -> Wtxid {
    transaction.as_ref().wtxid()
}
