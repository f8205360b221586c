//! Which nodes of a devnet are connected.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A way to connect nodes that stand in a row, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Topology {
    /// Each with each.
    Mesh,
    /// Each with the next, and the last with the first.
    Ring,
    /// Each with the next.
    Line,
    /// All with the first.
    Star,
    /// Each with the two that stand below it in a binary tree.
    Tree,
}

impl Topology {
    const ALL: [(&'static str, Self); 5] =
        [("mesh", Self::Mesh), ("ring", Self::Ring), ("line", Self::Line), ("star", Self::Star), ("tree", Self::Tree)];

    /// Its names, for messages and help.
    pub(crate) const NAMES: [&'static str; 5] = ["mesh", "ring", "line", "star", "tree"];

    /// The nodes before node `index` that it connects with, when there are `count` nodes.
    pub(crate) fn earlier_peers(self, index: usize, count: usize) -> Vec<usize> {
        let Some(previous) = index.checked_sub(1) else { return Vec::new() };
        match self {
            Self::Mesh => (0..index).collect(),
            Self::Line => vec![previous],
            Self::Ring if index + 1 == count && previous > 0 => vec![0, previous],
            Self::Ring => vec![previous],
            Self::Star => vec![0],
            Self::Tree => vec![previous / 2],
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, topology)| topology == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Topology {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, topology)| *topology)
            .ok_or_else(|| format!("expected one of {}, got '{text}'", Self::NAMES.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(topology: Topology, count: usize) -> Vec<(usize, usize)> {
        let of = |index| topology.earlier_peers(index, count).into_iter().map(move |peer| (peer, index));
        (0..count).flat_map(of).collect()
    }

    #[test]
    fn nodes_are_connected_as_the_names_say() {
        assert_eq!(edges(Topology::Mesh, 4), [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]);
        assert_eq!(edges(Topology::Line, 4), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(edges(Topology::Ring, 4), [(0, 1), (1, 2), (0, 3), (2, 3)]);
        assert_eq!(edges(Topology::Star, 4), [(0, 1), (0, 2), (0, 3)]);
        assert_eq!(edges(Topology::Tree, 6), [(0, 1), (0, 2), (1, 3), (1, 4), (2, 5)]);
    }

    #[test]
    fn no_edge_is_there_twice_and_all_hang_together() {
        for (name, topology) in Topology::ALL {
            assert_eq!((name.parse(), topology.to_string().as_str()), (Ok(topology), name));
            for count in 1..20 {
                let edges = edges(topology, count);
                let mut reached = vec![0];
                for (peer, node) in &edges {
                    assert!(peer < node, "{name} of {count}: {edges:?}");
                    if reached.contains(peer) {
                        reached.push(*node);
                    }
                }
                assert!((0..count).all(|node| reached.contains(&node)), "{name} of {count}: {edges:?}");
                let mut unique = edges.clone();
                unique.sort_unstable();
                unique.dedup();
                assert_eq!(unique.len(), edges.len(), "{name} of {count}");
            }
        }
        assert_eq!(
            "cube".parse::<Topology>(),
            Err("expected one of mesh, ring, line, star, tree, got 'cube'".to_owned())
        );
    }
}
