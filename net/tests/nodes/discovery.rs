//! Nodes that find each other. Whatever finds peers and is not tried is off, or it could do the work alone.

use std::collections::HashSet;

use cairn_net::{Banned, Direction, Keypair, Multiaddr, NetworkConfig, NetworkNames, PeerEvent, PeerId, Role};
use libp2p::multiaddr::Protocol;

use crate::support::{Node, answer_plainly, status, until, within};

/// A node that asks for peers' tables, and knows one node.
async fn walker(bootstrap: &Multiaddr) -> Node {
    Node::with(|config| {
        config.kademlia = true;
        config.bootstrap = vec![bootstrap.clone()];
    })
    .await
}

/// A node that answers who is there, and looks for nobody.
async fn first() -> Node {
    Node::with(|config| config.kademlia = true).await
}

fn ids<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> HashSet<PeerId> {
    nodes.into_iter().map(Node::id).collect()
}

fn connected(node: &Node) -> HashSet<PeerId> {
    node.handle.connected_peers().into_iter().map(|peer| peer.peer).collect()
}

/// Waits until each of `nodes` is connected with each other one.
async fn meet(nodes: &[Node]) {
    let all = ids(nodes);
    for node in nodes {
        until("a full graph", || {
            connected(node).is_superset(&all.iter().copied().filter(|id| *id != node.id()).collect())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_nodes_that_know_one_node_find_each_other() {
    let mut nodes = vec![first().await];
    let bootstrap = nodes[0].address();
    for _ in 0..4 {
        nodes.push(walker(&bootstrap).await);
    }
    meet(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_outlives_its_first_node_and_a_late_comer_enters_through_another() {
    let first = first().await;
    let bootstrap = first.address();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(walker(&bootstrap).await);
    }
    meet(&nodes).await;
    let dead = first.id();
    first.stop().await;
    for node in &nodes {
        until("the loss of the first node", || !connected(node).contains(&dead)).await;
    }
    // It knows one of them only, and not the first.
    let entrance = nodes[1].address();
    nodes.push(walker(&entrance).await);
    meet(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_node_that_is_late_is_waited_for() {
    let key = Keypair::generate_ed25519();
    let reserved = Node::start().await;
    let address = without_peer(&reserved.address());
    reserved.stop().await;
    let mut early = walker(&address).await;
    until("a failed dial", || early.handle.counters().connections_failed.get() > 0).await;
    let late = Node::with_key(key, |config| config.listen = vec![address]).await;
    early.expect_connected(late.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_run_learned_the_next_run_knows() {
    let mut nodes = vec![first().await];
    let bootstrap = nodes[0].address();
    for _ in 0..2 {
        nodes.push(walker(&bootstrap).await);
    }
    meet(&nodes).await;
    // The node that dialled knows where; both know after a walk.
    let mut known = Vec::new();
    for node in &nodes {
        known.extend(node.handle.addresses().await.unwrap());
    }
    assert!(!known.is_empty());
    let expected: HashSet<_> = known.iter().map(|(peer, _)| *peer).collect();
    let again = Node::with(|config| config.known_addresses = known).await;
    until("the peers of the last run", || connected(&again) == expected).await;
    assert!(again.handle.connected_peers().iter().all(|peer| peer.direction == Direction::Outbound));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_candidates_are_dialled_than_are_wanted() {
    let mut nodes = Vec::new();
    for _ in 0..5 {
        nodes.push(Node::start().await);
    }
    let known = || nodes.iter().map(|node| (node.id(), node.address())).collect::<Vec<_>>();
    let node = Node::with(|config| {
        config.outbound_target = 2;
        config.known_addresses = known();
    })
    .await;
    until("as many peers as are wanted", || connected(&node).len() == 2).await;
    // A peer that goes is replaced, so whoever wanted more would have dialled by then.
    let lost = *connected(&node).iter().next().unwrap();
    node.handle.set_banned(vec![Banned::Peer(lost)]).await.unwrap();
    until("another peer instead", || connected(&node).len() == 2 && !connected(&node).contains(&lost)).await;
    assert_eq!(node.handle.counters().candidates_dialled.get(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_of_another_network_are_left_alone() {
    let stranger = Node::with(|config| config.names = NetworkNames::new("other", &[8; 32])).await;
    let good = Node::start().await;
    let known = vec![(stranger.id(), stranger.address()), (good.id(), good.address())];
    let mut node = Node::with(|config| config.known_addresses = known).await;
    node.expect_connected(good.id()).await;
    until("the stranger is met", || node.handle.counters().connections_failed.get() > 0).await;
    // Whoever is lost is dialled again after a second or so, but not the stranger.
    good.stop().await;
    until("another dial", || node.handle.counters().candidates_dialled.get() >= 4).await;
    assert_eq!(stranger.handle.counters().connections_failed.get(), 1);
}

fn rendezvous_point(config: &mut NetworkConfig) {
    config.rendezvous_server = true;
    config.role = Role::Introducer;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_find_each_other_through_a_rendezvous_point_alone() {
    let point = Node::with(rendezvous_point).await;
    let address = point.address();
    let mut nodes = Vec::new();
    for _ in 0..5 {
        nodes.push(Node::with(|config| config.rendezvous = vec![address.clone()]).await);
    }
    meet(&nodes).await;

    // The point dies; the graph stays.
    point.stop().await;
    meet(&nodes).await;
    for node in &nodes {
        assert!(node.handle.connected_peers().len() == 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rendezvous_point_tells_nobody_of_another_network() {
    let point = Node::with(rendezvous_point).await;
    let address = point.address();
    let other = Node::with(|config| {
        config.names = NetworkNames::new("other", &[8; 32]);
        config.rendezvous = vec![address.clone()];
    })
    .await;
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(Node::with(|config| config.rendezvous = vec![address.clone()]).await);
    }
    meet(&nodes).await;
    assert!(other.handle.connected_peers().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_introducer_introduces_and_is_nobodys_peer() {
    let introducer = Node::with(|config| {
        config.kademlia = true;
        config.role = Role::Introducer;
    })
    .await;
    let bootstrap = introducer.address();
    let mut nodes = vec![walker(&bootstrap).await, walker(&bootstrap).await];
    meet(&nodes).await;
    for node in &mut nodes {
        let mut told = HashSet::new();
        while let Ok(event) = node.events.peers.try_recv() {
            if let PeerEvent::Connected(peer) = event {
                told.insert(peer.peer);
            }
        }
        assert!(!told.contains(&introducer.id()) && !connected(node).contains(&introducer.id()));
    }
    // It is not thrown out either.
    let [one, other] = &mut nodes[..] else { panic!("two nodes") };
    other.serve(answer_plainly);
    within("an answer", one.handle.request_status(other.id(), status(1))).await.unwrap();
    assert_eq!(connected(&introducer).len(), 2);
}

fn without_peer(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}
