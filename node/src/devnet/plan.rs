//! What a devnet is made of. A named one keeps its plan among its data.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::links::LinkConditions;
use super::mining::{BlockTime, MiningMode};
use super::topology::Topology;
use super::{DevnetError, accounts};

/// Most nodes of a devnet: each takes some sixty megabytes of memory.
pub(crate) const MAX_NODES: usize = 64;
/// Time between blocks unless another is chosen: that of the network devnet.
pub(crate) const DEFAULT_BLOCK_TIME: BlockTime = BlockTime::Fixed(Duration::from_secs(3));

/// Names that are no node's: that of an account, and those of other folders beside the nodes'.
const RESERVED: [&str; 3] = ["faucet", "prometheus", "wallets"];

/// What a devnet is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// Keys of nodes, wiring and order of mining repeat with it.
    pub(crate) seed: u64,
    /// The chain's rules.
    pub(crate) rules: Rules,
    /// How new nodes are connected.
    pub(crate) topology: Topology,
    /// When blocks are mined.
    pub(crate) mining: MiningMode,
    /// The nodes.
    pub(crate) nodes: Vec<PlannedNode>,
    /// Links that are not plain.
    pub(crate) links: Vec<PlannedLink>,
}

/// What a link does from the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedLink {
    /// The two nodes.
    pub(crate) between: [String; 2],
    /// What it does.
    pub(crate) conditions: LinkConditions,
}

/// The chain's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rules {
    /// Core's regtest, to the letter.
    Regtest,
    /// The network devnet, or one like it with another spacing.
    Devnet {
        /// Seconds between blocks.
        spacing: u32,
    },
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedNode {
    /// Its name.
    pub(crate) name: String,
    /// Whether it mines when a block is due.
    pub(crate) mines: bool,
    /// The nodes that it connects with, by name; others may connect with it too.
    pub(crate) peers: Vec<String>,
}

impl Plan {
    /// A plan for `count` nodes that are connected in one of the usual ways.
    ///
    /// # Errors
    ///
    /// When there are none, or too many.
    pub(crate) fn new(
        seed: u64,
        rules: Rules,
        topology: Topology,
        mining: MiningMode,
        count: usize,
    ) -> Result<Self, DevnetError> {
        let names: Vec<String> = (0..count).map(name_of).collect();
        let node = |(index, name): (usize, &String)| PlannedNode {
            name: name.clone(),
            mines: true,
            peers: topology.earlier_peers(index, count).into_iter().map(|peer| names[peer].clone()).collect(),
        };
        let nodes = names.iter().enumerate().map(node).collect();
        let plan = Self { seed, rules, topology, mining, nodes, links: Vec::new() };
        plan.check()?;
        Ok(plan)
    }

    /// Checks that names are names, and that peers are nodes.
    ///
    /// # Errors
    ///
    /// The first thing that cannot be.
    pub(crate) fn check(&self) -> Result<(), DevnetError> {
        let count = self.nodes.len();
        if !(1..=MAX_NODES).contains(&count) {
            return Err(DevnetError::Plan(format!("expected 1 to {MAX_NODES} nodes, got {count}")));
        }
        let mut names = BTreeSet::new();
        for node in &self.nodes {
            check_name("a node's name", &node.name)?;
            if !names.insert(node.name.as_str()) {
                return Err(DevnetError::Plan(format!("there are two nodes that are called {}", node.name)));
            }
        }
        for node in &self.nodes {
            if let Some(unknown) = node.peers.iter().find(|peer| !names.contains(peer.as_str())) {
                return Err(DevnetError::Plan(format!("node {} has a peer that is no node: {unknown}", node.name)));
            }
            if node.peers.contains(&node.name) {
                return Err(DevnetError::Plan(format!("node {} is its own peer", node.name)));
            }
        }
        for PlannedLink { between: [one, other], conditions } in &self.links {
            conditions.check()?;
            if let Some(unknown) = [one, other].into_iter().find(|name| !names.contains(name.as_str())) {
                return Err(DevnetError::Plan(format!("a link leads to what is no node: {unknown}")));
            }
            if one == other {
                return Err(DevnetError::Plan(format!("a link leads from {one} to itself")));
            }
        }
        Ok(())
    }

    /// Seconds from one block to the next.
    pub(crate) fn spacing(&self) -> u32 {
        match self.rules {
            Rules::Devnet { spacing } => spacing,
            Rules::Regtest => spacing_of(self.mining.block_time),
        }
    }

    /// A name for one more node: the first that no node has.
    pub(crate) fn free_name(&self) -> String {
        let taken = |name: &String| self.nodes.iter().any(|node| node.name == *name);
        (0..).map(name_of).find(|name| !taken(name)).expect("there are finitely many nodes")
    }

