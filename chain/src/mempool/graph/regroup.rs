//! How clusters fall apart and join.

use super::bits::{Bits, bit, bits, connected_part, rank};
use super::cluster::{Cluster, Member, Members};
use super::partition::{Partition, Total};
use super::{ClusterLimitError, GraphIndex, NewTransaction, Parent, TxGraph, bounded};

/// What comes and goes at once.
pub(super) struct Changes<'a> {
    pub(super) removed: &'a [GraphIndex],
    pub(super) added: &'a [NewTransaction<'a>],
    /// The handles the added will have.
    pub(super) added_indexes: &'a [GraphIndex],
    /// Parents and children that are in the graph.
    pub(super) dependencies: &'a [(GraphIndex, GraphIndex)],
}

/// Clusters that take the place of others.
pub(super) struct Regrouped {
    pub(super) old: Vec<u32>,
    pub(super) new: Vec<Cluster>,
}

/// A part of a cluster that is still connected once some transactions are removed.
struct Piece {
    cluster: u32,
    places: Bits,
}

/// A transaction of a node, which is a piece or an added transaction: the how-manieth of it.
#[derive(Clone, Copy)]
struct Spot {
    node: usize,
    rank: usize,
}

struct Link {
    parent: Spot,
    child: Spot,
}

impl TxGraph {
    /// Finds the clusters after changes, each in its best order. Dependencies on removed transactions are left out, and so
    /// are those that would close a cycle.
    ///
    /// Nothing is linearized when a cluster would exceed a limit.
    pub(super) fn regroup(&self, changes: &Changes<'_>) -> Result<Regrouped, ClusterLimitError> {
        let old = self.affected_clusters(changes);
        let pieces = Pieces::new(self, &old, changes.removed);
        let links = pieces.links(changes);
        let totals = pieces.pieces.iter().map(|piece| {
            let members = self.cluster_at(piece.cluster).members();
            let size = bits(piece.places).map(|place| members[place].fee_rate.size).sum();
            Total { count: piece.places.count_ones() as usize, size }
        });
        let added_totals = changes.added.iter().map(|tx| Total { count: 1, size: bounded(tx.fee_rate).size });
        let mut partition = Partition::new(totals.chain(added_totals));
        for link in &links {
            partition.join(link.parent.node, link.child.node);
        }
        let mut nodes: Vec<(usize, usize)> = (0..partition.len()).map(|node| (partition.root(node), node)).collect();
        for (root, node) in &nodes {
            if root == node {
                let Total { count, size } = partition.total(*root);
                self.limits.check(count, size)?;
            }
        }
        nodes.sort_unstable();
        let mut links: Vec<(usize, Link)> =
            links.into_iter().map(|link| (partition.root(link.child.node), link)).collect();
        links.sort_by_key(|(root, _)| *root);
        let mut links = &links[..];
        let mut offsets = vec![0; nodes.len()];
        let new = nodes.chunk_by(|a, b| a.0 == b.0).map(|group| {
            let root = group[0].0;
            let mut members = Members::with_capacity(partition.total(root).count);
            for (_, node) in group {
                offsets[*node] = members.len();
                pieces.collect_members(*node, changes, &mut members);
            }
            let (own, rest) = links.split_at(links.partition_point(|(of, _)| *of == root));
            links = rest;
            for (_, Link { parent, child }) in own {
                add_dependency(&mut members, offsets[parent.node] + parent.rank, offsets[child.node] + child.rank);
            }
            Cluster::linearize(members)
        });
        Ok(Regrouped { new: new.collect(), old })
    }

    /// The clusters of all transactions that are named, in order.
    fn affected_clusters(&self, changes: &Changes<'_>) -> Vec<u32> {
        let parents = changes.added.iter().flat_map(|tx| tx.parents).filter_map(|parent| match parent {
            Parent::Existing(index) => Some(index),
            Parent::Added(_) => None,
        });
        let dependencies = changes.dependencies.iter().flat_map(|(parent, child)| [parent, child]);
        let named = changes.removed.iter().chain(parents).chain(dependencies);
        let mut clusters: Vec<u32> = named.map(|index| self.slot(*index).cluster).collect();
        clusters.sort_unstable();
        clusters.dedup();
        clusters
    }
}

