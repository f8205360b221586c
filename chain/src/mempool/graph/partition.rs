//! Sets that join.

/// Things that are each alone at first and join step by step (a disjoint-set forest, joined by size).
#[derive(Debug)]
pub(super) struct Partition {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: usize,
    total: Total,
}

/// What a set holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Total {
    /// Transactions.
    pub(super) count: usize,
    /// Weight units.
    pub(super) size: u64,
}

impl Partition {
    pub(super) fn new(totals: impl Iterator<Item = Total>) -> Self {
        Self { nodes: totals.enumerate().map(|(parent, total)| Node { parent, total }).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What stands for the set of a node.
    pub(super) fn root(&mut self, mut node: usize) -> usize {
        while self.nodes[node].parent != node {
            let above = self.nodes[self.nodes[node].parent].parent;
            self.nodes[node].parent = above;
            node = above;
        }
        node
    }

    /// Joins the sets of two nodes.
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (small, large) = if self.nodes[a].total.count < self.nodes[b].total.count { (a, b) } else { (b, a) };
        let joined = self.nodes[small].total;
        self.nodes[small].parent = large;
        let total = &mut self.nodes[large].total;
        total.count = total.count.saturating_add(joined.count);
        total.size = total.size.saturating_add(joined.size);
    }

    /// What the set that a root stands for holds.
    pub(super) fn total(&self, root: usize) -> Total {
        self.nodes[root].total
    }
}
