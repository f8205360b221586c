//! Links that are cut, slowed and broken while nodes run.

use std::time::{Duration, Instant};

use bitcoin::consensus::serialize;
use serde_json::{Value, json};

use crate::harness::node_process::{Datadir, HEIGHT, chain, wait_for};
use crate::harness::test_node::TestNode;

/// A node that knows nobody but whom it is told of, and whose links are controlled.
fn start(datadir: Datadir, args: &[&str]) -> TestNode {
    TestNode::start(datadir, &[&["--kademlia=false", "--link-control"], args].concat())
}

/// Two nodes that are connected; the second one dials.
fn pair() -> (TestNode, TestNode) {
    let first = start(Datadir::new(), &[]);
    let second = start(Datadir::new(), &["--peer", &first.address()]);
    first.wait_for_peers(1);
    second.wait_for_peers(1);
    (first, second)
}

/// Tells both ends what their link is like.
fn set_link(one: &TestNode, other: &TestNode, conditions: &Value) {
    for (node, peer) in [(one, other), (other, one)] {
        assert_eq!(node.call("setlink", json!([peer.peer_id(), conditions])), Value::Null);
    }
}

/// Dials that failed, and connections that ended before the peer said who it is.
fn failures(node: &TestNode) -> f64 {
    let metrics = node.node.get("/metrics");
    let failed = metrics.lines().find_map(|line| line.strip_prefix("cairn_peer_connections_failed_total "));
    failed.unwrap().parse().unwrap()
}

#[test]
fn a_cut_link_parts_the_network_and_a_mended_one_heals_it() {
    let (first, second) = pair();
    first.mine(3);
    second.wait_for_tip_of(&first);

    let start = Instant::now();
    set_link(&first, &second, &json!({ "cut": true }));
    for node in [&first, &second] {
        wait_for("nobody to be there", || (node.call("getpeerinfo", json!([])) == json!([])).then_some(()));
    }
    let parted = start.elapsed();
    assert!(parted < Duration::from_secs(1), "{parted:?}");

    first.mine(1);
    second.mine(2);
    let before = failures(&second);
    wait_for("vain attempts", || (failures(&second) >= before + 3.0).then_some(()));
    assert_eq!((first.height(), second.height(), first.peers(), second.peers()), (4, 5, 0, 0));

    // The end that dials is told first, and meets one that still refuses it.
    let start = Instant::now();
    set_link(&second, &first, &json!({}));
    first.wait_for_tip_of(&second);
    let healed = start.elapsed();
    assert!(healed < Duration::from_secs(3), "{healed:?}");
    assert_eq!((first.height(), first.peers(), second.peers()), (5, 1, 1));
    first.mine(1);
    second.wait_for_tip_of(&first);
    println!("parted within {} ms, healed within {} ms", parted.as_millis(), healed.as_millis());
    for node in [first, second] {
        assert_eq!(node.call("listbanned", json!([])), json!([]));
        node.node.stop();
    }
}

#[test]
fn two_sides_of_a_cut_go_on_by_themselves() {
    let (first, second) = pair();
    let third = start(Datadir::new(), &["--peer", &first.address()]);
    first.wait_for_peers(2);
    set_link(&first, &second, &json!({ "cut": true }));
    wait_for("the cut", || (first.peers() == 1 && second.peers() == 0).then_some(()));
    second.mine(1);
    first.mine(2);
    third.wait_for_tip_of(&first);
    assert_eq!(second.height(), 1);
    set_link(&first, &second, &json!({}));
    second.wait_for_tip_of(&third);
}

#[test]
fn pings_take_as_long_as_the_link_says() {
    let (first, second) = pair();
    set_link(&first, &second, &json!({ "latency_ms": 200 }));
    let ping = |node: &TestNode| node.peer()["pingtime"].as_f64().unwrap_or(0.0);
    for node in [&first, &second] {
        wait_for("a ping over the slow link", || (ping(node) >= 0.4).then_some(()));
        assert!(ping(node) < 5.0, "{}", ping(node));
    }
    second.mine(1);
    first.wait_for_tip_of(&second);
}

