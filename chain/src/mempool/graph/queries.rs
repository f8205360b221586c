//! Questions about transactions of the graph.

use super::bits::{Bits, bit};
use super::chunk_order::ChunkKey;
use super::cluster::Cluster;
use super::{GraphIndex, Slot, TxGraph};
use crate::mempool::FeeRate;

impl TxGraph {
    /// Number of transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are no transactions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a transaction has this handle.
    #[must_use]
    pub fn contains(&self, index: GraphIndex) -> bool {
        self.slots.get(index.as_usize()).is_some_and(|slot| slot.cluster != Slot::FREE.cluster)
    }

    /// About how much memory the transactions take, in bytes (Core: `GetMainMemoryUsage`).
    ///
    /// It counts what is there and not what vectors have reserved, so that it falls when transactions leave: what evicts
    /// until enough memory is free must get there.
    #[must_use]
    pub fn memory(&self) -> usize {
        // Nodes of the tree are two thirds full or more, but have pointers and counts.
        let chunk = size_of::<ChunkKey>() * 3 / 2;
        let clusters = self.clusters.len() - self.free_clusters.len();
        self.len() * size_of::<Slot>()
            + clusters * size_of::<Option<Cluster>>()
            + self.heap_bytes
            + self.chunk_keys.len() * chunk
    }

    /// A transaction's own fee in satoshis, and its size in weight units.
    ///
    /// # Panics
    ///
    /// When the graph does not have it.
    #[must_use]
    pub fn fee_rate(&self, index: GraphIndex) -> FeeRate {
        self.member(index).fee_rate
    }

    /// Fee and size of the chunk a transaction is mined with (Core: `GetMainChunkFeerate`).
    ///
    /// # Panics
    ///
    /// When the graph does not have it.
    #[must_use]
    pub fn chunk_fee_rate(&self, index: GraphIndex) -> FeeRate {
        let (cluster, place) = self.locate(index);
        cluster.chunk_fee_rate(cluster.chunk_of(place))
    }

    /// All transactions connected with a transaction, in the order they are mined (Core: `GetCluster`).
    ///
    /// # Panics
    ///
    /// When the graph does not have it.
    #[must_use]
    pub fn cluster(&self, index: GraphIndex) -> Vec<GraphIndex> {
        let (cluster, _) = self.locate(index);
        cluster.indexes(cluster.all()).collect()
    }

    /// A transaction and its ancestors, in the order they are mined (Core: `GetAncestors`).
    ///
    /// # Panics
    ///
    /// When the graph does not have it.
    #[must_use]
    pub fn ancestors(&self, index: GraphIndex) -> Vec<GraphIndex> {
        let (cluster, place) = self.locate(index);
        cluster.indexes(cluster.ancestors(place)).collect()
    }

    /// A transaction and its descendants, in the order they are mined (Core: `GetDescendants`).
    ///
    /// # Panics
    ///
    /// When the graph does not have it.
    #[must_use]
    pub fn descendants(&self, index: GraphIndex) -> Vec<GraphIndex> {
        let (cluster, place) = self.locate(index);
        cluster.indexes(cluster.descendants_union(bit(place))).collect()
    }

    /// Transactions and their ancestors, each once: cluster after cluster, in the order they are mined (Core:
    /// `GetAncestorsUnion`).
    ///
    /// # Panics
    ///
    /// When the graph does not have one of them.
    #[must_use]
    pub fn ancestors_union(&self, of: &[GraphIndex]) -> Vec<GraphIndex> {
        let ancestors = |(id, places)| {
            let cluster = self.cluster_at(id);
            cluster.indexes(cluster.ancestors_union(places))
        };
        self.places_by_cluster(of).into_iter().flat_map(ancestors).collect()
    }

    /// Transactions and their descendants, each once: cluster after cluster, in the order they are mined (Core:
    /// `GetDescendantsUnion`).
    ///
    /// # Panics
    ///
    /// When the graph does not have one of them.
    #[must_use]
    pub fn descendants_union(&self, of: &[GraphIndex]) -> Vec<GraphIndex> {
        let descendants = |(id, places)| {
            let cluster = self.cluster_at(id);
            cluster.indexes(cluster.descendants_union(places))
        };
        self.places_by_cluster(of).into_iter().flat_map(descendants).collect()
    }

    /// In how many clusters transactions are (Core: `CountDistinctClusters`).
    ///
    /// # Panics
    ///
    /// When the graph does not have one of them.
    #[must_use]
    pub fn count_distinct_clusters(&self, of: &[GraphIndex]) -> usize {
        self.places_by_cluster(of).len()
    }

    /// The places of transactions, by cluster.
    pub(super) fn places_by_cluster(&self, of: &[GraphIndex]) -> Vec<(u32, Bits)> {
        let place = |index: &GraphIndex| {
            let slot = self.slot(*index);
            (slot.cluster, bit(usize::from(slot.place)))
        };
        let mut places: Vec<(u32, Bits)> = of.iter().map(place).collect();
        places.sort_unstable();
        places.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 |= next.1;
            }
            same
        });
        places
    }
}
