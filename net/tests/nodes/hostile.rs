//! Peers that do what no honest node does.

use bitcoin::block::Header;
use bitcoin::{CompactTarget, Target};
use cairn_net::protocol::FrameError;
use cairn_net::{HeaderError, InvalidAnswer, NetworkNames, PeerEvent, RequestError, Violation};
use futures::{AsyncRead, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, identify, noise, tcp, yamux};
use std::io;

use crate::support::{Node, SPEC_HASH, header, status, within};

/// Writes whatever bytes it is told, as request and as response.
#[derive(Debug, Clone, Default)]
struct AnyBytes;

impl request_response::Codec for AnyBytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
    ) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
    ) -> io::Result<Vec<u8>> {
        std::future::pending().await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        stream.write_all(&bytes).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        stream.write_all(&bytes).await
    }
}

#[derive(NetworkBehaviour)]
struct Hostile {
    identify: identify::Behaviour,
    status: request_response::Behaviour<AnyBytes>,
}

fn hostile() -> Swarm<Hostile> {
    let names = NetworkNames::new("test", &SPEC_HASH);
    hostile_in(StreamProtocol::try_from_owned(names.name("status", 1)).unwrap())
}

/// A peer of the network that is hostile in this protocol.
fn hostile_in(protocol: StreamProtocol) -> Swarm<Hostile> {
    let names = NetworkNames::new("test", &SPEC_HASH);
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|key| Hostile {
            identify: identify::Behaviour::new(identify::Config::new(names.name("id", 1), key.public())),
            status: request_response::Behaviour::new(
                [(protocol, ProtocolSupport::Full)],
                request_response::Config::default(),
            ),
        })
        .unwrap()
        .build()
}

async fn expect_violation(node: &mut Node, expected: Violation) {
    let event = node.peer_event().await;
    assert!(matches!(&event, PeerEvent::Misbehaved { violation, .. } if *violation == expected), "{event:?}");
    assert!(matches!(node.peer_event().await, PeerEvent::Disconnected(_)));
    assert_eq!(node.handle.counters().violations.get(), 1);
}

/// A node that a hostile peer is connected to, which sends each of `requests` and answers with `response`.
async fn attacked(request: Option<Vec<u8>>, response: Vec<u8>) -> (Node, libp2p::PeerId) {
    let mut node = Node::start().await;
    let mut peer = hostile();
    let id = *peer.local_peer_id();
    let target = node.id();
    peer.dial(node.address()).unwrap();
    tokio::spawn(async move {
        loop {
            match peer.select_next_some().await {
                SwarmEvent::Behaviour(HostileEvent::Identify(identify::Event::Sent { .. })) => {
                    if let Some(request) = request.clone() {
                        peer.behaviour_mut().status.send_request(&target, request);
                    }
                }
                SwarmEvent::Behaviour(HostileEvent::Status(request_response::Event::Message {
                    message: request_response::Message::Request { channel, .. },
                    ..
                })) => {
                    let _ = peer.behaviour_mut().status.send_response(channel, response.clone());
                }
                _ => {}
            }
        }
    });
    node.expect_connected(id).await;
    (node, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_no_frame_ends_the_connection() {
    let (mut node, _) = attacked(Some(vec![3, 0, 0, 0, 1, 2, 3]), Vec::new()).await;
    expect_violation(&mut node, Violation::Frame(FrameError::Truncated { got: 3, expected: 32 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_above_its_limit_ends_the_connection() {
    let (mut node, _) = attacked(Some(vec![0xff; 100_000]), Vec::new()).await;
    expect_violation(&mut node, Violation::Frame(FrameError::TooLong { got: 0xffff_ffff, limit: 378 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_frame_ends_the_connection() {
    let (mut node, peer) = attacked(None, vec![1, 0, 0, 0, 7]).await;
    let answer = within("an answer", node.handle.request_status(peer, status(1))).await;
    let expected = FrameError::UnknownKind { what: "answer", got: 7 };
    assert!(
        matches!(&answer, Err(RequestError::Invalid(InvalidAnswer::Frame(error))) if *error == expected),
        "{answer:?}"
    );
    expect_violation(&mut node, Violation::Frame(expected)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_short_is_a_failure_and_no_crime() {
    let (mut node, peer) = attacked(None, vec![200, 0, 0, 0, 0, 1, 2]).await;
    let answer = within("an answer", node.handle.request_status(peer, status(1))).await;
    assert!(matches!(answer, Err(RequestError::Failed(_))), "{answer:?}");
    assert_eq!(node.handle.counters().violations.get(), 0);
    assert!(node.events.peers.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_of_other_rules_ends_the_connection() {
    let (mut asker, mut answerer) = (Node::start().await, Node::start().await);
    asker.connect(&mut answerer).await;
    let mut other = status(1);
    other.spec_hash = [9; 32];
    let answer = within("an answer", asker.handle.request_status(answerer.id(), other)).await;
    assert!(answer.is_err(), "{answer:?}");
    expect_violation(&mut answerer, Violation::AnotherNetwork).await;
    assert!(answerer.events.requests.try_recv().is_err());
}

async fn expect_header_refused(header: Header, expected: HeaderError) {
    let mut liar = Node::start().await;
    let mut node =
        Node::with(|config| config.pow_limit = Target::from_compact(CompactTarget::from_consensus(0x2000_ffff))).await;
    liar.connect(&mut node).await;
    liar.publish_header(header).await;
    expect_violation(&mut node, Violation::Header(expected)).await;
    assert_eq!(node.handle.counters().gossip_rejected.get(), 1);
    assert!(node.events.headers.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_without_work_ends_the_connection() {
    let mut header = header(1);
    header.bits = CompactTarget::from_consensus(0x1d00_ffff);
    expect_header_refused(header, HeaderError::HighHash).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_was_too_cheap_ends_the_connection() {
    expect_header_refused(header(1), HeaderError::Target { got: 0x207f_ffff }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rendezvous_point_that_answers_with_a_question_stops_nobody() {
    // A question to be taken off the list of `x`, in libp2p's protobuf of rendezvous.
    const UNREGISTER: [u8; 8] = [7, 0x08, 2, 0x22, 3, 0x0a, 1, b'x'];
    let mut point = hostile_in(StreamProtocol::new("/rendezvous/1.0.0"));
    point.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address = within("an address", async {
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = point.select_next_some().await {
                break address;
            }
        }
    })
    .await;
    let (answered, mut answers) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            if let SwarmEvent::Behaviour(HostileEvent::Status(request_response::Event::Message {
                message: request_response::Message::Request { channel, .. },
                ..
            })) = point.select_next_some().await
            {
                let _ = point.behaviour_mut().status.send_response(channel, UNREGISTER.to_vec());
                let _ = answered.try_send(());
            }
        }
    });
    let mut node = Node::with(|config| config.rendezvous = vec![address]).await;
    // It registers and asks; that it asks again shows that it lived through the first answers.
    for _ in 0..3 {
        within("a question", answers.recv()).await.unwrap();
    }
    let mut peer = Node::start().await;
    peer.connect(&mut node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_node_behind_it_is_no_peer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
    let node = Node::start().await;
    let dial = tokio::spawn({
        let handle = node.handle.clone();
        async move { handle.dial(address).await }
    });
    let (mut stream, _) = within("a connection", listener.accept()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    assert!(within("the end of the dial", dial).await.unwrap().is_err());
    assert_eq!(node.handle.connected_peers(), []);
}