#[test]
fn blocks_take_as_long_as_a_narrow_link_carries_them() {
    let first = start(Datadir::with_chain(), &[]);
    let bytes: usize = (1..=u64::from(HEIGHT)).map(|height| serialize(&first.block(height)).len()).sum();
    // About three seconds.
    let bandwidth = bytes / 3;
    assert_eq!(first.call("setlink", json!(["*", { "bandwidth": bandwidth }])), Value::Null);
    let start_of_sync = Instant::now();
    let second = start(Datadir::new(), &["--peer", &first.address()]);
    wait_for("the chain", || second.is_at(chain().tip()).then_some(()));
    let took = start_of_sync.elapsed();
    println!("{bytes} bytes of blocks through {bandwidth} bytes a second took {:.1} s", took.as_secs_f64());
    assert!(took >= Duration::from_millis(2_900), "{took:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn nodes_agree_over_links_that_lose_bytes_and_break() {
    let (first, second) = pair();
    let third = start(Datadir::new(), &["--peer", &second.address()]);
    third.wait_for_peers(1);
    let bad = json!({ "latency_ms": 20, "jitter_ms": 15, "loss": 0.05, "bandwidth": 200_000 });
    set_link(&second, &third, &bad);
    set_link(&first, &second, &bad);
    // Thirty times a minute.
    let mut breaking = bad.clone();
    breaking["reset_rate"] = json!(30);
    second.call("setlink", json!([first.peer_id(), breaking]));
    second.call("setlink", json!([third.peer_id(), breaking]));
    // Peers are counted: each time one comes back it has another number.
    let comings = || {
        let peers = second.call("getpeerinfo", json!([]));
        peers.as_array().unwrap().iter().filter_map(|peer| peer["id"].as_u64()).max().unwrap_or(0)
    };
    let before = comings();
    wait_for("connections to break and to come back", || {
        first.mine(1);
        (comings() >= before + 4).then_some(())
    });
    for node in [&second, &third] {
        node.wait_for_tip_of(&first);
    }
    for node in [&first, &second, &third] {
        assert_eq!(node.call("listbanned", json!([])), json!([]));
    }
}

#[test]
fn links_are_as_they_were_set_and_nonsense_is_refused() {
    let (first, second) = pair();
    let plain = json!({
        "cut": false, "latency_ms": 0, "jitter_ms": 0, "loss": 0.0, "bandwidth": 0, "reset_rate": 0.0
    });
    assert_eq!(first.call("getlinks", json!([])), json!({ "*": plain }));
    let peer = second.peer_id();
    first.call("setlink", json!([peer, { "latency_ms": 1, "loss": 0.5 }]));
    let links = first.call("getlinks", json!([]));
    assert_eq!((&links["*"], &links[&peer]["loss"], &links[&peer]["latency_ms"]), (&plain, &json!(0.5), &json!(1)));
    first.call("setlink", json!(["*", { "jitter_ms": 1 }]));
    let links = first.call("getlinks", json!([]));
    assert_eq!(links.as_object().unwrap().len(), 1, "what is said of all is said of each: {links}");

    for (params, code, words) in [
        (json!(["nobody", {}]), -5, "expected the key that a peer is known by or '*', got 'nobody'"),
        (json!(["*", { "delay": 1 }]), -3, "Unexpected key delay"),
        (json!(["*", { "loss": 1 }]), -8, "loss of 1, expected a share from 0 to 0.9"),
        (json!(["*", { "latency_ms": 60_000 }]), -8, "expected at most 2000 ms"),
        (json!(["*", { "bandwidth": 10 }]), -8, "expected at least 1000"),
        (json!(["*"]), -1, "setlink \"peer\" "),
    ] {
        let (got, message) = first.failure("setlink", params);
        assert!(got == code && message.contains(words), "{got} {message}");
    }
    assert!(first.call("help", json!(["setlink"])).as_str().unwrap().contains("--link-control"));
}

#[test]
fn links_are_controlled_only_where_that_was_asked_for_and_allowed() {
    let node = TestNode::start(Datadir::new(), &[]);
    for (method, params) in [("setlink", json!(["*", {}])), ("getlinks", json!([]))] {
        let (code, message) = node.failure(method, params);
        assert!(code == -1 && message.contains("start the node with --link-control"), "{message}");
    }
    let datadir = Datadir::new();
    let output = datadir.run(&["run", "--network", "cairn", "--link-control"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("network cairn is not for one's own machine"), "{said}");
    let quic = ["--network", "regtest", "--link-control", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"];
    let output = datadir.run(&[&["run", "--rpc-port", "0", "--metrics-listen", "127.0.0.1:0"], &quic[..]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("link control: it shapes tcp only"), "{said}");
}
