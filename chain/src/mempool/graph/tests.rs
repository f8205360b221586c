//! Each operation on its own, and what the other files share.

mod model;
mod optimal;
mod reorganisation;

use super::*;
use crate::mempool::compare_diagrams;

/// A graph whose transactions have the size 100, and are named by their order keys.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) graph: TxGraph,
}

impl Pool {
    pub(super) fn new(count: usize, size: u64) -> Self {
        Self { graph: TxGraph::new(ClusterLimits { count, size }) }
    }

    /// Adds a transaction.
    pub(super) fn add(&mut self, fee: i64, parents: &[GraphIndex]) -> GraphIndex {
        self.try_add(fee, parents).unwrap()
    }

    pub(super) fn try_add(&mut self, fee: i64, parents: &[GraphIndex]) -> Result<GraphIndex, ClusterLimitError> {
        let parents: Vec<Parent> = parents.iter().map(|parent| Parent::Existing(*parent)).collect();
        let order_key = self.graph.version;
        let tx = NewTransaction { fee_rate: FeeRate::new(fee, 100), order_key, parents: &parents };
        let proposal = self.graph.propose(&[], &[tx])?;
        Ok(self.graph.apply(proposal)[0])
    }
}

fn pool() -> Pool {
    Pool::new(64, 404_000)
}

fn fees(graph: &TxGraph, indexes: &[GraphIndex]) -> Vec<i64> {
    indexes.iter().map(|index| graph.fee_rate(*index).fee).collect()
}

/// The fees of each chunk in the order they are offered.
fn offered(graph: &TxGraph) -> Vec<Vec<i64>> {
    let mut builder = graph.block_builder();
    let mut offered = Vec::new();
    while let Some(chunk) = builder.current() {
        offered.push(fees(graph, &chunk.transactions().collect::<Vec<_>>()));
        builder.include();
    }
    offered
}

#[test]
fn an_empty_graph_has_nothing() {
    let graph = pool().graph;
    assert!(graph.is_empty());
    assert_eq!((graph.len(), graph.memory()), (0, 0));
    assert_eq!(graph.worst_chunk(), None);
    assert!(graph.block_builder().current().is_none());
    let mut builder = graph.block_builder();
    builder.include();
    builder.skip();
    assert!(builder.current().is_none());
}

#[test]
fn a_child_pays_for_its_parent() {
    let mut pool = pool();
    let low = pool.add(100, &[]);
    let other = pool.add(500, &[]);
    assert_eq!(offered(&pool.graph), [[500], [100]]);
    let child = pool.add(1_500, &[low]);
    assert_eq!(offered(&pool.graph), [vec![100, 1_500], vec![500]]);
    assert_eq!(pool.graph.chunk_fee_rate(low), FeeRate::new(1_600, 200));
    assert_eq!(pool.graph.chunk_fee_rate(other), FeeRate::new(500, 100));
    assert_eq!(pool.graph.worst_chunk(), Some((vec![other], FeeRate::new(500, 100))));
    let cheap = pool.add(1, &[child]);
    assert_eq!(pool.graph.worst_chunk(), Some((vec![cheap], FeeRate::new(1, 100))));
    assert_eq!(pool.graph.cluster(low), [low, child, cheap]);
}

#[test]
fn the_worst_chunk_has_children_first() {
    let mut pool = pool();
    let parent = pool.add(1, &[]);
    let child = pool.add(5, &[parent]);
    let best = pool.add(1_000, &[]);
    assert_eq!(pool.graph.worst_chunk(), Some((vec![child, parent], FeeRate::new(6, 200))));
    pool.graph.remove(&[child, parent]);
    assert_eq!(pool.graph.worst_chunk(), Some((vec![best], FeeRate::new(1_000, 100))));
}

#[test]
fn relatives_are_found() {
    let mut pool = pool();
    let a = pool.add(10, &[]);
    let b = pool.add(9, &[a]);
    let c = pool.add(8, &[a]);
    let d = pool.add(7, &[b, c]);
    let lone = pool.add(1_000, &[]);
    let graph = &pool.graph;
    assert_eq!(graph.ancestors(d), [a, b, c, d]);
    assert_eq!(graph.ancestors(c), [a, c]);
    assert_eq!(graph.descendants(b), [b, d]);
    assert_eq!(graph.descendants(a), graph.cluster(d));
    assert_eq!(graph.ancestors_union(&[b, c, lone, b]), [a, b, c, lone]);
    assert_eq!(graph.descendants_union(&[lone, c, b]), [b, c, d, lone]);
    assert_eq!(graph.count_distinct_clusters(&[a, lone, d, lone]), 2);
    assert_eq!(graph.count_distinct_clusters(&[]), 0);
    assert_eq!(graph.compare_main_order(lone, a), std::cmp::Ordering::Less);
    assert_eq!(graph.compare_main_order(d, c), std::cmp::Ordering::Greater);
    assert_eq!(graph.compare_main_order(d, d), std::cmp::Ordering::Equal);
    assert_eq!(graph.cluster_chunks(d).count(), 4);
}

