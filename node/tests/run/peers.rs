//! Two nodes that know each other.

use bitcoin::Block;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use serde_json::{Value, json};

use crate::harness::anyone::{ADDRESS, spend};
use crate::harness::node_process::{Datadir, wait_for};
use crate::harness::test_node::TestNode;

#[test]
fn two_nodes_gossip_what_they_mine_and_are_sent() {
    // One has a chain, the other nothing but its address.
    let first = TestNode::start(Datadir::with_chain(), &[]);
    let second = TestNode::start(Datadir::new(), &["--peer", &first.address()]);
    second.wait_for_tip_of(&first);
    assert_eq!(first.call("getconnectioncount", json!([])), 1);
    assert_eq!(second.call("getpeerinfo", json!([]))[0]["inbound"], false);
    wait_for("the peer among the metrics", || {
        let is_told = |metrics: String| metrics.contains("cairn_peers{direction=\"inbound\",transport=\"tcp\"} 1\n");
        is_told(first.node.get("/metrics")).then_some(())
    });

    // A block that is mined on either reaches the other.
    first.mine(101);
    second.wait_for_tip_of(&first);
    second.mine(1);
    first.wait_for_tip_of(&second);

    // So does a transaction, which the other mines.
    let height = first.call("getblockcount", json!([])).as_u64().unwrap();
    let hash = first.call("getblockhash", json!([height - 100]));
    let block: Block = deserialize_hex(first.call("getblock", json!([hash, 0])).as_str().unwrap()).unwrap();
    let transaction = spend(&block, 1_000, 1);
    let txid = second.call("sendrawtransaction", json!([serialize_hex(&transaction)]));
    wait_for("the transaction", || {
        let pool = first.call("getrawmempool", json!([]));
        pool.as_array().unwrap().contains(&txid).then_some(())
    });
    first.mine(1);
    second.wait_for_tip_of(&first);
    assert_eq!(second.call("getrawmempool", json!([])), json!([]));
    assert_eq!(second.call("gettxout", json!([txid, 0]))["confirmations"], 1);

    // All of that is counted.
    for sample in [
        "cairn_peer_bytes_total{direction=\"received\"}",
        "cairn_peer_bytes_total{direction=\"sent\"}",
        "cairn_gossip_messages_total{kind=\"header\",outcome=\"taken\"}",
        "cairn_peer_requests_total{direction=\"from_peer\",outcome=\"taken\"}",
        "cairn_peer_requests_total{direction=\"to_peer\",outcome=\"sent\"}",
        "cairn_compact_blocks_total{outcome=\"pool\"}",
        "cairn_peer_request_duration_seconds_count{kind=\"headers\"}",
        "cairn_block_header_to_body_seconds_count",
    ] {
        wait_for(sample, || {
            let metrics = second.node.get("/metrics");
            let value = metrics.lines().find_map(|line| line.strip_prefix(sample))?;
            (value.trim().parse::<f64>().unwrap() > 0.0).then_some(())
        });
    }

    // One that was away hears what happened meanwhile, though both mined.
    let address = first.address();
    let TestNode { datadir, node, .. } = second;
    node.stop();
    let second = TestNode::start(datadir, &["--listen", "/ip4/127.0.0.1/tcp/0"]);
    second.mine(1);
    first.mine(3);
    let TestNode { datadir, node, .. } = second;
    node.stop();
    let second = TestNode::start(datadir, &["--peer", &address]);
    second.wait_for_tip_of(&first);
    first.node.stop();
    second.node.stop();
}

#[test]
fn two_nodes_mine_one_chain() {
    let mine = ["--mine", ADDRESS, "--mine-throttle", "20"];
    let first = TestNode::start(Datadir::new(), &mine);
    let address = first.address();
    let second = TestNode::start(Datadir::new(), &[&mine[..], &["--peer", &address]].concat());
    wait_for("twenty blocks", || (first.call("getblockcount", json!([])).as_u64().unwrap() >= 20).then_some(()));
    let last = first.tip();
    let TestNode { datadir, node, .. } = first;
    node.stop();
    wait_for("the last block of the first", || second.rpc.reply("getblockheader", &json!([last])).result);
    let first = TestNode::start(datadir, &["--listen", "/ip4/127.0.0.1/tcp/0", "--peer", &second.address()]);
    wait_for("one tip", || {
        let tips = [first.tip(), second.tip()];
        (tips[0] == tips[1]).then_some(())
    });
    first.node.stop();
    second.node.stop();
}

