//! What each node tells Prometheus is what its chain, pool and peers are.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::node_process::PATIENCE;
use crate::harness::test_cluster::TestCluster;
use crate::harness::test_node::TestNode;

/// A sample, by its name and labels; zero where nothing was counted yet.
fn sample(metrics: &str, name: &str) -> f64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0.0, |value| value.parse().unwrap())
}

/// Samples that differ from what the node answers to calls.
fn differences(node: &TestNode) -> Vec<String> {
    let number = |value: &Value| value.as_f64().unwrap();
    let chain = node.call("getblockchaininfo", json!([]));
    let pool = node.call("getmempoolinfo", json!([]));
    let network = node.call("getnetworkinfo", json!([]));
    let metrics = node.node.get("/metrics");
    let peers = |direction: &str| {
        let of = |transport| {
            sample(&metrics, &format!("cairn_peers{{direction=\"{direction}\",transport=\"{transport}\"}}"))
        };
        of("tcp") + of("quic")
    };
    let connected = sample(&metrics, "cairn_blocks_connected_total");
    let disconnected = sample(&metrics, "cairn_blocks_disconnected_total");
    [
        ("blocks", sample(&metrics, "cairn_chain_height{kind=\"blocks\"}"), number(&chain["blocks"])),
        ("headers", sample(&metrics, "cairn_chain_height{kind=\"headers\"}"), number(&chain["headers"])),
        ("time of the tip", sample(&metrics, "cairn_chain_tip_timestamp_seconds"), number(&chain["time"])),
        ("connected less disconnected", connected - disconnected, number(&chain["blocks"])),
        ("transactions", sample(&metrics, "cairn_mempool_transactions"), number(&pool["size"])),
        ("virtual bytes", sample(&metrics, "cairn_mempool_virtual_bytes"), number(&pool["bytes"])),
        ("inbound peers", peers("inbound"), number(&network["connections_in"])),
        ("outbound peers", peers("outbound"), number(&network["connections_out"])),
    ]
    .into_iter()
    .filter(|(_, told, answered)| told != answered)
    .map(|(what, told, answered)| format!("{what}: {told} of metrics, {answered} of calls"))
    .collect()
}

fn all_tell_what_is(cluster: &TestCluster) {
    for node in cluster.nodes() {
        let start = Instant::now();
        loop {
            // What happened is counted a moment later.
            let differences = differences(node);
            if differences.is_empty() {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "{differences:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn metrics_of_every_node_are_what_its_chain_is() {
    let cluster = TestCluster::mesh(4);
    all_tell_what_is(&cluster);
    cluster[0].mine(110);
    cluster.wait_for_tip_of(0);
    let sent = [1, 2, 3].map(|height| cluster[height - 1].spend_coinbase(u64::try_from(height).unwrap()));
    for txid in &sent {
        cluster.wait_for_transaction(txid);
    }
    all_tell_what_is(&cluster);

    cluster.partition(&[3]);
    // Without a transaction of its own its blocks might be those of the others.
    cluster[3].spend_coinbase(4);
    cluster[3].mine(2);
    cluster[0].mine(3);
    all_tell_what_is(&cluster);
    cluster.heal(&[3]);
    all_tell_what_is(&cluster);
    let reorganised = |node: &TestNode| sample(&node.node.get("/metrics"), "cairn_reorgs_total");
    assert_eq!(cluster.nodes().iter().map(reorganised).collect::<Vec<_>>(), [0.0, 0.0, 0.0, 1.0]);
}
