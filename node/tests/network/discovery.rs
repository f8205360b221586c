//! Nodes that know one address find all others: by each mechanism alone. Multicast needs more than the loopback interface, and is
//! shown between hosts.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::node_process::{Datadir, wait_for};
use crate::harness::test_node::TestNode;

/// Nodes of a network.
const NODES: usize = 5;
/// Blocks after which coinbases can be spent.
const MATURE: u32 = 105;

/// A node that introduces others. It is killed when the test forgets it.
struct Introducer {
    child: Child,
    address: String,
    _datadir: Datadir,
}

impl Introducer {
    fn start(args: &[&str]) -> Self {
        let datadir = Datadir::new();
        let mut command = datadir.command(&["bootnode", "--network", "regtest", "--listen", "/ip4/127.0.0.1/tcp/0"]);
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.contains("/p2p/"), "{address:?}");
        Self { child, address, _datadir: datadir }
    }
}

impl Drop for Introducer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start_all(args: &[&str]) -> Vec<TestNode> {
    (0..NODES).map(|_| TestNode::start(Datadir::new(), args)).collect()
}

/// Blocks that any node mines and transactions that are sent to any reach all.
fn everything_reaches_everybody(nodes: &[TestNode]) {
    nodes[0].mine(MATURE);
    for (number, miner) in nodes.iter().enumerate() {
        for node in nodes {
            node.wait_for_tip_of(miner);
        }
        miner.mine(1);
        let last = &nodes[(number + 1) % nodes.len()];
        last.wait_for_tip_of(miner);
    }
    let miner = nodes.last().unwrap();
    for node in nodes {
        node.wait_for_tip_of(miner);
    }
    let sent: Vec<Value> = nodes.iter().zip(1..).map(|(node, height)| node.spend_coinbase(height)).collect();
    for node in nodes {
        for txid in &sent {
            node.wait_for_transaction(txid);
        }
    }
}

/// All nodes find each other through `contact`, which then dies; the rest goes on, and a late comer enters through another.
fn nodes_find_each_other(args: &[&str], contact: Introducer, late: impl Fn(&TestNode) -> Vec<String>) {
    let mut nodes = start_all(args);
    for node in &nodes {
        node.wait_for_peers(u64::try_from(NODES).unwrap() - 1);
    }
    everything_reaches_everybody(&nodes);
    drop(contact);
    nodes[2].mine(1);
    for node in &nodes {
        node.wait_for_tip_of(&nodes[2]);
    }
    let late = late(&nodes[3]);
    let late: Vec<&str> = late.iter().map(String::as_str).collect();
    let late = TestNode::start(Datadir::new(), &late);
    late.wait_for_tip_of(&nodes[2]);
    late.mine(1);
    for node in &nodes {
        node.wait_for_tip_of(&late);
    }
    nodes.push(late);
    for node in nodes {
        node.node.stop();
    }
}

#[test]
fn kademlia_alone_lets_five_nodes_find_each_other() {
    let contact = Introducer::start(&["--rendezvous-server=false"]);
    let bootstrap = contact.address.clone();
    let args = ["--mdns=false", "--bootstrap", &bootstrap];
    nodes_find_each_other(&args, contact, |other| {
        vec!["--mdns=false".to_owned(), "--bootstrap".to_owned(), other.address()]
    });
}

#[test]
fn rendezvous_alone_lets_five_nodes_find_each_other() {
    let contact = Introducer::start(&["--rendezvous-server", "--kademlia=false"]);
    let rendezvous = contact.address.clone();
    let args = ["--mdns=false", "--kademlia=false", "--rendezvous", &rendezvous];
    nodes_find_each_other(&args, contact, |other| {
        let args = ["--mdns=false", "--kademlia=false", "--peer"];
        args.into_iter().map(ToOwned::to_owned).chain([other.address()]).collect()
    });
}

#[test]
fn a_node_without_any_mechanism_stays_alone() {
    let alone = ["--mdns=false", "--kademlia=false"];
    let first = TestNode::start(Datadir::new(), &alone);
    let second = TestNode::start(Datadir::new(), &alone);
    let address = first.address();
    let third = TestNode::start(Datadir::new(), &[&alone[..], &["--peer", &address]].concat());
    // By then the others would have found each other as well.
    wait_for("the named peer", || (first.peers() == 1 && third.peers() == 1).then_some(()));
    assert_eq!(second.peers(), 0);
}
