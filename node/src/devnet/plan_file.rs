//! A devnet as a file: what `devnet up -f` reads, and what a scenario begins with.
//!
//! ```toml
//! seed = 7
//! block_time = "poisson:10s"      # default: "3s"
//! mine_on_tx = false
//! regtest = false
//! nodes = 4                       # and topology = "ring"; or each by itself:
//!
//! [[node]]
//! name = "alice"
//! mine = true
//!
//! [[node]]
//! name = "bob"
//! peers = ["alice"]
//!
//! [[link]]
//! between = ["alice", "bob"]
//! latency = "80ms"                # jitter = "20ms", loss = "2%", bandwidth = "1mbit", reset_rate = 3
//! ```

use std::path::Path;

use serde::Deserialize;

use super::links::LinkConditions;
use super::plan::{DEFAULT_BLOCK_TIME, Plan, PlannedLink, PlannedNode, Rules, spacing_of};
use super::{BlockTime, DevnetError, MiningMode, Topology};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Nodes unless another number is chosen.
pub(crate) const DEFAULT_NODES: usize = 4;

/// A devnet as somebody describes it. What is absent is as usual.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PlanFile {
    /// What keys of nodes and the order of mining repeat with.
    pub(crate) seed: Option<u64>,
    /// Time between blocks.
    pub(crate) block_time: Option<BlockTime>,
    /// Whether a transaction is mined at once.
    pub(crate) mine_on_tx: bool,
    /// Whether the chain is Core's regtest.
    pub(crate) regtest: bool,
    /// Number of nodes, unless each is described.
    pub(crate) nodes: Option<usize>,
    /// How they are connected.
    pub(crate) topology: Option<Topology>,
    node: Vec<NodeTable>,
    link: Vec<LinkTable>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeTable {
    name: String,
    #[serde(default = "yes")]
    mine: bool,
    #[serde(default)]
    peers: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "toml::Table")]
struct LinkTable(PlannedLink);

fn yes() -> bool {
    true
}

impl TryFrom<toml::Table> for LinkTable {
    type Error = String;

    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let between = table.remove("between").ok_or("a link is between = [\"one\", \"other\"]")?;
        let between = between.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let conditions: LinkConditions = table.try_into().map_err(|error| error.message().to_owned())?;
        Ok(Self(PlannedLink { between, conditions }))
    }
}

impl PlanFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or what is wrong with it and where.
    pub(crate) fn read(path: &Path) -> Result<Self, DevnetError> {
        let text = read_text(path)?;
        toml::from_str(&text).map_err(|error| wrong(path, &error))
    }

    /// The plan. Without a seed it takes `seed`.
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub(crate) fn plan(&self, seed: u64) -> Result<Plan, DevnetError> {
        let block_time = self.block_time.unwrap_or(DEFAULT_BLOCK_TIME);
        let mining = MiningMode { block_time, on_transactions: self.mine_on_tx };
        let rules = if self.regtest { Rules::Regtest } else { Rules::Devnet { spacing: spacing_of(block_time) } };
        let (seed, topology) = (self.seed.unwrap_or(seed), self.topology.unwrap_or(Topology::Mesh));
        let mut plan = if self.node.is_empty() {
            Plan::new(seed, rules, topology, mining, self.nodes.unwrap_or(DEFAULT_NODES))?
        } else {
            if self.nodes.is_some() {
                let problem = "a number of nodes and descriptions of each do not go together";
                return Err(DevnetError::Plan(problem.to_owned()));
            }
            let node = |table: &NodeTable| PlannedNode {
                name: table.name.clone(),
                mines: table.mine,
                peers: table.peers.clone(),
            };
            let mut nodes: Vec<PlannedNode> = self.node.iter().map(node).collect();
            if let Some(topology) = self.topology {
                connect(&mut nodes, topology)?;
            }
            Plan { seed, rules, topology, mining, nodes, links: Vec::new() }
        };
        plan.links = self.link.iter().map(|link| link.0.clone()).collect();
        plan.check()?;
        Ok(plan)
    }
}

/// Connects nodes in one of the usual ways.
fn connect(nodes: &mut [PlannedNode], topology: Topology) -> Result<(), DevnetError> {
    if nodes.iter().any(|node| !node.peers.is_empty()) {
        return Err(DevnetError::Plan("a topology and peers of nodes do not go together".to_owned()));
    }
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    for (index, node) in nodes.iter_mut().enumerate() {
        node.peers = topology.earlier_peers(index, names.len()).into_iter().map(|peer| names[peer].clone()).collect();
    }
    Ok(())
}

/// The text of a file.
///
/// # Errors
///
/// When it cannot be read, or is larger than any that is meant.
pub(crate) fn read_text(path: &Path) -> Result<String, DevnetError> {
    let size = std::fs::metadata(path).map_err(DevnetError::file("read", path))?.len();
    if size > MAX_FILE {
        let problem = format!("{} has {size} bytes, expected at most {MAX_FILE}", path.display());
        return Err(DevnetError::Plan(problem));
    }
    std::fs::read_to_string(path).map_err(DevnetError::file("read", path))
}

/// What is wrong with a file, and where.
fn wrong(path: &Path, error: &toml::de::Error) -> DevnetError {
    DevnetError::Plan(format!("{}: {}", path.display(), error.to_string().trim_end()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn plan(text: &str) -> Result<Plan, String> {
        let file: PlanFile = toml::from_str(text).map_err(|error| error.to_string())?;
        file.plan(1).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_what_there_is() {
        let text = r#"
            seed = 7
            block_time = "poisson:10s"
            [[node]]
            name = "alice"
            [[node]]
            name = "bob"
            mine = false
            peers = ["alice"]
            [[link]]
            between = ["alice", "bob"]
            latency = "80ms"
            loss = "2%"
            bandwidth = "1mbit"
        "#;
        let plan = plan(text).unwrap();
        assert_eq!((plan.seed, plan.rules), (7, Rules::Devnet { spacing: 10 }));
        assert_eq!((plan.nodes[1].mines, plan.nodes[1].peers.clone()), (false, vec!["alice".to_owned()]));
        let conditions = plan.links[0].conditions;
        assert_eq!((conditions.latency, conditions.loss), (Duration::from_millis(80), 0.02));
        assert_eq!(conditions.bandwidth, 1_000_000);
    }

    #[test]
    fn what_is_absent_is_as_usual() {
        let usual = plan("").unwrap();
        assert_eq!((usual.seed, usual.nodes.len(), usual.rules), (1, 4, Rules::Devnet { spacing: 3 }));
        let named = plan("topology = 'line'\n[[node]]\nname = 'x'\n[[node]]\nname = 'y'").unwrap();
        assert_eq!(named.nodes[1].peers, ["x"]);
    }

    #[test]
    fn what_cannot_be_is_said_with_its_line() {
        for (text, problem) in [
            ("sed = 7", "unknown field `sed`"),
            ("[[node]]\nname = 'a'\npeer = 'b'", "unknown field `peer`"),
            ("[[node]]\nname = 'a'\npeers = ['b']", "node a has a peer that is no node: b"),
            ("nodes = 3\n[[node]]\nname = 'a'", "do not go together"),
            ("[[link]]\nbetween = ['alice', 'bob']\ndelay = '1s'", "unknown field `delay`"),
            ("[[link]]\nlatency = '1s'", "between"),
            ("[[link]]\nbetween = ['alice', 'eve']", "no node: eve"),
            ("[[link]]\nbetween = ['alice', 'bob']\nlatency = '9s'", "goes up to 2s"),
            ("block_time = '5'", "expected a time such as 5s"),
        ] {
            let error = plan(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