#[test]
fn a_node_is_added_and_disconnected_and_the_network_switched_off() {
    let first = TestNode::start(Datadir::new(), &[]);
    let second = TestNode::start(Datadir::new(), &[]);
    // As Core writes addresses, and not as libp2p does.
    let multiaddr = second.address();
    let parts: Vec<_> = multiaddr.split('/').collect();
    let (address, peer_id) = (format!("{}:{}", parts[2], parts[4]), parts[6]);
    assert_eq!(first.call("addnode", json!([address, "add"])), Value::Null);
    first.wait_for_peers(1);
    second.wait_for_peers(1);
    let info = first.peer();
    assert_eq!((&info["addr"], &info["peer_id"]), (&json!(address), &json!(peer_id)));
    assert_eq!((&info["connection_type"], &info["transport_protocol_type"]), (&json!("manual"), &json!("tcp")));
    assert_eq!((&second.peer()["inbound"], &second.peer()["addrbind"]), (&json!(true), &json!(address)));
    wait_for("a word on its chain", || (first.peer()["servicesnames"] == json!(["NETWORK", "WITNESS"])).then_some(()));
    assert_eq!((&first.peer()["synced_headers"], &first.peer()["synced_blocks"]), (&json!(0), &json!(0)));
    wait_for("a ping", || first.peer()["pingtime"].as_f64());

    let already = (-23, "Error: Node already added".to_owned());
    assert_eq!(first.failure("addnode", json!([address, "add"])), already);
    assert_eq!(first.failure("addnode", json!([multiaddr, "add"])), already);
    let added = json!([{
        "addednode": address, "connected": true, "addresses": [{ "address": address, "connected": "outbound" }]
    }]);
    assert_eq!(first.call("getaddednodeinfo", json!([])), added);
    assert_eq!(first.call("getaddednodeinfo", json!([address])), added);
    assert_eq!(first.failure("getaddednodeinfo", json!(["192.0.2.1:1"])).0, -24);
    assert_eq!(first.call("addnode", json!([address, "remove"])), Value::Null);
    assert_eq!(first.failure("addnode", json!([address, "remove"])).0, -24);
    assert_eq!(first.failure("addnode", json!(["a b", "add"])).0, -8);
    assert!(first.failure("addnode", json!([address, "twice"])).1.starts_with("addnode \"node\" \"command\""));
    assert_eq!(first.call("getaddednodeinfo", json!([])), json!([]));

    // What is told of the network follows.
    let totals = |node: &TestNode| node.call("getnettotals", json!([]))["totalbytesrecv"].as_u64().unwrap();
    let before = totals(&second);
    assert!(before > 0);
    first.mine(5);
    second.wait_for_tip_of(&first);
    assert!(totals(&second) > before);
    let known = first.call("getnodeaddresses", json!([0]));
    assert!(known.as_array().unwrap().iter().any(|node| node["multiaddress"] == *multiaddr), "{known}");

    let unknown = (-29, "Node not found in connected nodes".to_owned());
    assert_eq!(first.failure("disconnectnode", json!(["192.0.2.1:1"])), unknown);
    assert_eq!(first.failure("disconnectnode", json!(["", 77])), unknown);
    assert_eq!(first.failure("disconnectnode", json!([address, 0])).0, -32602);
    let id = second.peer()["id"].clone();
    assert_eq!(second.call("disconnectnode", json!(["", id])), Value::Null);
    wait_for("the end of the connection", || {
        // It may have come back by itself.
        let peers = second.call("getpeerinfo", json!([]));
        peers.as_array().unwrap().iter().all(|peer| peer["id"] != id).then_some(())
    });

    assert_eq!(first.call("setnetworkactive", json!([false])), false);
    first.wait_for_peers(0);
    assert_eq!(first.call("getnetworkinfo", json!([]))["networkactive"], false);
    second.wait_for_peers(0);
    assert_eq!(first.call("setnetworkactive", json!([true])), true);
    assert_eq!(first.call("addnode", json!([multiaddr, "onetry"])), Value::Null);
    first.wait_for_peers(1);
    let info = first.call("getnetworkinfo", json!([]));
    assert_eq!((&info["networkactive"], &info["connections_out"]), (&json!(true), &json!(1)));
    assert_eq!(info["localservicesnames"], json!(["NETWORK", "WITNESS"]));
    first.node.stop();
    second.node.stop();
}