/// What is left of some clusters.
struct Pieces<'a> {
    graph: &'a TxGraph,
    /// Clusters in order, each with its first piece.
    clusters: Vec<(u32, usize)>,
    pieces: Vec<Piece>,
}

impl<'a> Pieces<'a> {
    fn new(graph: &'a TxGraph, clusters: &[u32], removed: &[GraphIndex]) -> Self {
        let removed = graph.places_by_cluster(removed);
        let mut pieces = Self { graph, clusters: Vec::with_capacity(clusters.len()), pieces: Vec::new() };
        for id in clusters {
            pieces.clusters.push((*id, pieces.pieces.len()));
            let cluster = graph.cluster_at(*id);
            match removed.binary_search_by_key(id, |(id, _)| *id) {
                Err(_) => pieces.pieces.push(Piece { cluster: *id, places: cluster.all() }),
                Ok(found) => {
                    let mut left = cluster.all() & !removed[found].1;
                    while left != 0 {
                        let places = connected_part(cluster.members(), left);
                        pieces.pieces.push(Piece { cluster: *id, places });
                        left &= !places;
                    }
                }
            }
        }
        pieces
    }

    /// Where a transaction is now; nowhere when it is removed.
    fn find(&self, index: GraphIndex) -> Option<Spot> {
        let slot = self.graph.slot(index);
        let place = usize::from(slot.place);
        let found = self.clusters.binary_search_by_key(&slot.cluster, |(id, _)| *id).ok()?;
        let first = self.clusters[found].1;
        let own = self.pieces[first..].iter().take_while(|piece| piece.cluster == slot.cluster);
        let (node, piece) = (first..).zip(own).find(|(_, piece)| piece.places & bit(place) != 0)?;
        Some(Spot { node, rank: rank(piece.places, place) })
    }

    fn links(&self, changes: &Changes<'_>) -> Vec<Link> {
        let mut links = Vec::new();
        for (position, tx) in changes.added.iter().enumerate() {
            let added = |position| Spot { node: self.pieces.len() + position, rank: 0 };
            for parent in tx.parents {
                let parent = match parent {
                    Parent::Existing(index) => self.find(*index),
                    Parent::Added(earlier) => {
                        assert!(*earlier < position, "a parent comes before its children");
                        Some(added(*earlier))
                    }
                };
                links.extend(parent.map(|parent| Link { parent, child: added(position) }));
            }
        }
        for (parent, child) in changes.dependencies {
            links.extend(self.find(*parent).zip(self.find(*child)).map(|(parent, child)| Link { parent, child }));
        }
        links
    }

    /// Appends the transactions of a node to those of its cluster to be.
    fn collect_members(&self, node: usize, changes: &Changes<'_>, members: &mut Members) {
        if let Some(piece) = self.pieces.get(node) {
            members.extend(self.graph.cluster_at(piece.cluster).part(piece.places, members.len()));
        } else {
            let position = node - self.pieces.len();
            let NewTransaction { fee_rate, order_key, .. } = changes.added[position];
            members.push(Member {
                index: changes.added_indexes[position],
                fee_rate: bounded(fee_rate),
                order_key,
                ancestors: bit(members.len()),
            });
        }
    }
}

/// Makes a member a parent of another, unless it is an ancestor already or a descendant.
fn add_dependency(members: &mut Members, parent: usize, child: usize) {
    let gained = members[parent].ancestors;
    if members[child].ancestors & bit(parent) != 0 || gained & bit(child) != 0 {
        return;
    }
    for member in members {
        if member.ancestors & bit(child) != 0 {
            member.ancestors |= gained;
        }
    }
}
