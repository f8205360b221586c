//! Which transactions spend which, and the order in which they are mined and evicted.
//!
//! This is the cluster mempool (Core: `TxGraph`, `txgraph.h`). Transactions that are connected, through any mixture of
//! parents and children, are a cluster. A cluster has at most 64 transactions, so that its best order can be had at any time,
//! and is always kept in it. The order falls into chunks, each of which is mined as one; sorted by feerate, the chunks of all
//! clusters are the order in which the whole is mined, and, from behind, evicted.
//!
//! The graph knows no transactions, only handles, fees and sizes. What it decides depends on nothing else than what it was
//! given, so two graphs with the same transactions mine them in the same order.
//!
//! ```text
//! propose ──▶ Proposal: would limits hold? do the diagrams improve? ──▶ apply ──▶ clusters ──▶ chunk_keys
//! remove, set_fee, add_dependencies ────────────────────────────────────────────▶   │            │
//!                                                                     linearize ────┘            └──▶ worst_chunk, block_builder
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `proposal` | changes that are looked at before they are made |
//! | `regroup` | which clusters fall apart and which join when transactions come and go |
//! | `dependencies` | dependencies that appear after a reorganisation, and what must go for them |
//! | `cluster` | a connected component in its order |
//! | `linearize` | the best order of a cluster |
//! | `chunk_order` | chunks of all clusters from best to worst |
//! | `queries` | questions about single transactions |
//! | `partition`, `bits` | joined sets, small sets |

mod bits;
mod chunk_order;
mod cluster;
mod dependencies;
mod linearize;
mod partition;
mod proposal;
mod queries;
mod regroup;

use std::collections::BTreeSet;

use thiserror::Error;

use super::FeeRate;
use chunk_order::ChunkKey;
pub use chunk_order::{BlockBuilder, Chunk};
use cluster::{Cluster, Member};
pub use proposal::{NewTransaction, Parent, Proposal};

/// The most transactions a cluster can have, whatever its limits (Core: `MAX_CLUSTER_COUNT_LIMIT`, `txgraph.h`).
pub const MAX_CLUSTER_COUNT: usize = 64;

/// The largest fee, in satoshis, positive or negative, that a transaction of the graph has: what goes beyond counts as that.
/// It is more than there will ever be, and 64 of them are less than an `i64` holds.
const MAX_FEE: i64 = 1 << 56;

/// How large clusters may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterLimits {
    /// Transactions; more than [`MAX_CLUSTER_COUNT`] are as many as that.
    pub count: usize,
    /// Sum of sizes, in weight units.
    pub size: u64,
}

/// 64 transactions with 101,000 virtual bytes (Core: `DEFAULT_CLUSTER_LIMIT`, `DEFAULT_CLUSTER_SIZE_LIMIT_KVB`,
/// `policy/policy.h`).
impl Default for ClusterLimits {
    fn default() -> Self {
        Self { count: MAX_CLUSTER_COUNT, size: 101_000 * bitcoin::Weight::WITNESS_SCALE_FACTOR }
    }
}

impl ClusterLimits {
    fn check(self, count: usize, size: u64) -> Result<(), ClusterLimitError> {
        let limit = self.count.min(MAX_CLUSTER_COUNT);
        if count > limit {
            return Err(ClusterLimitError::Count { got: count, limit });
        }
        if size > self.size {
            return Err(ClusterLimitError::Size { got: size, limit: self.size });
        }
        Ok(())
    }
}

/// A cluster would be too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClusterLimitError {
    /// It would have too many transactions.
    #[error("cluster has too many transactions: expected at most {limit}, got {got}")]
    Count {
        /// Transactions.
        got: usize,
        /// Transactions it may have.
        limit: usize,
    },
    /// Its transactions would be too large together.
    #[error("cluster is too large: expected at most {limit} weight units, got {got}")]
    Size {
        /// Weight units.
        got: u64,
        /// Weight units it may have.
        limit: u64,
    },
}

impl ClusterLimitError {
    /// Core's reject reason.
    #[must_use]
    pub fn reject_reason(&self) -> &'static str {
        "too-large-cluster"
    }
}

/// The handle of a transaction in a graph. When the transaction leaves, another may get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GraphIndex(u32);

impl GraphIndex {
    fn new(slot: usize) -> Self {
        Self(u32::try_from(slot).expect("memory ends before there are 2^32 transactions"))
    }

