//! Dependencies that appear after transactions do.
//!
//! When a reorganisation brings the transactions of a block back, their children may be in the graph already. Once parents
//! and children are joined, clusters may exceed the limits, and something has to go.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::bits::bit;
use super::partition::{Partition, Total};
use super::{GraphIndex, TxGraph};
use crate::mempool::FeeRate;

impl TxGraph {
    /// Adds dependencies between transactions of the graph, each a parent and its child, and removes transactions, always
    /// with their descendants, until all clusters are within the limits again. Returns the removed ones, in no order (Core:
    /// `AddDependency` and `Trim`, `txgraph.cpp`).
    ///
    /// Give all at once: then every cluster is linearized once. A dependency that is there already, that would close a
    /// cycle or that names a transaction the graph does not have is ignored. What goes is the worst by and large, but it is
    /// not sought for long: within a cluster, all that stand behind a removed transaction go too. If there is a cycle in
    /// what must be trimmed, it goes.
    pub fn add_dependencies(&mut self, dependencies: &[(GraphIndex, GraphIndex)]) -> Vec<GraphIndex> {
        let fresh: Vec<(GraphIndex, GraphIndex)> =
            dependencies.iter().copied().filter(|it| self.is_fresh(*it)).collect();
        if fresh.is_empty() {
            return Vec::new();
        }
        let removed = self.trim(&fresh);
        let proposal = self
            .propose_with_dependencies(&removed, &[], &fresh)
            .expect("what trimming leaves joined is within limits, and no more is joined now");
        self.apply(proposal);
        removed
    }

    fn is_fresh(&self, (parent, child): (GraphIndex, GraphIndex)) -> bool {
        if !self.contains(parent) || !self.contains(child) {
            return false;
        }
        let (parent, child) = (self.slot(parent), self.slot(child));
        let ancestors = |child: super::Slot| self.cluster_at(child.cluster).ancestors(usize::from(child.place));
        parent.cluster != child.cluster || ancestors(child) & bit(usize::from(parent.place)) == 0
    }

    /// Chooses what to remove so that the rest is within limits once dependencies are added.
    fn trim(&self, dependencies: &[(GraphIndex, GraphIndex)]) -> Vec<GraphIndex> {
        let mut ids: Vec<u32> = dependencies
            .iter()
            .flat_map(|(parent, child)| [*parent, *child])
            .map(|index| self.slot(index).cluster)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let node =
            |index| ids.binary_search(&self.slot(index).cluster).expect("the cluster of every dependency is listed");
        let total = |id: &u32| {
            let cluster = self.cluster_at(*id);
            Total { count: cluster.members().len(), size: cluster.total().size }
        };
        let mut partition = Partition::new(ids.iter().map(total));
        for (parent, child) in dependencies {
            partition.join(node(*parent), node(*child));
        }
        let mut clusters: Vec<(usize, u32)> =
            ids.iter().enumerate().map(|(node, id)| (partition.root(node), *id)).collect();
        clusters.sort_unstable();
        let mut links: Vec<(usize, (GraphIndex, GraphIndex))> =
            dependencies.iter().map(|link| (partition.root(node(link.1)), *link)).collect();
        links.sort_unstable();
        let (mut removed, mut links) = (Vec::new(), &links[..]);
        for group in clusters.chunk_by(|a, b| a.0 == b.0) {
            let root = group[0].0;
            let (own, rest) = links.split_at(links.partition_point(|(of, _)| *of == root));
            links = rest;
            let Total { count, size } = partition.total(root);
            if self.limits.check(count, size).is_err() {
                let mut trim = Trim::new(self, group.iter().map(|(_, id)| *id));
                trim.connect(own.iter().map(|(_, link)| *link));
                removed.extend(trim.remove());
            }
        }
        removed
    }
}

/// The choice of what stays of clusters that would be too large together.
///
/// They are merged into one order by the feerates of their chunks, and whoever would join too many or too much to those it
/// depends on stays out. Within a cluster each transaction is taken to depend on the one before, which keeps its order (Core:
/// `Trim`, `txgraph.cpp`).
struct Trim<'a> {
    graph: &'a TxGraph,
    /// Clusters in order, each with its first node.
    clusters: Vec<(u32, usize)>,
    nodes: Vec<Node>,
    by_parent: Vec<(usize, usize)>,
    by_child: Vec<(usize, usize)>,
}