#[test]
fn a_proposal_changes_nothing_and_tells_what_apply_will_give() {
    let mut pool = pool();
    let a = pool.add(100, &[]);
    let b = pool.add(50, &[a]);
    let other = pool.add(70, &[]);
    let rate = FeeRate::new(900, 100);
    let added = [
        NewTransaction { fee_rate: FeeRate::new(10, 100), order_key: 8, parents: &[Parent::Existing(a)] },
        NewTransaction { fee_rate: rate, order_key: 9, parents: &[Parent::Added(0), Parent::Existing(other)] },
    ];
    let proposal = pool.graph.propose(&[b, b], &added).unwrap();
    assert_eq!(offered(&pool.graph), [[100], [70], [50]]);
    assert_eq!(proposal.removed(), [b]);
    let (old, new) = proposal.diagrams();
    assert_eq!(old, [FeeRate::new(100, 100), FeeRate::new(70, 100), FeeRate::new(50, 100)]);
    assert_eq!(new, [FeeRate::new(1_080, 400)]);
    assert_eq!(compare_diagrams(&new, &old), Some(std::cmp::Ordering::Greater));
    let [first, second] = proposal.added()[..] else { panic!("two were added") };
    assert_eq!(proposal.ancestors(0), [a, first]);
    assert_eq!(proposal.ancestors(1), [a, other, first, second]);
    assert_eq!(proposal.chunk_fee_rate(0), FeeRate::new(1_080, 400));
    assert_eq!(pool.graph.apply(proposal), [first, second]);
    assert!(!pool.graph.contains(b));
    assert_eq!(pool.graph.ancestors(second), [a, other, first, second]);
    assert_eq!(pool.add(1, &[]), b, "handles are reused");
}

#[test]
fn a_removed_parent_is_no_parent() {
    let mut pool = pool();
    let a = pool.add(100, &[]);
    let added = NewTransaction { fee_rate: FeeRate::new(900, 100), order_key: 9, parents: &[Parent::Existing(a)] };
    let proposal = pool.graph.propose(&[a], &[added]).unwrap();
    let added = pool.graph.apply(proposal);
    assert_eq!(pool.graph.cluster(added[0]), added);
    assert_eq!(pool.graph.len(), 1);
}

#[test]
#[should_panic(expected = "a proposal for a graph that has changed since")]
fn a_proposal_for_an_older_graph_is_a_bug() {
    let mut pool = pool();
    let proposal = pool.graph.propose(&[], &[]).unwrap();
    pool.add(1, &[]);
    pool.graph.apply(proposal);
}

#[test]
#[should_panic(expected = "the handle of a transaction that left the graph")]
fn a_stale_handle_is_a_bug() {
    let mut pool = pool();
    let index = pool.add(1, &[]);
    pool.graph.remove(&[index]);
    let _ = pool.graph.ancestors(index);
}

#[test]
fn clusters_are_limited_by_count() {
    let mut pool = pool();
    let first = pool.add(1, &[]);
    let mut last = first;
    for fee in 2..=64 {
        last = pool.add(fee, &[last]);
    }
    let error = pool.try_add(100, &[first]).unwrap_err();
    assert_eq!(error, ClusterLimitError::Count { got: 65, limit: 64 });
    assert_eq!(error.reject_reason(), "too-large-cluster");
    assert_eq!(error.to_string(), "cluster has too many transactions: expected at most 64, got 65");
    // In the place of another it fits.
    let parents = [Parent::Existing(first)];
    let tx = NewTransaction { fee_rate: FeeRate::new(1, 1), order_key: 0, parents: &parents };
    assert!(pool.graph.propose(&[last], &[tx]).is_ok());
    let mut wide = Pool::new(1_000, u64::MAX);
    let parents: Vec<GraphIndex> = (0..64).map(|_| wide.add(1, &[])).collect();
    assert_eq!(wide.try_add(1, &parents).unwrap_err(), ClusterLimitError::Count { got: 65, limit: 64 });
    assert!(wide.try_add(1, &parents[1..]).is_ok());
}

#[test]
fn clusters_are_limited_by_size() {
    let mut pool = Pool::new(64, 250);
    let parent = pool.add(1, &[]);
    let child = pool.add(1, &[parent]);
    assert_eq!(pool.try_add(1, &[child]).unwrap_err(), ClusterLimitError::Size { got: 300, limit: 250 });
    let too_large = NewTransaction { fee_rate: FeeRate::new(1, 251), order_key: 0, parents: &[] };
    assert!(pool.graph.propose(&[], &[too_large]).is_err());
    assert!(pool.graph.propose(&[], &[NewTransaction { fee_rate: FeeRate::new(1, 250), ..too_large }]).is_ok());
}

