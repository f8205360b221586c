//! Changes that are looked at before they are made.

use super::cluster::Cluster;
use super::regroup::{Changes, Regrouped};
use super::{ClusterLimitError, GraphIndex, Slot, TxGraph};
use crate::mempool::FeeRate;

/// A transaction to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewTransaction<'a> {
    /// Its fee in satoshis, with what its priority was changed by, and its weight, or what its signature operations count for
    /// if that is more (Core: `GetSigOpsAdjustedWeight`, `policy/policy.cpp`). The graph takes fees beyond 2^56 satoshis,
    /// positive or negative, for that, and sizes for at least 1 and at most 2^32 - 1.
    pub fee_rate: FeeRate,
    /// Of transactions and chunks that are otherwise equal, the lower goes first. Core compares txids, which the first eight
    /// bytes as a big-endian number do as well.
    pub order_key: u64,
    /// The transactions in the graph, or to be added, whose outputs it spends. Repeats do no harm.
    pub parents: &'a [Parent],
}

/// A parent of a transaction to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// It is in the graph.
    Existing(GraphIndex),
    /// It is added before, at this position of the same list.
    Added(usize),
}

/// What the graph would be after some changes, all within its limits (Core: the staging level of `TxGraph`).
#[derive(Debug, Clone)]
pub struct Proposal {
    version: u64,
    removed: Vec<GraphIndex>,
    added: Vec<GraphIndex>,
    /// Clusters that go.
    old: Vec<u32>,
    /// Their chunks, in no order.
    old_chunks: Vec<FeeRate>,
    /// Clusters that come.
    new: Vec<Cluster>,
}

impl Proposal {
    /// The handles the added transactions will have, in their order.
    #[must_use]
    pub fn added(&self) -> &[GraphIndex] {
        &self.added
    }

    /// The removed transactions, each once.
    #[must_use]
    pub fn removed(&self) -> &[GraphIndex] {
        &self.removed
    }

    /// The chunks of all clusters that change, from best to worst: before and after. Whether the miner gains, they tell when
    /// they are [compared](crate::mempool::compare_diagrams) (Core: `GetMainStagingDiagrams`).
    #[must_use]
    pub fn diagrams(&self) -> (Vec<FeeRate>, Vec<FeeRate>) {
        let mut old = self.old_chunks.clone();
        let mut new: Vec<FeeRate> = self.new.iter().flat_map(Cluster::chunk_fee_rates).collect();
        for chunks in [&mut old, &mut new] {
            chunks.sort_by(|a, b| b.cmp_rate(*a));
        }
        (old, new)
    }

    /// An added transaction and its ancestors, which may be of the graph or added with it, in the order they would be mined.
    ///
    /// # Panics
    ///
    /// When there are not as many added transactions.
    #[must_use]
    pub fn ancestors(&self, added: usize) -> Vec<GraphIndex> {
        let (cluster, place) = self.locate(added);
        cluster.indexes(cluster.ancestors(place)).collect()
    }

    /// Fee and size of the chunk an added transaction would be mined with.
    ///
    /// # Panics
    ///
    /// When there are not as many added transactions.
    #[must_use]
    pub fn chunk_fee_rate(&self, added: usize) -> FeeRate {
        let (cluster, place) = self.locate(added);
        cluster.chunk_fee_rate(cluster.chunk_of(place))
    }

    fn locate(&self, added: usize) -> (&Cluster, usize) {
        let index = self.added[added];
        let place = |cluster: &Cluster| cluster.members().iter().position(|member| member.index == index);
        let found = self.new.iter().find_map(|cluster| Some((cluster, place(cluster)?)));
        found.expect("every added transaction is in a new cluster")
    }
}

impl TxGraph {
    /// Finds what the graph would be without `removed` and with `added`, and changes nothing.
    ///
    /// Just those named are removed, so name their descendants too. A transaction that stays, though, keeps its dependency
    /// on any other that does (Core: `RemoveTransaction`, `txgraph.h`). A parent that is removed is no parent.
    ///
    /// # Errors
    ///
    /// When a cluster would be too large; nothing has been linearized then, so that this costs little.
    ///
    /// # Panics
    ///
    /// When the graph does not have one of those that are named, or a parent does not come before its child.
    pub fn propose(&self, removed: &[GraphIndex], added: &[NewTransaction<'_>]) -> Result<Proposal, ClusterLimitError> {
        self.propose_with_dependencies(removed, added, &[])
    }

    /// As [`TxGraph::propose`], with dependencies among transactions of the graph.
    pub(super) fn propose_with_dependencies(
        &self,
        removed: &[GraphIndex],
        added: &[NewTransaction<'_>],
        dependencies: &[(GraphIndex, GraphIndex)],
    ) -> Result<Proposal, ClusterLimitError> {
        let mut removed = removed.to_vec();
        removed.sort_unstable();
        removed.dedup();
        let reused = self.free.iter().rev().copied();
        let indexes = reused.chain((self.slots.len()..).map(GraphIndex::new)).take(added.len()).collect::<Vec<_>>();
        let changes = Changes { removed: &removed, added, added_indexes: &indexes, dependencies };
        let Regrouped { old, new } = self.regroup(&changes)?;
        let old_chunks = old.iter().flat_map(|id| self.cluster_at(*id).chunk_fee_rates()).collect();
        Ok(Proposal { version: self.version, removed, added: indexes, old, old_chunks, new })
    }

    /// Makes the changes of a proposal. Returns the handles of the added transactions, in their order.
    ///
    /// # Panics
    ///
    /// When the graph is not as it was when the proposal was made.
    pub fn apply(&mut self, proposal: Proposal) -> Vec<GraphIndex> {
        let Proposal { version, removed, added, old, new, .. } = proposal;
        assert_eq!(version, self.version, "a proposal for a graph that has changed since");
        for _ in &added {
            if self.free.pop().is_none() {
                self.slots.push(Slot::FREE);
            }
        }
        self.replace_clusters(&old, new);
        for index in &removed {
            self.slots[index.as_usize()] = Slot::FREE;
        }
        self.free.extend(removed);
        added
    }

    /// Removes transactions: mined, expired or evicted ones. Those that stay keep their dependencies on each other, also
    /// where one of the removed stood between (Core: `RemoveTransaction`). Repeats do no harm.
    ///
    /// # Panics
    ///
    /// When the graph does not have one of them.
    pub fn remove(&mut self, removed: &[GraphIndex]) {
        if removed.is_empty() {
            return;
        }
        let proposal = self.propose(removed, &[]).expect("clusters that lose transactions stay within limits");
        self.apply(proposal);
    }
}
