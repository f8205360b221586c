//! A node that mines.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::node_process::{Datadir, wait_for};

const ADDRESS: &str = "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv";

/// Height of the chain that a stopped node left.
fn height(datadir: &Datadir, network: &str) -> u64 {
    let output = datadir.run(&["chain", "status", "--network", network, "--json"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["height"].as_u64().unwrap()
}

/// A counter among the metrics.
fn counter(metrics: &str, name: &str) -> Option<u64> {
    let line = metrics.lines().find(|line| line.starts_with(name) && line[name.len()..].starts_with(' '))?;
    line[name.len() + 1..].parse().ok()
}

#[test]
fn a_node_mines_and_stops_in_order() {
    for network in ["regtest", "devnet"] {
        let datadir = Datadir::new();
        let node = datadir.start(network, &["--mine", ADDRESS, "--mine-threads", "2", "--mine-throttle", "5000"]);
        let (blocks, hashes) = wait_for("three blocks", || {
            let metrics = node.get("/metrics");
            let blocks = counter(&metrics, "cairn_miner_blocks_total")?;
            let hashes = counter(&metrics, "cairn_miner_hashes_total")?;
            (blocks >= 3).then_some((blocks, hashes))
        });
        assert!(hashes >= blocks);
        let start = Instant::now();
        let said = node.stop();
        assert!(said.contains("mined a block"), "{said}");
        assert!(start.elapsed() < Duration::from_secs(10), "{said}");
        assert!(height(&datadir, network) >= blocks);
    }
}

#[test]
fn an_address_of_another_network_is_refused() {
    let datadir = Datadir::new();
    let output = datadir.run(&["run", "--network", "main", "--mine", ADDRESS]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
