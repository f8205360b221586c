//! The transactions of the pool, and how to find them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bitcoin::{OutPoint, Txid, Wtxid};

use super::limits::RollingMinimumFee;
use super::{GraphIndex, MempoolEntry, MempoolEvent, MempoolOptions, RemovalReason, TxGraph};
use crate::mempool::fees::FeeEstimator;
use crate::primitives::Transaction;

/// Transactions that wait for a block (Core: `CTxMemPool`, `txmempool.h`).
///
/// All of them can be in the next block together: no two spend the same coin, and whatever one spends is in the chain or in
/// another of them.
#[derive(Debug)]
pub struct Mempool {
    pub(super) options: MempoolOptions,
    pub(super) graph: TxGraph,
    /// The transaction of each handle of the graph.
    entries: Vec<Option<MempoolEntry>>,
    by_txid: HashMap<Txid, GraphIndex>,
    by_wtxid: HashMap<Wtxid, GraphIndex>,
    /// Which transaction spends a coin (Core: `mapNextTx`).
    spenders: HashMap<OutPoint, GraphIndex>,
    /// By the time they entered, which is when they expire.
    by_time: BTreeSet<(u64, GraphIndex)>,
    /// What the operator pretends that transactions pay, those that are not here among them (Core: `mapDeltas`).
    pub(super) deltas: BTreeMap<Txid, i64>,
    /// Own transactions that no peer has asked for yet (Core: `m_unbroadcast_txids`).
    pub(super) unbroadcast: BTreeSet<Txid>,
    pub(super) fees: FeeEstimator,
    pub(super) minimum_fee: RollingMinimumFee,
    /// The number of the next change.
    sequence: u64,
    /// Changes so far; what depends on the pool is looked at again when it moved (Core: `nTransactionsUpdated`).
    updates: u64,
    virtual_bytes: u64,
    total_fee: u64,
    entry_memory: usize,
    events: Vec<MempoolEvent>,
    /// Whether anybody takes the events.
    keeps_events: bool,
}

/// The maps beside the one from txids.
pub(super) struct Indices<'a> {
    pub(super) by_wtxid: &'a HashMap<Wtxid, GraphIndex>,
    pub(super) spenders: &'a HashMap<OutPoint, GraphIndex>,
    pub(super) by_time: &'a BTreeSet<(u64, GraphIndex)>,
    pub(super) entry_memory: usize,
}

/// Memory of a transaction's places in the maps, in bytes, as measured.
const MAP_MEMORY_OF_TRANSACTION: usize = 200;
/// Memory of an input's place in the map of spenders, in bytes, as measured.
const MAP_MEMORY_OF_INPUT: usize = 64;

impl Mempool {
    /// A pool without transactions.
    #[must_use]
    pub fn new(options: MempoolOptions) -> Self {
        Self {
            graph: TxGraph::new(options.cluster_limits),
            options,
            entries: Vec::new(),
            by_txid: HashMap::new(),
            by_wtxid: HashMap::new(),
            spenders: HashMap::new(),
            by_time: BTreeSet::new(),
            deltas: BTreeMap::new(),
            unbroadcast: BTreeSet::new(),
            fees: FeeEstimator::new(),
            minimum_fee: RollingMinimumFee::default(),
            sequence: 1,
            updates: 0,
            virtual_bytes: 0,
            total_fee: 0,
            entry_memory: 0,
            events: Vec::new(),
            keeps_events: false,
        }
    }

    /// From now on remembers what happens, for [`take_events`](Self::take_events).
    pub fn keep_events(&mut self) {
        self.keeps_events = true;
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<MempoolEvent> {
        std::mem::take(&mut self.events)
    }

    /// What the operator chose.
    #[must_use]
    pub fn options(&self) -> &MempoolOptions {
        &self.options
    }

    /// Number of transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_txid.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_txid.is_empty()
    }

    /// Sizes of all transactions together, in virtual bytes (Core: `GetTotalTxSize`).
    #[must_use]
    pub fn virtual_bytes(&self) -> u64 {
        self.virtual_bytes
    }

    /// Base fees of all transactions together, in satoshis (Core: `GetTotalFee`).
    #[must_use]
    pub fn total_fee(&self) -> u64 {
        self.total_fee
    }

    /// Memory, in bytes (Core: `DynamicMemoryUsage`).
    #[must_use]
    pub fn memory(&self) -> usize {
        self.graph.memory() + self.entry_memory + self.deltas.len() * 2 * size_of::<(Txid, i64)>()
    }