#[test]
fn removal_splits_clusters_and_keeps_what_was_implied() {
    let mut pool = pool();
    let a = pool.add(10, &[]);
    let b = pool.add(20, &[a]);
    let c = pool.add(30, &[b]);
    let d = pool.add(5, &[a]);
    pool.graph.remove(&[b, b]);
    assert_eq!(pool.graph.ancestors(c), [a, c], "a stays an ancestor");
    pool.graph.remove(&[a]);
    assert_eq!(pool.graph.cluster(c), [c]);
    assert_eq!(pool.graph.cluster(d), [d]);
    pool.graph.remove(&[c, d]);
    assert_eq!((pool.graph.len(), pool.graph.memory()), (0, 0));
    pool.graph.remove(&[]);
}

#[test]
fn a_new_fee_moves_a_transaction() {
    let mut pool = pool();
    let a = pool.add(10, &[]);
    let b = pool.add(20, &[a]);
    let other = pool.add(12, &[]);
    pool.graph.set_fee(b, 11);
    assert_eq!(offered(&pool.graph), [vec![12], vec![10, 11]]);
    pool.graph.set_fee(a, -50);
    assert_eq!(pool.graph.worst_chunk(), Some((vec![b, a], FeeRate::new(-39, 200))));
    pool.graph.set_fee(other, i64::MIN);
    assert_eq!(pool.graph.worst_chunk().unwrap().0, [other]);
}

#[test]
fn extreme_fees_do_not_overflow() {
    let mut pool = Pool::new(64, u64::MAX);
    let mut last = None;
    for number in 0..64 {
        let parents: Vec<Parent> = last.into_iter().map(Parent::Existing).collect();
        let fee = if number % 3 == 0 { i64::MIN } else { i64::MAX };
        let size = if number % 2 == 0 { u64::MAX } else { 0 };
        let tx = NewTransaction { fee_rate: FeeRate::new(fee, size), order_key: 0, parents: &parents };
        let proposal = pool.graph.propose(&[], &[tx]).unwrap();
        last = pool.graph.apply(proposal).first().copied();
    }
    let chunks: Vec<FeeRate> = pool.graph.cluster_chunks(last.unwrap()).map(|chunk| chunk.fee_rate()).collect();
    assert!(chunks.is_sorted_by(|a, b| a.cmp_rate(*b).is_ge()));
}

#[test]
fn a_skipped_chunk_takes_those_behind_it_along() {
    let mut pool = pool();
    let a = pool.add(900, &[]);
    let b = pool.add(500, &[a]);
    pool.add(100, &[b]);
    pool.add(700, &[]);
    pool.add(50, &[]);
    let mut builder = pool.graph.block_builder();
    let mut offered = Vec::new();
    while let Some(chunk) = builder.current() {
        offered.push(chunk.fee_rate().fee);
        if chunk.fee_rate().fee == 500 {
            builder.skip();
        } else {
            builder.include();
        }
    }
    assert_eq!(offered, [900, 700, 500, 50]);
}

#[test]
fn ties_go_to_the_lower_key() {
    let mut graph = TxGraph::new(ClusterLimits::default());
    for order_key in [5, 3, 9, 1] {
        let proposal = graph.propose(&[], &[NewTransaction { fee_rate: FeeRate::new(1, 1), order_key, parents: &[] }]);
        graph.apply(proposal.unwrap());
    }
    let mut builder = graph.block_builder();
    let mut keys = Vec::new();
    while let Some(chunk) = builder.current() {
        keys.extend(chunk.transactions().map(|index| graph.member(index).order_key));
        builder.include();
    }
    assert_eq!(keys, [1, 3, 5, 9]);
}

/// Of chunks with one rate in one cluster, the later may be the smaller, and still comes later; against other clusters it
/// stands with all of them that come before it.
#[test]
fn chunks_of_one_rate_keep_their_order() {
    let mut graph = TxGraph::new(ClusterLimits::default());
    let mut add = |fee: i64, parents: &[Parent]| {
        let fee_rate = FeeRate::new(fee, fee.unsigned_abs() * 100);
        let proposal = graph.propose(&[], &[NewTransaction { fee_rate, order_key: 0, parents }]);
        graph.apply(proposal.unwrap())[0]
    };
    let large = add(3, &[]);
    let small = add(1, &[Parent::Existing(large)]);
    let between = [2, 4, 5].map(|fee| add(fee, &[]));
    let fees = offered(&graph).concat();
    assert_eq!(fees, [2, 3, 1, 4, 5]);
    assert!(graph.compare_main_order(small, between[0]).is_gt());
    assert!(graph.compare_main_order(small, between[2]).is_lt());
}

#[test]
fn memory_falls_when_transactions_leave() {
    let mut pool = pool();
    let one = pool.add(1, &[]);
    let of_one = pool.graph.memory();
    let more: Vec<GraphIndex> = (0..100).map(|fee| pool.add(fee, &[])).collect();
    assert_eq!(pool.graph.memory(), 101 * of_one);
    pool.graph.remove(&more);
    assert_eq!(pool.graph.memory(), of_one);
    pool.add(1, &[one]);
    assert!(pool.graph.memory() > of_one);
}
