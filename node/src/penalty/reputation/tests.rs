use cairn_net::{Direction, Network, NetworkConfig, NetworkNames};
use tokio::time::{Instant as TokioInstant, sleep};

use super::*;
use crate::rpc::testing::RpcTest;

/// No test waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network on loopback that runs until the test's runtime ends.
async fn network() -> NetworkHandle {
    let names = NetworkNames::new("test", &[7; 32]);
    let mut config = NetworkConfig::new(names, [7; 32], bitcoin::Target::MAX, true);
    config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    let Network { service, handle, mut events } =
        Network::start(config, cairn_net::Keypair::generate_ed25519()).await.unwrap();
    tokio::spawn(service.run(std::future::pending()));
    tokio::spawn(async move { while events.peers.recv().await.is_some() {} });
    handle
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = TokioInstant::now() + PATIENCE;
    while !condition() {
        assert!(TokioInstant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bans_hold_at_once_and_after_a_restart_and_end() {
    let test = RpcTest::start(0).await;
    let (ours, theirs) = (network().await, network().await);
    let peer = theirs.local_peer_id();
    let reputation = Arc::new(Reputation::open(Arc::clone(&test.context), ours.clone()).unwrap());
    tokio::spawn(Arc::clone(&reputation).enforce());

    ours.dial(theirs.listen_addresses().remove(0)).await.unwrap();
    until("a peer", || ours.connected_peers().iter().any(|peer| peer.direction == Direction::Outbound)).await;
    reputation.ban(Banned::Peer(peer), unix_time() + 1000, "test").await;
    until("the end of the connection", || ours.connected_peers().is_empty()).await;
    let refusal = ours.dial(theirs.listen_addresses().remove(0)).await.unwrap_err().to_string();
    assert!(refusal.contains("block list"), "{refusal}");

    // Another run reads what was written by the time the ban held.
    let again = network().await;
    let reputation = Arc::new(Reputation::open(Arc::clone(&test.context), again.clone()).unwrap());
    tokio::spawn(Arc::clone(&reputation).enforce());
    assert_eq!(reputation.list()[0].0, Banned::Peer(peer));
    // What is banned next is told together with what was there.
    let loopback: Banned = "127.0.0.0/8".parse().unwrap();
    reputation.ban(loopback, unix_time() + 1, "test").await;
    assert!(again.dial(theirs.listen_addresses().remove(0)).await.is_err());
    assert!(reputation.unban(&Banned::Peer(peer)).await);
    assert!(!reputation.unban(&Banned::Peer(peer)).await);
    until("the end of the ban", || reputation.list().is_empty()).await;
    let deadline = TokioInstant::now() + PATIENCE;
    while again.dial(theirs.listen_addresses().remove(0)).await.is_err() {
        assert!(TokioInstant::now() < deadline, "the ban did not end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_misbehaves_is_banned_and_counted() {
    let test = RpcTest::start(0).await;
    let network = network().await;
    let reputation = Arc::new(Reputation::open(Arc::clone(&test.context), network).unwrap());
    tokio::spawn(Arc::clone(&reputation).enforce());
    let peer = PeerId::random();
    let acceptance = reputation.judge(peer, &Conduct::UndecodableBlock).await;
    assert_eq!(acceptance, Acceptance::Reject);
    let bans = reputation.list();
    assert_eq!((bans[0].0, bans[0].1.reason.as_str()), (Banned::Peer(peer), "undecodable block"));
    let metrics = test.context.metrics.encode().unwrap();
    assert!(metrics.contains("cairn_peer_bans_total{reason=\"undecodable block\"} 1\n"), "{metrics}");
    reputation.clear().await;
    assert!(reputation.list().is_empty());
}
