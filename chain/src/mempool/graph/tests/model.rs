//! Random operations, against a graph that keeps nothing but who descends from whom.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Numbers pick among the transactions there are, modulo.
#[derive(Debug, Clone)]
enum Operation {
    /// Each with its fee, size, parents in the graph and parents added before.
    Change {
        removed: Vec<usize>,
        with_descendants: bool,
        added: Vec<Added>,
    },
    Remove(Vec<usize>),
    AddDependencies(Vec<(usize, usize)>),
    SetFee(usize, i64),
    EvictWorst,
}

#[derive(Debug, Clone)]
struct Added {
    fee: i64,
    size: u64,
    parents: Vec<usize>,
    added_parents: Vec<usize>,
}

fn operation() -> impl Strategy<Value = Operation> {
    let some = |most: usize| prop::collection::vec(any::<usize>(), 0..most);
    let added = (-20_i64..200, 1_u64..40, some(4), some(3)).prop_map(|(fee, size, parents, added_parents)| Added {
        fee,
        size,
        parents,
        added_parents,
    });
    let change = (some(3), any::<bool>(), prop::collection::vec(added, 0..5))
        .prop_map(|(removed, with_descendants, added)| Operation::Change { removed, with_descendants, added });
    let dependencies = prop::collection::vec((any::<usize>(), any::<usize>()), 1..6);
    prop_oneof![
        8 => change,
        1 => some(6).prop_map(Operation::Remove),
        2 => dependencies.prop_map(Operation::AddDependencies),
        1 => (any::<usize>(), -20_i64..200).prop_map(|(index, fee)| Operation::SetFee(index, fee)),
        1 => Just(Operation::EvictWorst),
    ]
}

#[derive(Debug, Clone)]
struct ModelTransaction {
    fee_rate: FeeRate,
    /// With itself.
    ancestors: BTreeSet<GraphIndex>,
}

#[derive(Debug, Clone, Default)]
struct Model(BTreeMap<GraphIndex, ModelTransaction>);

impl Model {
    fn pick(&self, number: usize) -> Option<GraphIndex> {
        self.0.keys().nth(number.checked_rem(self.0.len())?).copied()
    }

    fn pick_all(&self, numbers: &[usize]) -> Vec<GraphIndex> {
        numbers.iter().filter_map(|number| self.pick(*number)).collect()
    }

    fn descendants(&self, of: GraphIndex) -> BTreeSet<GraphIndex> {
        self.0.iter().filter(|(_, tx)| tx.ancestors.contains(&of)).map(|(index, _)| *index).collect()
    }

    fn remove(&mut self, removed: &[GraphIndex]) {
        for index in removed {
            self.0.remove(index);
            for tx in self.0.values_mut() {
                tx.ancestors.remove(index);
            }
        }
    }

    fn add(&mut self, index: GraphIndex, fee_rate: FeeRate, parents: &[GraphIndex]) {
        let mut ancestors: BTreeSet<GraphIndex> = parents
            .iter()
            .filter_map(|parent| self.0.get(parent))
            .flat_map(|parent| parent.ancestors.clone())
            .collect();
        ancestors.insert(index);
        self.0.insert(index, ModelTransaction { fee_rate, ancestors });
    }

    fn add_dependency(&mut self, parent: GraphIndex, child: GraphIndex) {
        let gained = self.0[&parent].ancestors.clone();
        if !gained.contains(&child) {
            for descendant in self.descendants(child) {
                self.0.get_mut(&descendant).unwrap().ancestors.extend(&gained);
            }
        }
    }

    fn clusters(&self) -> BTreeSet<BTreeSet<GraphIndex>> {
        let mut clusters: Vec<BTreeSet<GraphIndex>> = Vec::new();
        for tx in self.0.values() {
            let (joined, apart) = clusters.into_iter().partition(|cluster| !cluster.is_disjoint(&tx.ancestors));
            clusters = apart;
            clusters.push(joined.into_iter().flatten().chain(tx.ancestors.clone()).collect());
        }
        clusters.into_iter().collect()
    }