    /// A place for it in a vector: handles are the lowest numbers that are not taken.
    #[must_use]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// Where a transaction is.
#[derive(Debug, Clone, Copy)]
struct Slot {
    cluster: u32,
    place: u8,
}

impl Slot {
    /// Nobody has this handle.
    const FREE: Self = Self { cluster: u32::MAX, place: 0 };
}

/// The transactions of a mempool as handles, fees and sizes, with who depends on whom, kept in the order in which they are
/// mined (Core: `TxGraph`, `txgraph.h`).
///
/// Transactions that are connected, through any mixture of parents and children, are a cluster, which [`ClusterLimits`] bound.
/// The order of each cluster is the best there is: at no size does another give a higher fee. It falls into chunks that are
/// each mined as one, and the chunks of all clusters, from the highest feerate to the lowest, are the order of the whole.
/// It depends on nothing but what the graph was given.
#[derive(Debug)]
pub struct TxGraph {
    limits: ClusterLimits,
    /// By handle.
    slots: Vec<Slot>,
    /// Handles to be given again, the last first.
    free: Vec<GraphIndex>,
    clusters: Vec<Option<Cluster>>,
    free_clusters: Vec<u32>,
    /// Of every chunk of every cluster.
    chunk_keys: BTreeSet<ChunkKey>,
    /// Memory of clusters beyond `clusters`, in bytes.
    heap_bytes: usize,
    /// Changes until now, by which a proposal knows the graph it was made for.
    version: u64,
}

impl TxGraph {
    /// An empty graph.
    #[must_use]
    pub fn new(limits: ClusterLimits) -> Self {
        Self {
            limits,
            slots: Vec::new(),
            free: Vec::new(),
            clusters: Vec::new(),
            free_clusters: Vec::new(),
            chunk_keys: BTreeSet::new(),
            heap_bytes: 0,
            version: 0,
        }
    }

    /// How large clusters may be.
    #[must_use]
    pub fn limits(&self) -> ClusterLimits {
        self.limits
    }

    /// Changes the fee of a transaction, in satoshis, and with it the order of its cluster (Core: `SetTransactionFee`).
    ///
    /// # Panics
    ///
    /// When the graph does not have it.
    pub fn set_fee(&mut self, index: GraphIndex, fee: i64) {
        let (cluster, place) = self.locate(index);
        let mut members: cluster::Members = cluster.members().into();
        let fee_rate = &mut members[place].fee_rate;
        *fee_rate = bounded(FeeRate { fee, ..*fee_rate });
        let id = self.slot(index).cluster;
        self.replace_clusters(&[id], [Cluster::linearize(members)]);
    }

    /// Puts clusters in the place of others. Transactions that are in none of the new ones keep their slots.
    fn replace_clusters(&mut self, old: &[u32], new: impl IntoIterator<Item = Cluster>) {
        self.version += 1;
        for id in old {
            let cluster = self.clusters[*id as usize].take().expect("a transaction is in a cluster that exists");
            self.heap_bytes -= cluster.heap_bytes();
            for key in cluster.chunk_keys(*id) {
                self.chunk_keys.remove(&key);
            }
            self.free_clusters.push(*id);
        }
        for cluster in new {
            let id = self.free_clusters.pop().unwrap_or_else(|| {
                self.clusters.push(None);
                u32::try_from(self.clusters.len() - 1).expect("there are at most as many clusters as handles")
            });
            for (place, member) in (0..).zip(cluster.members()) {
                self.slots[member.index.as_usize()] = Slot { cluster: id, place };
            }
            self.chunk_keys.extend(cluster.chunk_keys(id));
            self.heap_bytes += cluster.heap_bytes();
            self.clusters[id as usize] = Some(cluster);
        }
    }

    fn slot(&self, index: GraphIndex) -> Slot {
        let slot = self.slots.get(index.as_usize()).copied().unwrap_or(Slot::FREE);
        assert_ne!(slot.cluster, Slot::FREE.cluster, "the handle of a transaction that left the graph");
        slot
    }

    fn cluster_at(&self, id: u32) -> &Cluster {
        self.clusters[id as usize].as_ref().expect("a transaction is in a cluster that exists")
    }

    /// The cluster of a transaction, and its place there.
    fn locate(&self, index: GraphIndex) -> (&Cluster, usize) {
        let slot = self.slot(index);
        (self.cluster_at(slot.cluster), usize::from(slot.place))
    }

    fn member(&self, index: GraphIndex) -> &Member {
        let (cluster, place) = self.locate(index);
        &cluster.members()[place]
    }
}

/// A fee rate of which 64 can be added up, and that is no division by zero.
pub(super) fn bounded(fee_rate: FeeRate) -> FeeRate {
    FeeRate { fee: fee_rate.fee.clamp(-MAX_FEE, MAX_FEE), size: fee_rate.size.clamp(1, u64::from(u32::MAX)) }
}

#[cfg(test)]
mod tests;
