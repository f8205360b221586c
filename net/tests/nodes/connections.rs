//! Connections that come, stay, go and come back.

use cairn_net::{
    Direction, Keypair, Multiaddr, Network, NetworkError, NetworkNames, PeerEvent, PeerId, PublishError, RequestError,
    load_or_create_identity,
};
use libp2p::multiaddr::Protocol;

use crate::support::{Node, config, header, status, until, within};

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_know_who_came_and_who_went() {
    let mut dialer = Node::with(|config| config.user_agent = "/dialer:1/".to_owned()).await;
    let mut listener = Node::with(|config| config.user_agent = "/listener:2/\n".to_owned()).await;
    dialer.handle.dial(listener.address()).await.unwrap();

    let PeerEvent::Connected(peer) = dialer.peer_event().await else { panic!("not connected") };
    assert_eq!((peer.peer, peer.direction), (listener.id(), Direction::Outbound));
    assert_eq!(peer.address, listener.address());
    assert_eq!(peer.user_agent, "/listener:2/");
    assert!(peer.ip().is_some_and(|ip| ip.is_loopback()));
    assert_eq!(dialer.handle.connected_peers(), [peer]);

    let PeerEvent::Connected(peer) = listener.peer_event().await else { panic!("not connected") };
    assert_eq!((peer.peer, peer.direction), (dialer.id(), Direction::Inbound));
    assert_eq!(peer.user_agent, "/dialer:1/");

    dialer.handle.disconnect(listener.id()).await.unwrap();
    dialer.expect_disconnected(listener.id()).await;
    listener.expect_disconnected(dialer.id()).await;
    assert_eq!(dialer.handle.connected_peers(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_says_so() {
    let (mut stays, mut stops) = (Node::start().await, Node::start().await);
    stays.connect(&mut stops).await;
    let peer = stops.id();
    stops.stop().await;
    stays.expect_disconnected(peer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_dial_each_other_are_connected_once() {
    let (mut one, mut other) = (Node::start().await, Node::start().await);
    one.handle.add_peer(other.address()).await.unwrap();
    other.handle.add_peer(one.address()).await.unwrap();
    one.expect_connected(other.id()).await;
    other.expect_connected(one.id()).await;
    // A status takes a round trip; by then the second connection is there if it comes at all.
    one.serve(crate::support::answer_plainly);
    other.serve(crate::support::answer_plainly);
    within("an answer", one.handle.request_status(other.id(), status(1))).await.unwrap();
    within("an answer", other.handle.request_status(one.id(), status(1))).await.unwrap();
    assert!(one.events.peers.try_recv().is_err());
    assert!(other.events.peers.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_survives_a_restart_and_the_peer_is_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("identity");
    let first = Node::with_key(load_or_create_identity(&path).unwrap(), |_| {}).await;
    let (peer, address) = (first.id(), first.address());
    let mut stays = Node::with(|config| config.peers = vec![address.clone()]).await;
    stays.expect_connected(peer).await;
    first.stop().await;
    stays.expect_disconnected(peer).await;

    let listen: Multiaddr = address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
    let again = Node::with_key(load_or_create_identity(&path).unwrap(), |config| config.listen = vec![listen]).await;
    assert_eq!(again.id(), peer);
    stays.expect_connected(peer).await;

    assert!(stays.handle.remove_peer(address.clone()).await.unwrap());
    assert!(!stays.handle.remove_peer(address).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_not_there_yet_is_waited_for() {
    let reserved = Node::start().await;
    let address: Multiaddr = reserved.address().iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
    reserved.stop().await;

    let mut waits = Node::with(|config| config.peers = vec![address.clone()]).await;
    until("a failed dial", || waits.handle.counters().connections_failed.get() > 0).await;
    let late = Node::with(|config| config.listen = vec![address]).await;
    waits.expect_connected(late.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_network_has_nothing_to_say_to_us() {
    let mut ours = Node::start().await;
    let mut theirs = Node::with(|config| config.names = NetworkNames::new("test", &[8; 32])).await;
    let counters = [ours.handle.clone(), theirs.handle.clone()];
    // The connection may be closed by the other side before it is reported here.
    let _ = ours.handle.dial(theirs.address()).await;
    until("both sides close", || counters.iter().all(|handle| handle.counters().connections_failed.get() > 0)).await;

    assert!(ours.events.peers.try_recv().is_err() && theirs.events.peers.try_recv().is_err());
    assert_eq!(ours.handle.connected_peers(), []);
    assert_eq!(ours.handle.publish_header(header(1)).await, Err(PublishError::NoPeers));
    let answer = ours.handle.request_status(theirs.id(), status(1)).await;
    assert!(matches!(answer, Err(RequestError::NotConnected)), "{answer:?}");
    assert!(theirs.events.headers.try_recv().is_err() && theirs.events.requests.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_in_a_peers_place_is_refused() {
    let (node, other) = (Node::start().await, Node::start().await);
    let address = other.address();
    let impostor = address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect::<Multiaddr>();
    let error = node.handle.dial(impostor.with(Protocol::P2p(PeerId::random()))).await.unwrap_err().to_string();
    assert!(error.contains("another peer") && error.contains(&other.id().to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dial_that_fails_says_why() {
    let (node, gone) = (Node::start().await, Node::start().await);
    let address = gone.address();
    gone.stop().await;
    let error = node.handle.dial(address).await.unwrap_err().to_string();
    assert!(error.contains("Connection refused") && error.contains("127.0.0.1"), "{error}");
    assert!(!error.contains('\n'), "{error}");
    let error = node.handle.dial(node.address()).await.unwrap_err().to_string();
    assert!(!error.is_empty());
    let error = node.handle.dial("/ip4/127.0.0.1/udp/1/quic-v1".parse().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("quic"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn inbound_connections_have_a_limit() {
    let mut listener = Node::with(|config| config.limits.max_inbound = 2).await;
    let mut welcome = [Node::start().await, Node::start().await];
    for node in &mut welcome {
        node.connect(&mut listener).await;
    }
    let one_too_many = Node::start().await;
    // The dialler may see the connection before it is closed.
    let _ = one_too_many.handle.dial(listener.address()).await;
    until("the refusal", || one_too_many.handle.counters().connections_failed.get() == 1).await;
    assert_eq!(listener.handle.connected_peers().len(), 2);

    // A place that becomes free is given away.
    welcome[0].handle.disconnect(listener.id()).await.unwrap();
    listener.expect_disconnected(welcome[0].id()).await;
    one_too_many.handle.add_peer(listener.address()).await.unwrap();
    listener.expect_connected(one_too_many.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let node = Node::start().await;
    let address: Multiaddr = node.address().iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
    let mut config = config();
    config.listen = vec![address.clone()];
    let error = Network::start(config, Keypair::generate_ed25519()).await.unwrap_err();
    assert!(matches!(&error, NetworkError::Listen { address: named, .. } if *named == address), "{error}");
    assert!(error.to_string().contains("in use"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_speak_quic_and_names_where_they_are_told_to() {
    let quic = || {
        Node::with(|config| {
            config.quic = true;
            config.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()];
        })
    };
    let (mut dialer, mut listener) = (quic().await, quic().await);
    dialer.connect(&mut listener).await;
    listener.serve(crate::support::answer_plainly);
    within("an answer", dialer.handle.request_status(listener.id(), status(1))).await.unwrap();
}