    fn is_within(&self, limits: ClusterLimits) -> bool {
        self.clusters().iter().all(|cluster| {
            let size: u64 = cluster.iter().map(|index| self.0[index].fee_rate.size).sum();
            cluster.len() <= limits.count && size <= limits.size
        })
    }
}

fn sorted(indexes: &[GraphIndex]) -> Vec<GraphIndex> {
    let mut sorted = indexes.to_vec();
    sorted.sort_unstable();
    sorted
}

fn is_parents_first(graph: &TxGraph, indexes: &[GraphIndex]) -> bool {
    let place: BTreeMap<&GraphIndex, usize> = indexes.iter().enumerate().map(|(place, index)| (index, place)).collect();
    let is_before = |a, b| place.get(&a).is_none_or(|a| *a <= place[b]);
    indexes.iter().all(|index| graph.ancestors(*index).into_iter().all(|ancestor| is_before(ancestor, index)))
}

fn check(graph: &TxGraph, model: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(graph.len(), model.0.len());
    let mut clusters = BTreeSet::new();
    for (index, tx) in &model.0 {
        prop_assert!(graph.contains(*index));
        prop_assert_eq!(graph.fee_rate(*index), tx.fee_rate);
        prop_assert_eq!(sorted(&graph.ancestors(*index)), tx.ancestors.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(sorted(&graph.descendants(*index)), model.descendants(*index).into_iter().collect::<Vec<_>>());
        let cluster = graph.cluster(*index);
        prop_assert!(is_parents_first(graph, &cluster));
        prop_assert_eq!(
            graph.cluster_chunks(*index).flat_map(|chunk| chunk.transactions()).collect::<Vec<_>>(),
            &cluster[..]
        );
        clusters.insert(cluster.into_iter().collect::<BTreeSet<_>>());
    }
    prop_assert_eq!(&clusters, &model.clusters());
    prop_assert!(model.is_within(graph.limits()));
    let all: Vec<GraphIndex> = model.0.keys().copied().collect();
    prop_assert_eq!(graph.count_distinct_clusters(&all), clusters.len());
    prop_assert_eq!(sorted(&graph.ancestors_union(&all)), &all[..]);
    let half = &all[..all.len() / 2];
    let expected: BTreeSet<GraphIndex> = half.iter().flat_map(|index| model.descendants(*index)).collect();
    let union = graph.descendants_union(half);
    prop_assert!(is_parents_first(graph, &union));
    prop_assert_eq!(sorted(&union), expected.into_iter().collect::<Vec<_>>());
    check_builder(graph, &all)?;
    check_books(graph)
}

fn check_builder(graph: &TxGraph, all: &[GraphIndex]) -> Result<(), TestCaseError> {
    let mut builder = graph.block_builder();
    let (mut mined, mut last) = (Vec::new(), None);
    while let Some(chunk) = builder.current() {
        let transactions: Vec<GraphIndex> = chunk.transactions().collect();
        prop_assert_eq!(transactions.iter().map(|index| graph.fee_rate(*index)).sum::<FeeRate>(), chunk.fee_rate());
        for index in &transactions {
            prop_assert_eq!(graph.chunk_fee_rate(*index), chunk.fee_rate());
        }
        if let Some((_, before)) = &last {
            prop_assert!(chunk.fee_rate().cmp_rate(*before).is_le());
        }
        mined.extend_from_slice(&transactions);
        last = Some((transactions.into_iter().rev().collect::<Vec<_>>(), chunk.fee_rate()));
        builder.include();
    }
    prop_assert_eq!(graph.worst_chunk(), last);
    prop_assert!(is_parents_first(graph, &mined));
    prop_assert!(mined.is_sorted_by(|a, b| graph.compare_main_order(*a, *b).is_lt()));
    prop_assert_eq!(sorted(&mined), all);
    Ok(())
}

/// What the graph keeps twice is the same.
fn check_books(graph: &TxGraph) -> Result<(), TestCaseError> {
    let clusters = || (0..).zip(&graph.clusters).filter_map(|(id, cluster)| Some((id, cluster.as_ref()?)));
    let keys: BTreeSet<ChunkKey> = clusters().flat_map(|(id, cluster)| cluster.chunk_keys(id)).collect();
    prop_assert_eq!(&keys, &graph.chunk_keys);
    prop_assert_eq!(clusters().map(|(_, cluster)| cluster.heap_bytes()).sum::<usize>(), graph.heap_bytes);
    prop_assert_eq!(graph.slots.iter().filter(|slot| slot.cluster == u32::MAX).count(), graph.free.len());
    prop_assert_eq!(graph.clusters.len() - clusters().count(), graph.free_clusters.len());
    Ok(())
}

/// All chunks, by rate and size.
fn all_chunks(graph: &TxGraph) -> Vec<(i64, u64)> {
    graph.chunk_keys.iter().map(|key| (key.fee_rate.fee, key.fee_rate.size)).collect()
}

struct Run {
    graph: TxGraph,
    model: Model,
    added: u64,
}

impl Run {
    fn change(&mut self, removed: &[usize], with_descendants: bool, added: &[Added]) -> Result<(), TestCaseError> {
        let mut removed = self.model.pick_all(removed);
        if with_descendants {
            removed = self.graph.descendants_union(&removed);
        }
        let parents: Vec<Vec<Parent>> = added
            .iter()
            .enumerate()
            .map(|(position, tx)| {
                let existing = self.model.pick_all(&tx.parents).into_iter().map(Parent::Existing);
                let earlier =
                    tx.added_parents.iter().filter_map(|parent| Some(Parent::Added(parent.checked_rem(position)?)));
                existing.chain(earlier).collect()
            })
            .collect();
        let new: Vec<NewTransaction<'_>> = added
            .iter()
            .zip(&parents)
            .zip(self.added..)
            .map(|((tx, parents), order_key)| NewTransaction {
                fee_rate: FeeRate::new(tx.fee, tx.size),
                order_key,
                parents,
            })
            .collect();
        let proposal = self.graph.propose(&removed, &new);
        let mut model = self.model.clone();
        model.remove(&removed);
        // Handles of a failed proposal are not known; any that are free will do.
        let unused = (0..).map(GraphIndex::new).filter(|index| !self.graph.contains(*index));
        let indexes: Vec<GraphIndex> =
            proposal.as_ref().map_or_else(|_| unused.take(new.len()).collect(), |proposal| proposal.added().to_vec());
        for (tx, index) in new.iter().zip(&indexes) {
            let parents: Vec<GraphIndex> = tx
                .parents
                .iter()
                .map(|parent| match parent {
                    Parent::Existing(index) => *index,
                    Parent::Added(earlier) => indexes[*earlier],
                })
                .collect();
            model.add(*index, tx.fee_rate, &parents);
        }
        prop_assert_eq!(proposal.is_ok(), model.is_within(self.graph.limits()));
        let Ok(proposal) = proposal else { return Ok(()) };
        self.added += 10;
        self.model = model;
        self.apply(proposal)
    }

    fn apply(&mut self, proposal: Proposal) -> Result<(), TestCaseError> {
        let mut expected = all_chunks(&self.graph);
        let (old, new) = proposal.diagrams();
        prop_assert!(new.is_sorted_by(|a, b| a.cmp_rate(*b).is_ge()));
        for chunk in old {
            let found = expected.iter().position(|other| *other == (chunk.fee, chunk.size));
            expected.swap_remove(found.unwrap());
        }
        expected.extend(new.iter().map(|chunk| (chunk.fee, chunk.size)));
        let indexes = proposal.added().to_vec();
        let told: Vec<(Vec<GraphIndex>, FeeRate)> =
            (0..indexes.len()).map(|added| (proposal.ancestors(added), proposal.chunk_fee_rate(added))).collect();
        prop_assert_eq!(self.graph.apply(proposal), &indexes[..]);
        for (index, (ancestors, chunk_fee_rate)) in indexes.into_iter().zip(told) {
            prop_assert_eq!(self.graph.ancestors(index), ancestors);
            prop_assert_eq!(self.graph.chunk_fee_rate(index), chunk_fee_rate);
        }
        let mut chunks = all_chunks(&self.graph);
        chunks.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(chunks, expected);
        Ok(())
    }

    fn add_dependencies(&mut self, pairs: &[(usize, usize)]) -> Result<(), TestCaseError> {
        let pair = |(parent, child): &(usize, usize)| Some((self.model.pick(*parent)?, self.model.pick(*child)?));
        let dependencies: Vec<(GraphIndex, GraphIndex)> = pairs.iter().filter_map(pair).collect();
        let removed = self.graph.add_dependencies(&dependencies);
        for (parent, child) in &dependencies {
            self.model.add_dependency(*parent, *child);
        }
        prop_assert_eq!(removed.is_empty(), self.model.is_within(self.graph.limits()));
        let distinct: BTreeSet<GraphIndex> = removed.iter().copied().collect();
        prop_assert_eq!(distinct.len(), removed.len());
        let descendants: BTreeSet<GraphIndex> =
            removed.iter().flat_map(|index| self.model.descendants(*index)).collect();
        prop_assert_eq!(descendants, distinct, "descendants go along");
        self.model.remove(&removed);
        Ok(())
    }

    fn step(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        match operation {
            Operation::Change { removed, with_descendants, added } => self.change(removed, *with_descendants, added)?,
            Operation::Remove(removed) => {
                let removed = self.model.pick_all(removed);
                self.graph.remove(&removed);
                self.model.remove(&removed);
            }
            Operation::AddDependencies(pairs) => self.add_dependencies(pairs)?,
            Operation::SetFee(number, fee) => {
                if let Some(index) = self.model.pick(*number) {
                    self.graph.set_fee(index, *fee);
                    self.model.0.get_mut(&index).unwrap().fee_rate.fee = *fee;
                }
            }
            Operation::EvictWorst => {
                if let Some((worst, _)) = self.graph.worst_chunk() {
                    self.graph.remove(&worst);
                    self.model.remove(&worst);
                }
            }
        }
        check(&self.graph, &self.model)
    }
}

proptest! {
    #[test]
    fn operations_do_what_they_say(
        (count, size) in (1_usize..12, 20_u64..300),
        operations in prop::collection::vec(operation(), 1..40),
    ) {
        let graph = TxGraph::new(ClusterLimits { count, size });
        let mut run = Run { graph, model: Model::default(), added: 0 };
        for operation in &operations {
            run.step(operation)?;
        }
        let all: Vec<GraphIndex> = run.model.0.keys().copied().collect();
        run.graph.remove(&all);
        prop_assert_eq!((run.graph.len(), run.graph.memory()), (0, 0));
        check_books(&run.graph)?;
    }

    #[test]
    fn skipping_leaves_what_can_be_mined(operations in prop::collection::vec(operation(), 1..20), skips in any::<u64>()) {
        let mut run = Run { graph: TxGraph::new(ClusterLimits::default()), model: Model::default(), added: 0 };
        for operation in &operations {
            run.step(operation)?;
        }
        let mut builder = run.graph.block_builder();
        let (mut mined, mut step) = (BTreeSet::new(), 0);
        while let Some(chunk) = builder.current() {
            if skips & (1 << (step % 64)) == 0 {
                mined.extend(chunk.transactions());
                builder.include();
            } else {
                builder.skip();
            }
            step += 1;
        }
        for index in &mined {
            prop_assert!(run.graph.ancestors(*index).iter().all(|ancestor| mined.contains(ancestor)));
        }
    }
}
