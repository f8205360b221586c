//! Metrics and health, and the programs that ask for them.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::node_process::{Datadir, HEIGHT, Node};

/// The body of an answer of this kind.
fn body(answer: &str, status: u16, content_type: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    assert!(head.lines().any(|line| line == format!("content-type: {content_type}")), "{head}");
    body.to_owned()
}

/// The samples of a scrape, by name and labels.
fn scrape(node: &Node) -> HashMap<String, f64> {
    let text = body(&node.get("/metrics"), 200, "text/plain; version=0.0.4; charset=utf-8");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn metrics_say_where_the_chain_is() {
    let datadir = Datadir::with_chain();
    let node = datadir.start("regtest", &[]);
    let samples = scrape(&node);
    let height = f64::from(HEIGHT);
    for (name, expected) in [
        ("cairn_chain_height{kind=\"blocks\"}", height),
        ("cairn_chain_height{kind=\"headers\"}", height),
        ("cairn_reorgs_total", 0.0),
        ("cairn_build_info{network=\"regtest\",version=\"0.1.0\"}", 1.0),
    ] {
        assert_eq!(samples.get(name), Some(&expected), "{name}");
    }
    for name in [
        "cairn_chain_tip_timestamp_seconds",
        "cairn_database_bytes",
        "cairn_block_files_bytes",
        "cairn_disk_free_bytes",
        "process_resident_memory_bytes",
    ] {
        assert!(samples.get(name).is_some_and(|value| *value > 0.0), "{name}");
    }
    assert!(node.get("/nothing").starts_with("HTTP/1.1 404 "));
    node.stop();
}

#[test]
fn a_chain_that_is_being_loaded_is_ready_on_networks_of_ones_own_only() {
    let datadir = Datadir::new();
    for (network, is_ready) in [("regtest", true), ("devnet", true), ("cairn", false), ("main", false)] {
        let node = datadir.start(network, &[]);
        let healthy: Value = serde_json::from_str(&body(&node.get("/healthy"), 200, "application/json")).unwrap();
        assert_eq!(healthy, json!({ "ok": true, "reasons": [] }));
        let ready = node.get("/ready");
        if is_ready {
            assert_eq!(body(&ready, 200, "application/json"), "{\"ok\":true,\"reasons\":[]}\n");
        } else {
            let reason = "initial block download: the tip is at height 0";
            let expected = format!("{{\"ok\":false,\"reasons\":[\"{reason}\"]}}\n");
            assert_eq!(body(&ready, 503, "application/json"), expected);
        }
        let asked = datadir.run(&["health", "--network", network, "--ready"]);
        assert_eq!(asked.status.code(), Some(if is_ready { 0 } else { 6 }), "{asked:?}");
        node.stop();
    }
    // Work is no obstacle on our own network, and what is old is a matter of taste.
    let node = datadir.start("cairn", &["--max-tip-age", "4000000000"]);
    assert!(node.get("/ready").starts_with("HTTP/1.1 200 "));
    node.stop();
}

#[test]
fn health_can_be_asked_for_by_a_command() {
    let datadir = Datadir::new();
    let node = datadir.start("regtest", &[]);
    let output = datadir.run(&["health", "--network", "regtest"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"healthy\n"[..]));
    let output = datadir.run(&["health", "--network", "regtest", "--ready", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer, json!({ "ok": true, "reasons": [] }));
    // The file of a node that was killed leads nowhere.
    node.signal("KILL");
    node.wait();
    let output = datadir.run(&["health", "--network", "regtest"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: the node at http://127.0.0.1:") && said.contains("does not answer"), "{said}");
}

#[test]
fn calls_are_answered_and_counted() {
    let datadir = Datadir::with_chain();
    let node = datadir.start("regtest", &[]);
    let rpc = |args: &[&str]| datadir.run(&[&["rpc", "--network", "regtest"], args].concat());
    // The port is found in the node's own file.
    for _ in 0..3 {
        let output = rpc(&["getblockcount"]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{HEIGHT}\n"));
    }
    assert_eq!(rpc(&["getblockhash", "-1"]).status.code(), Some(8));
    let samples = scrape(&node);
    for (name, expected) in [
        ("cairn_rpc_requests_total{method=\"getblockcount\",outcome=\"ok\"}", 3.0),
        ("cairn_rpc_requests_total{method=\"getblockhash\",outcome=\"bad_request\"}", 1.0),
        ("cairn_rpc_request_duration_seconds_count{method=\"getblockcount\"}", 3.0),
        ("cairn_rpc_active_requests", 0.0),
    ] {
        assert_eq!(samples.get(name), Some(&expected), "{name}");
    }
    // Stopped by a call, it stops like by a signal.
    assert!(rpc(&["stop"]).status.success());
    let output = node.wait();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("has stopped"));
    assert!(!datadir.path().join("regtest").join(".cookie").exists());
}

/// Whoever connects and says nothing keeps nobody from asking, nor the node from stopping.
#[test]
fn silent_clients_do_no_harm() {
    let datadir = Datadir::new();
    let node = datadir.start("regtest", &[]);
    let address = node.endpoints["metrics"][0].as_str().unwrap();
    let mut silent: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    silent[0].write_all(b"GET /metr").unwrap();
    assert!(node.get("/healthy").starts_with("HTTP/1.1 200 "));
    let start = std::time::Instant::now();
    node.stop();
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn files_for_prometheus_and_grafana_are_written_once() {
    let datadir = Datadir::new();
    let folder = datadir.path().join("monitoring");
    let args = ["metrics", "export", "--dir", folder.to_str().unwrap(), "--target", "node:9332"];
    let output = datadir.run(&args);
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("prometheus.yml").contains("targets: [\"node:9332\"]"));
    assert!(read("cairn-alerts.yml").contains("- alert: CairnDown\n"));
    let dashboard: Value = serde_json::from_str(&read("cairn-dashboard.json")).unwrap();
    assert_eq!(dashboard["title"], "Cairn");
    let again = datadir.run(&args);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).unwrap().contains("--force replaces it"));
    assert!(datadir.run(&[&args[..], &["--force"]].concat()).status.success());
}