    /// The number of the last change (Core: `GetSequence`).
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Changes so far.
    #[must_use]
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The transaction with this id.
    #[must_use]
    pub fn get(&self, txid: &Txid) -> Option<&MempoolEntry> {
        Some(self.entry(*self.by_txid.get(txid)?))
    }

    /// The transaction with this hash, its witness included.
    #[must_use]
    pub fn get_by_wtxid(&self, wtxid: &Wtxid) -> Option<&MempoolEntry> {
        Some(self.entry(*self.by_wtxid.get(wtxid)?))
    }

    /// Whether a transaction with this id is here.
    #[must_use]
    pub fn contains(&self, txid: &Txid) -> bool {
        self.by_txid.contains_key(txid)
    }

    /// Whether exactly this transaction is here.
    #[must_use]
    pub fn contains_wtxid(&self, wtxid: &Wtxid) -> bool {
        self.by_wtxid.contains_key(wtxid)
    }

    /// The transaction that spends a coin (Core: `GetConflictTx`).
    #[must_use]
    pub fn spender(&self, outpoint: &OutPoint) -> Option<&MempoolEntry> {
        self.spenders.get(outpoint).map(|&index| self.entry(index))
    }

    /// Every transaction, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &MempoolEntry> {
        self.entries.iter().flatten()
    }

    /// Every transaction with its hash, witness included, in no order: what a compact block is looked through for (Core:
    /// `txns_randomized`, `txmempool.h`).
    pub fn transactions(&self) -> impl Iterator<Item = (Wtxid, &Arc<Transaction>)> {
        self.entries().map(|entry| (entry.tx().wtxid(), &entry.transaction))
    }

    /// Every transaction, in the order in which they would be mined (Core: `GetSortedScoreWithTopology`).
    pub fn entries_by_mining_order(&self) -> impl Iterator<Item = &MempoolEntry> {
        let mut builder = self.graph.block_builder();
        std::iter::from_fn(move || {
            let chunk = builder.current()?;
            builder.include();
            Some(chunk)
        })
        .flat_map(|chunk| chunk.transactions())
        .map(|index| self.entry(index))
    }

    /// The transaction with its unconfirmed ancestors, parents before children.
    #[must_use]
    pub fn ancestors(&self, txid: &Txid) -> Option<Vec<&MempoolEntry>> {
        let index = *self.by_txid.get(txid)?;
        Some(self.graph.ancestors(index).into_iter().map(|index| self.entry(index)).collect())
    }

    /// The transaction with its descendants, parents before children.
    #[must_use]
    pub fn descendants(&self, txid: &Txid) -> Option<Vec<&MempoolEntry>> {
        let index = *self.by_txid.get(txid)?;
        Some(self.graph.descendants(index).into_iter().map(|index| self.entry(index)).collect())
    }

    /// Transactions of the pool whose outputs this one spends, each once, in no particular order.
    #[must_use]
    pub fn parents(&self, entry: &MempoolEntry) -> Vec<&MempoolEntry> {
        self.parents_of(&entry.transaction).into_iter().map(|index| self.entry(index)).collect()
    }

    /// Transactions of the pool that spend its outputs, each once, in no particular order.
    #[must_use]
    pub fn children(&self, entry: &MempoolEntry) -> Vec<&MempoolEntry> {
        self.children_of(&entry.transaction).into_iter().map(|index| self.entry(index)).collect()
    }

    /// The graph of the transactions, for whoever builds a block.
    #[must_use]
    pub fn graph(&self) -> &TxGraph {
        &self.graph
    }

    /// The transaction with a handle of the graph.
    ///
    /// # Panics
    ///
    /// When the handle is not of a transaction that is here.
    #[must_use]
    pub fn entry(&self, index: GraphIndex) -> &MempoolEntry {
        self.entries[index.as_usize()].as_ref().expect("the graph and the pool hold the same transactions")
    }

    /// The handle of a transaction.
    #[must_use]
    pub fn index_of(&self, txid: &Txid) -> Option<GraphIndex> {
        self.by_txid.get(txid).copied()
    }

    pub(super) fn entries_with_indices(&self) -> impl Iterator<Item = (GraphIndex, &MempoolEntry)> {
        self.by_txid.values().map(|&index| (index, self.entry(index)))
    }

    /// What is to agree with the transactions.
    pub(super) fn indices(&self) -> Indices<'_> {
        let Self { by_wtxid, spenders, by_time, entry_memory, .. } = self;
        Indices { by_wtxid, spenders, by_time, entry_memory: *entry_memory }
    }

    pub(super) fn spender_index(&self, outpoint: &OutPoint) -> Option<GraphIndex> {
        self.spenders.get(outpoint).copied()
    }

    pub(super) fn entry_mut(&mut self, index: GraphIndex) -> &mut MempoolEntry {
        self.entries[index.as_usize()].as_mut().expect("the graph and the pool hold the same transactions")
    }

    /// Handles of the parents in the pool, each once.
    pub(super) fn parents_of(&self, transaction: &Transaction) -> Vec<GraphIndex> {
        let mut parents: Vec<_> = transaction
            .as_ref()
            .inputs()
            .filter_map(|input| self.by_txid.get(&input.prevout().txid).copied())
            .collect();
        parents.sort_unstable();
        parents.dedup();
        parents
    }

    /// Handles of the children in the pool, each once.
    pub(super) fn children_of(&self, transaction: &Transaction) -> Vec<GraphIndex> {
        let tx = transaction.as_ref();
        let txid = tx.txid();
        let outputs = 0..u32::try_from(tx.outputs().len()).unwrap_or(u32::MAX);
        let mut children: Vec<_> = outputs.filter_map(|vout| self.spender_index(&OutPoint { txid, vout })).collect();
        children.sort_unstable();
        children.dedup();
        children
    }

    /// Adds what the graph has taken already.
    pub(super) fn insert(&mut self, index: GraphIndex, entry: MempoolEntry) {
        let tx = entry.tx();
        self.by_txid.insert(tx.txid(), index);
        self.by_wtxid.insert(tx.wtxid(), index);
        self.spenders.extend(tx.inputs().map(|input| (input.prevout(), index)));
        self.by_time.insert((entry.time, index));
        self.virtual_bytes += entry.virtual_size() as u64;
        self.total_fee += entry.base_fee.to_sat();
        self.entry_memory += memory_of(&entry);
        self.updates += 1;
        let sequence = self.next_sequence();
        self.tell(|| MempoolEvent::Added { transaction: Arc::clone(&entry.transaction), sequence });
        if self.entries.len() <= index.as_usize() {
            self.entries.resize_with(index.as_usize() + 1, || None);
        }
        self.entries[index.as_usize()] = Some(entry);
    }

    /// Takes transactions out that the graph has lost already (Core: `removeUnchecked`).
    pub(super) fn take_out(&mut self, indices: &[GraphIndex], reason: RemovalReason) -> Vec<MempoolEntry> {
        indices.iter().map(|&index| self.take_out_one(index, reason)).collect()
    }

    fn take_out_one(&mut self, index: GraphIndex, reason: RemovalReason) -> MempoolEntry {
        let entry = self.entries[index.as_usize()].take().expect("the graph and the pool hold the same transactions");
        let tx = entry.tx();
        let txid = tx.txid();
        self.by_txid.remove(&txid);
        self.by_wtxid.remove(&tx.wtxid());
        for input in tx.inputs() {
            self.spenders.remove(&input.prevout());
        }
        self.by_time.remove(&(entry.time, index));
        self.unbroadcast.remove(&txid);
        self.virtual_bytes -= entry.virtual_size() as u64;
        self.total_fee -= entry.base_fee.to_sat();
        self.entry_memory -= memory_of(&entry);
        self.updates += 1;
        if reason != RemovalReason::Block {
            self.fees.remove_transaction(&txid);
        }
        let sequence = self.next_sequence();
        self.tell(|| MempoolEvent::Removed { transaction: Arc::clone(&entry.transaction), reason, sequence });
        entry
    }

    /// Takes transactions out, and all that depend on them.
    pub(super) fn remove_recursive(&mut self, indices: &[GraphIndex], reason: RemovalReason) -> Vec<MempoolEntry> {
        let all = self.graph.descendants_union(indices);
        self.graph.remove(&all);
        self.take_out(&all, reason)
    }

    /// Transactions that entered before a time, in seconds since 1970.
    pub(super) fn entered_before(&self, time: u64) -> Vec<GraphIndex> {
        self.by_time.iter().take_while(|(entered, _)| *entered < time).map(|(_, index)| *index).collect()
    }

    pub(super) fn has_changed(&mut self) {
        self.updates += 1;
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }

    fn tell(&mut self, event: impl FnOnce() -> MempoolEvent) {
        if self.keeps_events {
            self.events.push(event());
        }
    }
}

pub(super) fn memory_of(entry: &MempoolEntry) -> usize {
    entry.memory() + MAP_MEMORY_OF_TRANSACTION + MAP_MEMORY_OF_INPUT * entry.tx().input_count()
}
