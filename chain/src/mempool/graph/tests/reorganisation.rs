//! Parents that come after their children.

use super::*;

#[test]
fn parents_and_children_are_joined() {
    let mut pool = pool();
    let child = pool.add(500, &[]);
    let grandchild = pool.add(400, &[child]);
    let parent = pool.add(1, &[]);
    assert_eq!(pool.graph.add_dependencies(&[(parent, child)]), []);
    assert_eq!(pool.graph.cluster(child), [parent, child, grandchild]);
    assert_eq!(offered(&pool.graph), [[1, 500, 400]]);
    let version = pool.graph.version;
    assert_eq!(pool.graph.add_dependencies(&[(parent, grandchild), (parent, child), (parent, parent)]), []);
    assert_eq!(pool.graph.version, version, "all of it was known");
}

#[test]
fn cycles_and_strangers_are_ignored() {
    let mut pool = pool();
    let a = pool.add(1, &[]);
    let b = pool.add(2, &[]);
    let gone = pool.add(3, &[]);
    pool.graph.remove(&[gone]);
    assert_eq!(pool.graph.add_dependencies(&[(a, b), (b, a), (gone, a), (b, gone)]), []);
    assert_eq!(pool.graph.ancestors(b), [a, b]);
    assert_eq!(pool.graph.ancestors(a), [a]);
    assert_eq!(pool.graph.add_dependencies(&[(b, a)]), []);
    assert_eq!(pool.graph.ancestors(a), [a]);
}

#[test]
fn what_exceeds_the_limits_goes_from_the_end() {
    let mut pool = Pool::new(4, 404_000);
    let old: Vec<GraphIndex> = [50, 40, 30].iter().map(|fee| pool.add(*fee, &[])).collect();
    let tail = pool.add(45, &[old[1]]);
    let parent = pool.add(10, &[]);
    let dependencies: Vec<(GraphIndex, GraphIndex)> = old.iter().map(|child| (parent, *child)).collect();
    let removed = pool.graph.add_dependencies(&dependencies);
    assert_eq!(removed, [old[2]], "the worst of those there is no room for");
    assert_eq!(pool.graph.len(), 4);
    assert_eq!(pool.graph.descendants(parent).len(), 4);
    assert_eq!(pool.graph.ancestors(tail), [parent, old[1], tail]);
}

#[test]
fn what_is_too_large_goes_with_its_descendants() {
    let mut pool = Pool::new(64, 350);
    let child = pool.add(50, &[]);
    let grandchild = pool.add(900, &[child]);
    let great_grandchild = pool.add(1, &[grandchild]);
    let parent = pool.add(1, &[]);
    let grandparent = pool.add(1, &[parent]);
    let mut removed = pool.graph.add_dependencies(&[(grandparent, child)]);
    removed.sort_unstable();
    assert_eq!(removed, [grandchild, great_grandchild]);
    assert_eq!(pool.graph.cluster(parent), [parent, grandparent, child]);
}

#[test]
fn a_whole_block_comes_back_at_once() {
    let mut pool = pool();
    // A hundred transactions with sixty children each, and before each of them a parent that is spent by all its neighbours.
    let mut dependencies = Vec::new();
    let mut children = Vec::new();
    for fee in 0..100 {
        let root = pool.add(fee, &[]);
        for more in 0..60 {
            pool.add(fee + more, &[root]);
        }
        children.push(root);
    }
    for pair in children.windows(2) {
        let parent = pool.add(7, &[]);
        dependencies.extend(pair.iter().map(|child| (parent, *child)));
    }
    let before = pool.graph.len();
    let removed = pool.graph.add_dependencies(&dependencies);
    assert_eq!(pool.graph.len(), before - removed.len());
    assert!(removed.iter().all(|index| !pool.graph.contains(*index)));
    assert!(pool.graph.clusters.iter().flatten().all(|cluster| cluster.members().len() <= 64));
    // What one cluster could keep, stays.
    assert!(pool.graph.clusters.iter().flatten().filter(|cluster| cluster.members().len() >= 60).count() >= 33);
    for (parent, child) in
        dependencies.iter().filter(|(parent, child)| pool.graph.contains(*parent) && pool.graph.contains(*child))
    {
        assert!(pool.graph.ancestors(*child).contains(parent));
    }
}
