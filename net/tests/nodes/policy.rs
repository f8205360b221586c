//! Who is let in, and who is not.

use cairn_net::{Banned, Direction, Keypair, Multiaddr, Network, NetworkError, PreSharedKey, TransportKind};

use crate::support::{Node, answer_plainly, config, status, until, within};

async fn private(key: u8) -> Node {
    Node::with(|config| config.pre_shared_key = Some(PreSharedKey::new([key; 32]))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_with_the_same_key_speak_with_each_other() {
    let (mut one, mut other) = (private(1).await, private(1).await);
    one.connect(&mut other).await;
    other.serve(answer_plainly);
    within("an answer", one.handle.request_status(other.id(), status(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_named_as_the_reason() {
    let listener = private(1).await;
    let dialler = private(2).await;
    let error = within("a refusal", dialler.handle.dial(listener.address())).await.unwrap_err().to_string();
    assert!(error.contains("another pre-shared key"), "{error}");
    until("the listener's count", || listener.handle.counters().connections_refused.get() == 1).await;

    // Nor does anybody get in without a key, or out.
    let stranger = Node::start().await;
    assert!(within("a refusal", stranger.handle.dial(listener.address())).await.is_err());
    until("the listener's count", || listener.handle.counters().connections_refused.get() == 2).await;
    let error = within("a refusal", dialler.handle.dial(stranger.address())).await.unwrap_err().to_string();
    assert!(error.contains("pre-shared key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_quic_do_not_go_together() {
    let quic: Multiaddr = "/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap();
    let mut config = config();
    config.quic = true;
    config.listen.push(quic.clone());
    config.pre_shared_key = Some(PreSharedKey::new([1; 32]));
    let error = Network::start(config, Keypair::generate_ed25519()).await.unwrap_err();
    assert!(matches!(&error, NetworkError::Unprotected { address } if *address == quic), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_peers_on_the_list_are_let_in_and_dialled() {
    let (mut friend, stranger) = (Node::start().await, Node::start().await);
    let allowed = friend.id();
    let mut node = Node::with(|config| config.allow = Some(vec![allowed])).await;
    friend.connect(&mut node).await;

    // The dialler may see the connection before it is closed.
    let _ = stranger.handle.dial(node.address()).await;
    until("the refusal", || node.handle.counters().connections_refused.get() == 1).await;
    until("the stranger's loss", || stranger.handle.counters().connections_failed.get() == 1).await;
    let error = node.handle.dial(stranger.address()).await.unwrap_err().to_string();
    assert!(error.contains("not in the allow list") && error.contains("refused by us"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_peer_is_thrown_out_and_stays_out_until_it_is_pardoned() {
    let (mut node, mut banned) = (Node::start().await, Node::start().await);
    banned.connect(&mut node).await;
    node.handle.set_banned(vec![Banned::Peer(banned.id())]).await.unwrap();
    node.expect_disconnected(banned.id()).await;
    banned.expect_disconnected(node.id()).await;

    let _ = banned.handle.dial(node.address()).await;
    until("the refusal", || node.handle.counters().connections_refused.get() == 1).await;
    let error = node.handle.dial(banned.address()).await.unwrap_err().to_string();
    assert!(error.contains("block list"), "{error}");
    // Somebody else is welcome.
    let mut other = Node::start().await;
    other.connect(&mut node).await;

    node.handle.set_banned(Vec::new()).await.unwrap();
    node.handle.dial(banned.address()).await.unwrap();
    node.expect_connected(banned.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_address_is_closed_to_everybody() {
    let (mut node, mut inbound, mut outbound) = (Node::start().await, Node::start().await, Node::start().await);
    inbound.connect(&mut node).await;
    node.connect(&mut outbound).await;
    node.handle.set_banned(vec!["127.0.0.0/8".parse().unwrap()]).await.unwrap();
    inbound.expect_disconnected(node.id()).await;
    outbound.expect_disconnected(node.id()).await;
    until("nobody is left", || node.handle.connected_peers().is_empty()).await;

    let error = node.handle.dial(inbound.address()).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1 is banned"), "{error}");
    assert!(inbound.handle.dial(node.address()).await.is_err());
    node.handle.set_banned(Vec::new()).await.unwrap();
    node.handle.dial(inbound.address()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_switched_off_is_silent_and_comes_back() {
    let mut named = Node::start().await;
    let address = named.address();
    let mut node = Node::with(|config| config.peers = vec![address]).await;
    node.expect_connected(named.id()).await;
    named.expect_connected(node.id()).await;
    assert!(node.handle.is_network_active());

    node.handle.set_network_active(false).await.unwrap();
    node.expect_disconnected(named.id()).await;
    named.expect_disconnected(node.id()).await;
    assert!(!node.handle.is_network_active());
    let error = node.handle.dial(named.address()).await.unwrap_err().to_string();
    assert!(error.contains("switched off"), "{error}");
    assert!(named.handle.dial(node.address()).await.is_err());
    assert_eq!(node.handle.connected_peers(), []);

    node.handle.set_network_active(true).await.unwrap();
    node.expect_connected(named.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_has_only_so_many_connections() {
    let mut node = Node::with(|config| {
        config.is_local = false;
        config.limits.max_inbound_per_host = 2;
    })
    .await;
    let mut diallers = [Node::start().await, Node::start().await];
    for dialler in &mut diallers {
        dialler.connect(&mut node).await;
    }
    let third = Node::start().await;
    assert!(third.handle.dial(node.address()).await.is_err());
    until("the refusal", || node.handle.counters().connections_refused.get() == 1).await;

    // A place that becomes free is given away, and what we open ourselves has no limit.
    node.handle.dial(third.address()).await.unwrap();
    node.expect_connected(third.id()).await;
    diallers[0].handle.disconnect(node.id()).await.unwrap();
    node.expect_disconnected(diallers[0].id()).await;
    diallers[0].expect_disconnected(node.id()).await;
    diallers[0].connect(&mut node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_and_pings_are_counted() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    answerer.serve(answer_plainly);
    let before = asker.handle.traffic();
    within("an answer", asker.handle.request_status(answerer.id(), status(1))).await.unwrap();
    let after = asker.handle.traffic();
    // A status takes 134 bytes behind its length, and the name of its protocol.
    assert!(after.sent - before.sent >= 138 && after.received - before.received >= 138, "{before:?} {after:?}");

    until("a ping", || asker.handle.peer_facts()[0].ping.is_some()).await;
    let [facts] = &asker.handle.peer_facts()[..] else { panic!("one peer") };
    assert_eq!((facts.peer.peer, facts.peer.direction), (answerer.id(), Direction::Outbound));
    assert_eq!(facts.transport, TransportKind::Tcp);
    assert!(facts.min_ping <= facts.ping && facts.traffic.sent >= 138 && facts.traffic.received >= 138);
    assert!(facts.connected_since.elapsed().unwrap().as_secs() < 60);
    assert!(facts.last_received.unwrap().elapsed().unwrap().as_secs() < 60 && facts.last_sent.is_some());
    assert_eq!((facts.id, facts.status.as_ref().map(|status| status.height)), (0, Some(1)));
    assert_eq!(facts.local_address, None);
    let [facts] = &answerer.handle.peer_facts()[..] else { panic!("one peer") };
    let local = facts.local_address.as_ref().unwrap();
    assert_eq!(answerer.address().to_string(), format!("{local}/p2p/{}", answerer.id()));

    asker.handle.disconnect(answerer.id()).await.unwrap();
    asker.expect_disconnected(answerer.id()).await;
    assert_eq!(asker.handle.peer_facts(), []);
    assert!(asker.handle.traffic().sent >= after.sent, "what was sent stays counted");
}