#[test]
fn a_banned_peer_stays_out_after_a_restart_until_it_is_pardoned() {
    let first = TestNode::start(Datadir::new(), &[]);
    let second = TestNode::start(Datadir::new(), &["--peer", &first.address()]);
    first.wait_for_peers(1);
    let peer = first.peer()["peer_id"].as_str().unwrap().to_owned();
    assert_eq!(first.call("setban", json!([peer, "add"])), Value::Null);
    first.wait_for_peers(0);
    let already = (-23, "Error: IP/Subnet already banned".to_owned());
    assert_eq!(first.failure("setban", json!([peer, "add"])), already);
    assert_eq!(first.failure("setban", json!(["192.0.2.0/33", "add"])), (-30, "Error: Invalid IP/Subnet".to_owned()));
    assert_eq!(first.failure("setban", json!(["192.0.2.1", "remove"])).0, -30);
    assert_eq!(first.failure("setban", json!(["192.0.2.1", "add", 1, true])).0, -8);
    assert!(first.node.get("/metrics").contains("cairn_peer_bans_total{reason=\"manually added\"} 1\n"));

    // The same node at another port, and the banned one is sent there again and again.
    let TestNode { datadir, node, .. } = first;
    node.stop();
    let first = TestNode::start(datadir, &[]);
    second.call("addnode", json!([first.address(), "add"]));
    let ban = &first.call("listbanned", json!([]))[0];
    assert_eq!((&ban["address"], &ban["ban_reason"]), (&json!(peer), &json!("manually added")));
    assert_eq!(ban["ban_duration"], 86_400);
    // Others come in meanwhile.
    let third = TestNode::start(Datadir::new(), &["--peer", &first.address()]);
    first.wait_for_peers(1);
    assert_ne!(first.peer()["peer_id"], *peer);
    third.node.stop();
    first.wait_for_peers(0);
    assert_eq!(first.call("setban", json!([peer, "remove"])), Value::Null);
    assert_eq!(first.peer()["peer_id"], *peer);

    // Everybody at an address, for a moment: the ban ends by itself.
    assert_eq!(first.call("setban", json!(["127.0.0.0/8", "add", 1])), Value::Null);
    first.wait_for_peers(0);
    first.wait_for_peers(1);
    assert_eq!(first.call("listbanned", json!([])), json!([]));

    first.call("setban", json!(["192.0.2.0/24", "add"]));
    assert_eq!(first.call("clearbanned", json!([])), Value::Null);
    assert_eq!(first.call("listbanned", json!([])), json!([]));
    first.node.stop();
    second.node.stop();
}

#[test]
fn peers_are_seen_and_managed_from_the_command_line() {
    let first = TestNode::start(Datadir::new(), &[]);
    let second = TestNode::start(Datadir::new(), &[]);
    let address = second.address();
    assert_eq!(first.cairn(&["peers", "add", &address]), format!("added {address}\n"));
    first.wait_for_peers(1);
    let table = first.cairn(&["peers"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("PEER") && lines[0].ends_with("CLIENT"), "{table}");
    let peer = first.peer()["peer_id"].as_str().unwrap().to_owned();
    assert!(lines.len() == 2 && lines[1].starts_with(&peer) && lines[1].contains("  outbound  "), "{table}");
    let listed: Value = serde_json::from_str(&first.cairn(&["peers", "--json"])).unwrap();
    assert_eq!(listed[0]["peer_id"], *peer);

    assert_eq!(first.cairn(&["peers", "ban", &peer, "--for", "2h"]), format!("banned {peer}\n"));
    first.wait_for_peers(0);
    let banned = first.cairn(&["peers", "banned"]);
    assert!(
        banned.lines().nth(1).is_some_and(|line| line.starts_with(&peer) && line.ends_with("manually added")),
        "{banned}"
    );
    let banned: Value = serde_json::from_str(&first.cairn(&["peers", "banned", "--json"])).unwrap();
    assert_eq!(banned[0]["ban_duration"], 7200);
    assert_eq!(first.cairn(&["peers", "unban", &peer]), format!("{peer} may connect again\n"));
    first.wait_for_peers(1);
    assert_eq!(first.cairn(&["peers", "remove", &address]), format!("removed {address}\n"));
    assert_eq!(first.cairn(&["peers", "disconnect", &peer]), format!("disconnected {peer}\n"));
    first.node.stop();
    second.node.stop();
}