    /// Changes what the link between two nodes does from the start.
    pub(crate) fn set_link(&mut self, between: [String; 2], conditions: LinkConditions) {
        let [one, other] = &between;
        self.links.retain(|link| !(link.between.contains(one) && link.between.contains(other)));
        if conditions != LinkConditions::default() {
            self.links.push(PlannedLink { between, conditions });
        }
    }

    /// Appends a node. Without `peers` it is connected as the topology has it.
    ///
    /// # Errors
    ///
    /// When the name or the peers will not do; the plan is as it was then.
    pub(crate) fn add(&mut self, name: &str, peers: Option<Vec<String>>) -> Result<PlannedNode, DevnetError> {
        let index = self.nodes.len();
        let usual = || {
            let peers = self.topology.earlier_peers(index, index + 1);
            peers.into_iter().map(|peer| self.nodes[peer].name.clone()).collect()
        };
        let node = PlannedNode { name: name.to_owned(), mines: true, peers: peers.unwrap_or_else(usual) };
        self.nodes.push(node.clone());
        self.check().inspect_err(|_| {
            self.nodes.pop();
        })?;
        Ok(node)
    }
}

/// The spacing of a network whose blocks come with this time between them: whole seconds, at least one.
pub(crate) fn spacing_of(block_time: BlockTime) -> u32 {
    let mean = block_time.mean().or(DEFAULT_BLOCK_TIME.mean()).unwrap_or_default();
    u32::try_from(mean.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

/// The name of the node with this number, from 0 on.
fn name_of(index: usize) -> String {
    accounts::NAMES.get(index).map_or_else(|| format!("node{}", index + 1), ToString::to_string)
}

/// Checks that a name can be that of a folder and of a part of a command.
///
/// # Errors
///
/// When it cannot.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), DevnetError> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_good = (1..=32).contains(&name.len()) && name.bytes().all(is_allowed) && !name.starts_with('-');
    if is_good && !RESERVED.contains(&name) {
        return Ok(());
    }
    let expected = "1 to 32 of a-z, 0-9 and '-'";
    Err(DevnetError::Plan(format!("{what} has {expected} and is none of {}, got {name:?}", RESERVED.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINING: MiningMode = MiningMode { block_time: DEFAULT_BLOCK_TIME, on_transactions: false };

    fn plan(topology: Topology, count: usize) -> Result<Plan, DevnetError> {
        Plan::new(1, Rules::Devnet { spacing: 3 }, topology, MINING, count)
    }

    #[test]
    fn nodes_have_names_and_peers() {
        let plan = plan(Topology::Line, 12).unwrap();
        let names: Vec<_> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names[..4], ["alice", "bob", "carol", "dave"]);
        assert_eq!(names[10..], ["node11", "node12"]);
        assert_eq!(plan.nodes[2].peers, ["bob"]);
        assert!(self::plan(Topology::Mesh, 0).is_err() && self::plan(Topology::Mesh, 65).is_err());
    }

    #[test]
    fn a_node_is_added_where_the_topology_has_it() {
        let mut plan = plan(Topology::Star, 2).unwrap();
        assert_eq!(plan.free_name(), "carol");
        assert_eq!(plan.add("carol", None).unwrap().peers, ["alice"]);
        assert_eq!(plan.add("zoe", Some(vec!["carol".to_owned()])).unwrap().peers, ["carol"]);
        for (name, peers) in
            [("carol", None), ("Eve", None), ("wallets", None), ("eve", Some(vec!["nobody".to_owned()])), ("", None)]
        {
            assert!(plan.add(name, peers).is_err(), "{name}");
        }
        assert_eq!(plan.nodes.len(), 4);
    }

    #[test]
    fn a_link_is_planned_once_and_a_plain_one_not_at_all() {
        let mut plan = plan(Topology::Mesh, 3).unwrap();
        let between = |one: &str, other: &str| [one.to_owned(), other.to_owned()];
        let slow = LinkConditions { latency: Duration::from_millis(80), ..LinkConditions::default() };
        plan.set_link(between("alice", "bob"), slow);
        plan.set_link(between("bob", "carol"), slow);
        plan.set_link(between("bob", "alice"), slow);
        assert_eq!(plan.links.len(), 2);
        plan.set_link(between("alice", "bob"), LinkConditions::default());
        assert_eq!(plan.links, [PlannedLink { between: between("bob", "carol"), conditions: slow }]);
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let plan = plan(Topology::Ring, 3).unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
        assert_eq!(plan.spacing(), 3);
        assert_eq!(spacing_of("poisson:10s".parse().unwrap()), 10);
        assert_eq!(spacing_of("500ms".parse().unwrap()), 1);
        assert_eq!(spacing_of(BlockTime::Off), 3);
    }
}
