//! Gossipsub with our settings, without the service around it.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::Target;
use bitcoin::hashes::{Hash, sha256d};
use futures::StreamExt;
use libp2p::gossipsub::{self, Message, TopicHash};
use libp2p::identity::Keypair;
use libp2p::swarm::{self, SwarmEvent};
use libp2p::{Multiaddr, Swarm};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::settings::{settings, with_settings};
use super::topics::message_id;
use super::*;
use crate::config::NetworkConfig;
use crate::names::NetworkNames;
use crate::transport::transport;

fn topics() -> Topics {
    Topics::new(&NetworkNames::new("test", &[1; 32]))
}

fn message(topic: TopicHash, data: &[u8]) -> Message {
    Message { source: None, data: data.to_vec(), sequence_number: None, topic }
}

#[test]
fn a_message_is_its_hash_and_its_topic() {
    let topics = topics();
    let id = message_id(&topics);
    let header = id(&message(topics.header.hash(), b"same"));
    let transaction = id(&message(topics.transaction.hash(), b"same"));
    let stranger = id(&message(TopicHash::from_raw("other"), b"same"));
    assert_eq!(header.0[..32], sha256d::Hash::hash(b"same").to_byte_array());
    assert_eq!(header.0[..32], transaction.0[..32]);
    assert!(header != transaction && header != stranger && transaction != stranger);
    assert_ne!(header, id(&message(topics.header.hash(), b"other")));
}

#[test]
fn announcements_of_the_most_identities_pass_their_receiver() {
    let topics = topics();
    let settings = settings(&topics).build().unwrap();
    // Each identity has a mark and a length; the list, the topic and the frame around them have some more.
    let announcement = settings.max_control_messages_sent() * (33 + 2) + topics.header.hash().as_str().len() + 64;
    assert!(announcement < settings.max_control_message_size());
}

#[test]
fn topics_of_networks_differ() {
    let other = Topics::new(&NetworkNames::new("test", &[2; 32]));
    assert_eq!(topics().of(&topics().header.hash()), Some(Topic::Header));
    assert_eq!(topics().of(&topics().transaction.hash()), Some(Topic::Transaction));
    assert_eq!(topics().of(&other.header.hash()), None);
}

/// The most peers in a mesh.
const MESH: usize = 6;

fn network() -> NetworkConfig {
    let names = NetworkNames::new("test", &[7; 32]);
    NetworkConfig { dns: false, ..NetworkConfig::new(names, [7; 32], Target::MAX_ATTAINABLE_REGTEST, true) }
}

/// A swarm that gossips with our settings, but in a mesh so small that most of its peers are only told what there is.
fn swarm(key: &Keypair) -> Swarm<Gossipsub> {
    let topics = topics();
    let mut settings = settings(&topics);
    settings.mesh_n(4).mesh_n_low(3).mesh_n_high(MESH).mesh_outbound_min(1).flood_publish(false);
    let gossip = with_settings(&topics, settings.build().unwrap()).unwrap();
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::MAX);
    Swarm::new(transport(key, &network(), Arc::default(), None).unwrap(), gossip, key.public().to_peer_id(), config)
}

/// The next event of a swarm whose heart beats.
async fn next_event(swarm: &mut Swarm<Gossipsub>) -> SwarmEvent<gossipsub::Event> {
    loop {
        if let Ok(event) = timeout(HEARTBEAT_INTERVAL, swarm.select_next_some()).await {
            return event;
        }
    }
}

/// Runs a peer of the hub that counts what it gets.
async fn leaf(hub: Multiaddr, got: watch::Sender<usize>) {
    let mut swarm = swarm(&Keypair::generate_ed25519());
    swarm.behaviour_mut().subscribe(&topics().transaction).unwrap();
    swarm.dial(hub).unwrap();
    loop {
        if let SwarmEvent::Behaviour(gossipsub::Event::Message { .. }) = next_event(&mut swarm).await {
            got.send_modify(|count| *count += 1);
        }
    }
}

/// What peers outside the mesh get, they get because they were told of it. With gossipsub's default, a burst of this size
/// makes announcements that are refused as too long, and these peers get nothing at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_reaches_peers_outside_the_mesh() {
    const LEAVES: usize = 2 + MESH;
    const BURST: u32 = 600;
    // An announcement names 400 at random, four times: one message in a hundred is never named.
    const ENOUGH: usize = 540;

    let mut hub = swarm(&Keypair::generate_ed25519());
    hub.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = hub.select_next_some().await {
            break address;
        }
    };
    let mut tasks = JoinSet::new();
    let counts: Vec<_> = (0..LEAVES)
        .map(|_| {
            let (sender, count) = watch::channel(0);
            tasks.spawn(leaf(address.clone(), sender));
            count
        })
        .collect();

    // Every leaf asks to be in the mesh until it is full. Whoever is taken in after the burst misses it: it was not sent to
    // the mesh then, and is not told of what the mesh is sent.
    let topic = topics().transaction;
    hub.behaviour_mut().subscribe(&topic).unwrap();
    let mut subscribed = 0;
    while subscribed < LEAVES || hub.behaviour().mesh_peers(&topic.hash()).count() < MESH {
        // The mesh grows without events, but not without the swarm.
        let event = timeout(HEARTBEAT_INTERVAL, hub.select_next_some()).await;
        if let Ok(SwarmEvent::Behaviour(gossipsub::Event::Subscribed { .. })) = event {
            subscribed += 1;
        }
    }
    for number in 0..BURST {
        let data = number.to_le_bytes().repeat(75);
        hub.behaviour_mut().publish(topic.clone(), data).unwrap();
    }
    tasks.spawn(async move {
        loop {
            next_event(&mut hub).await;
        }
    });
    let everybody_has_enough = async {
        for mut count in counts.clone() {
            count.wait_for(|count| *count >= ENOUGH).await.unwrap();
        }
    };
    let result = timeout(Duration::from_secs(60), everybody_has_enough).await;
    assert!(result.is_ok(), "{:?}", counts.iter().map(|count| *count.borrow()).collect::<Vec<_>>());
}
