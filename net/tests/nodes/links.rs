//! Links that are cut, slowed and broken, between nodes that are otherwise whole.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use cairn_net::{Keypair, LinkConditions, LinkError, Multiaddr, Network, NetworkError, PreSharedKey, RequestError};

use crate::support::{Node, answer_plainly, config, status, until, within};

const CUT: LinkConditions = LinkConditions { is_cut: true, ..PLAIN };
const PLAIN: LinkConditions = LinkConditions {
    is_cut: false,
    latency: Duration::ZERO,
    jitter: Duration::ZERO,
    loss: 0.0,
    bandwidth: None,
    reset_rate: 0.0,
};

async fn controlled() -> Node {
    Node::with(|config| config.link_control = true).await
}

/// A node that listens, and one that connects with it whenever it can.
async fn dialed() -> (Node, Node) {
    let mut listener = controlled().await;
    let address = listener.address();
    let mut dialer = Node::with(|config| {
        config.link_control = true;
        config.peers = vec![address];
    })
    .await;
    dialer.expect_connected(listener.id()).await;
    listener.expect_connected(dialer.id()).await;
    (listener, dialer)
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_nobody_controls_stay_as_they_are() {
    let node = Node::start().await;
    assert_eq!(node.handle.set_link_conditions(None, CUT).await, Err(LinkError::Uncontrolled));
    assert_eq!(node.handle.link_conditions(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_links_can_be_read_and_nonsense_is_not_said() {
    let node = controlled().await;
    let [one, other] = [Node::start().await.id(), node.id()];
    let error = node.handle.set_link_conditions(None, LinkConditions { loss: 1.0, ..PLAIN }).await.unwrap_err();
    assert!(matches!(error, LinkError::Invalid(_)), "{error}");
    node.handle.set_link_conditions(Some(one), CUT).await.unwrap();
    let links = node.handle.link_conditions().unwrap();
    assert_eq!((links.all(), links.of(&one), links.of(&other)), (PLAIN, CUT, PLAIN));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tcp_has_links_that_are_controlled() {
    let quic: Multiaddr = "/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap();
    let mut config = config();
    config.link_control = true;
    config.listen.push(quic.clone());
    let error = Network::start(config, Keypair::generate_ed25519()).await.unwrap_err();
    assert!(matches!(&error, NetworkError::Unshaped { address } if *address == quic), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_link_parts_both_ends_and_a_mended_one_brings_them_back() {
    let (listener, dialer) = dialed().await;
    // Whichever end is told, and whether or not the other one is.
    for (told, others) in [(&listener, &dialer), (&dialer, &listener)] {
        told.handle.set_link_conditions(Some(others.id()), CUT).await.unwrap();
        until("nobody is there", || {
            told.handle.connected_peers().is_empty() && others.handle.connected_peers().is_empty()
        })
        .await;
        // New connections fail from either side, and are no reason to be angry.
        let failed = dialer.handle.counters().connections_failed.get();
        until("two vain attempts", || dialer.handle.counters().connections_failed.get() >= failed + 2).await;
        assert!(told.handle.connected_peers().is_empty() && others.handle.connected_peers().is_empty());
        let error = told.handle.dial(others.address()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("the link with {} is cut", others.id())), "{error}");

        let mended = Instant::now();
        told.handle.set_link_conditions(Some(others.id()), PLAIN).await.unwrap();
        until("both are back", || {
            !told.handle.connected_peers().is_empty() && !others.handle.connected_peers().is_empty()
        })
        .await;
        // Who dials waits three seconds at most if it is not told that the other end mended the link.
        assert!(mended.elapsed() < Duration::from_secs(5), "{:?}", mended.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_link_is_tried_at_once() {
    let (listener, dialer) = dialed().await;
    for (node, other) in [(&dialer, &listener), (&listener, &dialer)] {
        node.handle.set_link_conditions(Some(other.id()), CUT).await.unwrap();
    }
    let failed = || dialer.handle.counters().connections_failed.get();
    until("waits that have grown", || failed() >= 3).await;
    listener.handle.set_link_conditions(None, PLAIN).await.unwrap();
    let mended = Instant::now();
    dialer.handle.set_link_conditions(None, PLAIN).await.unwrap();
    until("both are back", || {
        !dialer.handle.connected_peers().is_empty() && !listener.handle.connected_peers().is_empty()
    })
    .await;
    assert!(mended.elapsed() < Duration::from_secs(1), "{:?}", mended.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_cut_to_all_may_be_whole_to_one() {
    let mut node = controlled().await;
    let (mut friend, stranger) = (Node::start().await, Node::start().await);
    node.handle.set_link_conditions(None, CUT).await.unwrap();
    node.handle.set_link_conditions(Some(friend.id()), PLAIN).await.unwrap();
    friend.connect(&mut node).await;
    let error = node.handle.dial(stranger.address()).await.unwrap_err().to_string();
    assert!(error.contains("is cut"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_a_broken_link_leaves_open_is_nobodys_fault() {
    let alone = || {
        Node::with(|config| {
            config.link_control = true;
            // Nobody comes back by itself.
            config.outbound_target = 0;
        })
    };
    let (mut one, mut other) = (alone().await, alone().await);
    for told in [false, true].repeat(5) {
        one.connect(&mut other).await;
        let (handle, peer) = (one.handle.clone(), other.id());
        let question = tokio::spawn(async move { handle.request_status(peer, status(1)).await });
        let asked = within("the question", other.events.requests.recv()).await.unwrap();
        let (told, others) = if told { (&one, &other) } else { (&other, &one) };
        told.handle.set_link_conditions(Some(others.id()), CUT).await.unwrap();
        let answer = within("the failure", question).await.unwrap();
        assert!(matches!(answer, Err(RequestError::Disconnected)), "{answer:?}");
        drop(asked);
        told.handle.set_link_conditions(Some(others.id()), PLAIN).await.unwrap();
        one.expect_disconnected(other.id()).await;
        other.expect_disconnected(one.id()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_take_as_long_as_the_link_says() {
    let private = || {
        Node::with(|config| {
            config.link_control = true;
            config.pre_shared_key = Some(PreSharedKey::new([1; 32]));
        })
    };
    let (mut one, mut other) = (private().await, private().await);
    one.connect(&mut other).await;
    other.serve(answer_plainly);
    within("an answer", one.handle.request_status(other.id(), status(1))).await.unwrap();

    let latency = Duration::from_millis(150);
    let slow = LinkConditions { latency, bandwidth: NonZeroU64::new(100_000), ..PLAIN };
    one.handle.set_link_conditions(Some(other.id()), slow).await.unwrap();
    other.handle.set_link_conditions(Some(one.id()), slow).await.unwrap();
    let start = Instant::now();
    within("an answer", one.handle.request_status(other.id(), status(1))).await.unwrap();
    assert!(start.elapsed() >= 2 * latency, "{:?}", start.elapsed());
}