struct Node {
    index: GraphIndex,
    ready: Ready,
    /// Parents that were not included yet.
    missing: usize,
    size: u64,
    included: bool,
}

/// A transaction whose parents were all included.
#[derive(Clone, Copy)]
struct Ready {
    chunk_fee_rate: FeeRate,
    order_key: u64,
    node: usize,
}

/// The best is the greatest: the highest rate of the chunk, then the smallest chunk, then the lowest order key.
impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        let ties = |it: &Self| (it.chunk_fee_rate.size, it.order_key, it.node);
        self.chunk_fee_rate.cmp_rate(other.chunk_fee_rate).then_with(|| ties(other).cmp(&ties(self)))
    }
}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ready {}

impl<'a> Trim<'a> {
    fn new(graph: &'a TxGraph, ids: impl Iterator<Item = u32>) -> Self {
        let (mut clusters, mut nodes) = (Vec::new(), Vec::new());
        for id in ids {
            clusters.push((id, nodes.len()));
            let cluster = graph.cluster_at(id);
            for (place, member) in cluster.members().iter().enumerate() {
                let chunk_fee_rate = cluster.chunk_fee_rate(cluster.chunk_of(place));
                let ready = Ready { chunk_fee_rate, order_key: member.order_key, node: nodes.len() };
                let (index, size) = (member.index, member.fee_rate.size);
                nodes.push(Node { index, ready, missing: 0, size, included: false });
            }
        }
        Self { graph, clusters, nodes, by_parent: Vec::new(), by_child: Vec::new() }
    }

    fn connect(&mut self, dependencies: impl Iterator<Item = (GraphIndex, GraphIndex)>) {
        let links = dependencies.map(|(parent, child)| (self.node(parent), self.node(child)));
        let mut by_parent: Vec<(usize, usize)> = links.collect();
        for (number, (_, first)) in self.clusters.iter().enumerate() {
            let end = self.clusters.get(number + 1).map_or(self.nodes.len(), |(_, first)| *first);
            by_parent.extend((*first + 1..end).map(|node| (node - 1, node)));
        }
        by_parent.sort_unstable();
        by_parent.dedup();
        for (_, child) in &by_parent {
            self.nodes[*child].missing += 1;
        }
        self.by_child.clone_from(&by_parent);
        self.by_child.sort_unstable_by_key(|(parent, child)| (*child, *parent));
        self.by_parent = by_parent;
    }

    fn node(&self, index: GraphIndex) -> usize {
        let slot = self.graph.slot(index);
        let found = self.clusters.binary_search_by_key(&slot.cluster, |(id, _)| *id);
        self.clusters[found.expect("a group has the clusters of its dependencies")].1 + usize::from(slot.place)
    }

    /// Includes what may stay, and returns the rest.
    fn remove(mut self) -> impl Iterator<Item = GraphIndex> {
        let mut partition = Partition::new(self.nodes.iter().map(|node| Total { count: 1, size: node.size }));
        let mut heap: BinaryHeap<Ready> =
            self.nodes.iter().filter(|node| node.missing == 0).map(|node| node.ready).collect();
        let mut joined = Vec::new();
        while let Some(Ready { node, .. }) = heap.pop() {
            let first = self.by_child.partition_point(|(_, child)| *child < node);
            let parents = self.by_child[first..].iter().take_while(|(_, child)| *child == node);
            joined.clear();
            joined.extend(parents.map(|(parent, _)| partition.root(*parent)));
            joined.sort_unstable();
            joined.dedup();
            let totals = joined.iter().map(|root| partition.total(*root)).chain([partition.total(node)]);
            let (count, size) = totals.fold((0, 0), |(count, size), total| (count + total.count, size + total.size));
            if self.graph.limits.check(count, size).is_err() {
                continue;
            }
            for root in &joined {
                partition.join(*root, node);
            }
            self.nodes[node].included = true;
            let first = self.by_parent.partition_point(|(parent, _)| *parent < node);
            for (_, child) in self.by_parent[first..].iter().take_while(|(parent, _)| *parent == node) {
                self.nodes[*child].missing -= 1;
                if self.nodes[*child].missing == 0 {
                    heap.push(self.nodes[*child].ready);
                }
            }
        }
        self.nodes.into_iter().filter(|node| !node.included).map(|node| node.index)
    }
}
