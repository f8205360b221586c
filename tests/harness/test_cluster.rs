//! Several nodes that are connected, and what tests ask of all of them.

use std::ops::Index;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::node_process::{Datadir, wait_for};
use super::test_node::TestNode;

/// Nodes on regtest, each in a process of its own, that know nobody but each other and whose links can be cut.
#[derive(Debug)]
pub(crate) struct TestCluster {
    nodes: Vec<TestNode>,
}

/// What is left of a node that was killed.
#[derive(Debug)]
pub(crate) struct KilledNode {
    index: usize,
    datadir: Datadir,
    address: String,
}

impl TestCluster {
    /// Nodes of which each is connected with each.
    pub(crate) fn mesh(count: usize) -> Self {
        Self::start(count, |one, other| one < other)
    }

    /// Nodes of which each is connected with its neighbours.
    pub(crate) fn line(count: usize) -> Self {
        Self::start(count, |one, other| one + 1 == other)
    }

    /// A node dials those that were started before and that it is linked with.
    fn start(count: usize, is_linked: impl Fn(usize, usize) -> bool) -> Self {
        let mut nodes: Vec<TestNode> = Vec::new();
        for index in 0..count {
            let peers = (0..index).filter(|earlier| is_linked(*earlier, index)).map(|earlier| nodes[earlier].address());
            let node = start(Datadir::new(), &peers.collect::<Vec<_>>(), &[]);
            nodes.push(node);
        }
        for (index, node) in nodes.iter().enumerate() {
            let links = (0..count).filter(|other| is_linked(index.min(*other), index.max(*other))).count();
            node.wait_for_peers(u64::try_from(links).unwrap());
        }
        Self { nodes }
    }

    /// Starts another node, which is connected with all.
    pub(crate) fn join(&mut self, datadir: Datadir) -> &TestNode {
        let peers: Vec<_> = self.nodes.iter().map(TestNode::address).collect();
        self.nodes.push(start(datadir, &peers, &[]));
        &self.nodes[self.nodes.len() - 1]
    }

    pub(crate) fn nodes(&self) -> &[TestNode] {
        &self.nodes
    }

    /// Waits until all have the tip of one.
    pub(crate) fn wait_for_tip_of(&self, index: usize) {
        for node in &self.nodes {
            node.wait_for_tip_of(&self.nodes[index]);
        }
    }

    /// Waits until a transaction is in all pools.
    pub(crate) fn wait_for_transaction(&self, txid: &Value) {
        for node in &self.nodes {
            node.wait_for_transaction(txid);
        }
    }

    /// The hash of all coins, which must be the same everywhere.
    pub(crate) fn coins_hash(&self) -> Value {
        let hashes: Vec<_> = self.nodes.iter().map(TestNode::coins_hash).collect();
        assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{hashes:?}");
        hashes[0].clone()
    }

    /// Cuts all links between some nodes and the others, and waits until nobody is connected over one.
    pub(crate) fn partition(&self, side: &[usize]) {
        self.set_links(side, &json!({ "cut": true }));
        let is_over = |(one, other): (&TestNode, &TestNode)| {
            let peers = one.call("getpeerinfo", json!([]));
            peers.as_array().unwrap().iter().all(|peer| peer["peer_id"] != other.peer_id())
        };
        wait_for("the partition", || self.pairs(side).into_iter().all(is_over).then_some(()));
    }

    /// Mends what was cut; how long it takes until all have the same tip.
    pub(crate) fn heal(&self, side: &[usize]) -> Duration {
        let start = Instant::now();
        self.set_links(side, &json!({}));
        let tips = || self.nodes.iter().map(TestNode::tip).collect::<Vec<_>>();
        wait_for("one tip", || tips().windows(2).all(|pair| pair[0] == pair[1]).then_some(()));
        start.elapsed()
    }

    /// Ends a node as a power cut would end its process.
    pub(crate) fn kill(&mut self, index: usize) -> KilledNode {
        let address = self.nodes[index].address();
        let TestNode { datadir, node, .. } = self.nodes.remove(index);
        node.signal("KILL");
        node.wait();
        KilledNode { index, datadir, address }
    }

    /// Starts a node again that was killed, in its place and at its address; it dials all others.
    pub(crate) fn restart(&mut self, KilledNode { index, datadir, address }: KilledNode) {
        let peers: Vec<_> = self.nodes.iter().map(TestNode::address).collect();
        let (listen, _) = address.split_once("/p2p/").unwrap();
        self.nodes.insert(index, start(datadir, &peers, &["--listen", listen]));
    }

    /// Each two nodes of which one is on that side.
    fn pairs(&self, side: &[usize]) -> Vec<(&TestNode, &TestNode)> {
        let nodes = || self.nodes.iter().enumerate();
        let between = nodes().flat_map(|one| nodes().map(move |other| (one, other)));
        let between = between.filter(|((one, _), (other, _))| side.contains(one) != side.contains(other));
        between.map(|((_, one), (_, other))| (one, other)).collect()
    }

    /// Tells both ends of each link what it is like.
    fn set_links(&self, side: &[usize], conditions: &Value) {
        for (one, other) in self.pairs(side) {
            one.call("setlink", json!([other.peer_id(), conditions]));
        }
    }
}

impl Index<usize> for TestCluster {
    type Output = TestNode;

    fn index(&self, index: usize) -> &TestNode {
        &self.nodes[index]
    }
}

fn start(datadir: Datadir, peers: &[String], args: &[&str]) -> TestNode {
    let peers = peers.iter().flat_map(|peer| ["--peer", peer]);
    let args: Vec<_> =
        ["--kademlia=false", "--link-control"].into_iter().chain(peers).chain(args.iter().copied()).collect();
    TestNode::start(datadir, &args)
}
