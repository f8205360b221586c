//! Chunks of all clusters, from best to worst.

use std::cmp::Ordering;
use std::collections::{HashSet, btree_set};

use super::cluster::Member;
use super::{GraphIndex, TxGraph};
use crate::mempool::FeeRate;

/// The place of a chunk among those of all clusters (Core: `CompareMainTransactions`, `txgraph.cpp`).
///
/// The highest rate goes first; then the one with the smallest size of chunks of that rate in its cluster, up to and with
/// itself, which orders those of one cluster; then the one whose highest order key is the lowest.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkKey {
    pub(super) fee_rate: FeeRate,
    /// Size of the chunks of this rate in the cluster, up to and with this one, in weight units.
    pub(super) equal_size: u64,
    /// The highest of its transactions.
    pub(super) order_key: u64,
    pub(super) cluster: u32,
    pub(super) chunk: usize,
}

impl Ord for ChunkKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let ties = |key: &Self| (key.equal_size, key.order_key, key.cluster, key.chunk);
        other.fee_rate.cmp_rate(self.fee_rate).then_with(|| ties(self).cmp(&ties(other)))
    }
}

impl PartialOrd for ChunkKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ChunkKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ChunkKey {}

/// Transactions of one cluster that are mined together: the best part of what is left of the cluster once the chunks
/// before are mined.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    fee_rate: FeeRate,
    members: &'a [Member],
}

impl<'a> Chunk<'a> {
    /// Its fee in satoshis, and its size in weight units.
    #[must_use]
    pub fn fee_rate(&self) -> FeeRate {
        self.fee_rate
    }

    /// Its transactions, parents before children.
    #[must_use]
    pub fn transactions(&self) -> impl DoubleEndedIterator<Item = GraphIndex> + ExactSizeIterator + use<'a> {
        self.members.iter().map(|member| member.index)
    }
}

impl TxGraph {
    /// The chunk that is mined last, with its transactions so that children come before parents: what to evict (Core:
    /// `GetWorstMainChunk`). Nothing when the graph is empty.
    #[must_use]
    pub fn worst_chunk(&self) -> Option<(Vec<GraphIndex>, FeeRate)> {
        let chunk = self.chunk(self.chunk_keys.last()?);
        Some((chunk.transactions().rev().collect(), chunk.fee_rate))
    }

    /// All chunks from best to worst, to fill a block with (Core: `GetBlockBuilder`).
    #[must_use]
    pub fn block_builder(&self) -> BlockBuilder<'_> {
        let mut keys = self.chunk_keys.iter();
        BlockBuilder { graph: self, current: keys.next(), keys, skipped: HashSet::new() }
    }

    /// The chunks of the cluster of a transaction, from best to worst.
    ///
    /// # Panics
    ///
    /// When the graph does not have it.
    pub fn cluster_chunks(&self, index: GraphIndex) -> impl Iterator<Item = Chunk<'_>> {
        let (cluster, _) = self.locate(index);
        (0..cluster.chunk_count())
            .map(|chunk| Chunk { fee_rate: cluster.chunk_fee_rate(chunk), members: cluster.chunk_members(chunk) })
    }

    /// Which of two transactions is mined first: that one is less (Core: `CompareMainOrder`).
    ///
    /// # Panics
    ///
    /// When the graph does not have one of them.
    #[must_use]
    pub fn compare_main_order(&self, a: GraphIndex, b: GraphIndex) -> Ordering {
        let place = |index| {
            let (cluster, place) = self.locate(index);
            (cluster.chunk_keys(self.slot(index).cluster).nth(cluster.chunk_of(place)), place)
        };
        place(a).cmp(&place(b))
    }

    fn chunk(&self, key: &ChunkKey) -> Chunk<'_> {
        Chunk { fee_rate: key.fee_rate, members: self.cluster_at(key.cluster).chunk_members(key.chunk) }
    }
}

/// Offers chunks from best to worst (Core: `TxGraph::BlockBuilder`).
#[derive(Debug)]
pub struct BlockBuilder<'a> {
    graph: &'a TxGraph,
    current: Option<&'a ChunkKey>,
    keys: btree_set::Iter<'a, ChunkKey>,
    /// Clusters of which nothing more may follow.
    skipped: HashSet<u32>,
}

impl<'a> BlockBuilder<'a> {
    /// The chunk on offer; nothing at the end.
    #[must_use]
    pub fn current(&self) -> Option<Chunk<'a>> {
        self.current.map(|key| self.graph.chunk(key))
    }

    /// Takes the chunk and goes to the next.
    pub fn include(&mut self) {
        self.current = self.keys.find(|key| !self.skipped.contains(&key.cluster));
    }

    /// Leaves the chunk out and goes to the next of another cluster, as those after it in its own may depend on it.
    pub fn skip(&mut self) {
        if let Some(key) = self.current
            && key.chunk + 1 < self.graph.cluster_at(key.cluster).chunk_count()
        {
            self.skipped.insert(key.cluster);
        }
        self.include();
    }
}
