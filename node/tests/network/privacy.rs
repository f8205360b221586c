//! What is on the wire, and who is refused.

use std::net::SocketAddr;
use std::time::Duration;

use bitcoin::consensus::serialize;
use serde_json::json;

use crate::harness::node_process::{Datadir, wait_for};
use crate::harness::test_node::TestNode;
use crate::tapped_line::TappedLine;

/// The socket address and the peer id of a multiaddress such as `/ip4/127.0.0.1/tcp/4001/p2p/12D3…`.
fn parts(address: &str) -> (SocketAddr, &str) {
    let parts: Vec<&str> = address.split('/').collect();
    (format!("{}:{}", parts[2], parts[4]).parse().unwrap(), parts[6])
}

/// A line to a node, and the node's address at its near end.
pub(crate) fn line_to(node: &TestNode, delay: Duration) -> (TappedLine, String) {
    let address = node.address();
    let (socket, peer) = parts(&address);
    let line = TappedLine::to(socket, delay);
    let address = format!("/ip4/127.0.0.1/tcp/{}/p2p/{peer}", line.address.port());
    (line, address)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn nothing_that_is_known_can_be_read_on_the_wire() {
    let first = TestNode::start(Datadir::new(), &["--kademlia=false"]);
    let (line, address) = line_to(&first, Duration::ZERO);
    let second = TestNode::start(Datadir::new(), &["--kademlia=false", "--peer", &address]);
    second.wait_for_peers(1);
    first.mine(101);
    second.wait_for_tip_of(&first);
    let txid = second.spend_coinbase(1);
    first.wait_for_transaction(&txid);
    let raw = first.call("getrawtransaction", json!([txid]));
    let transaction: bitcoin::Transaction = bitcoin::consensus::encode::deserialize_hex(raw.as_str().unwrap()).unwrap();
    let heard = line.heard();
    // A hundred headers and blocks went over the line.
    assert!(heard.len() > 20_000, "{} bytes were heard", heard.len());
    for height in [1, 50, 101] {
        let block = first.block(height);
        assert!(!contains(&heard, &serialize(&block.header)), "header {height}");
        assert!(!contains(&heard, &serialize(&block.header)[4..36]), "hash below {height}");
        assert!(!contains(&heard, block.txdata[0].compute_txid().as_ref()), "coinbase of {height}");
    }
    let script = transaction.output[0].script_pubkey.as_bytes();
    assert!(!contains(&heard, script), "script of the transaction");
    assert!(!contains(&heard, &serialize(&transaction)[..60]), "the transaction");
}

/// Waits until a node has tried in vain to connect, or to be connected with.
fn wait_for_failures(node: &TestNode) {
    wait_for("connections that failed", || {
        let metrics = node.node.get("/metrics");
        let failed = metrics.lines().find_map(|line| line.strip_prefix("cairn_peer_connections_failed_total "));
        (failed?.parse::<f64>().unwrap() >= 2.0).then_some(())
    });
}

/// Two nodes, of which the second dials the first, do not come together; what each of them says.
fn refused(first: TestNode, second: TestNode) -> (String, String) {
    wait_for_failures(&second);
    assert_eq!((first.peers(), second.peers()), (0, 0));
    (first.node.stop(), second.node.stop())
}

const ALONE: &str = "--kademlia=false";

#[test]
fn whoever_answers_with_another_identity_is_refused() {
    let first = TestNode::start(Datadir::new(), &[ALONE]);
    let other = TestNode::start(Datadir::new(), &[ALONE]);
    let (first_address, other_address) = (first.address(), other.address());
    let wrong = format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", parts(&first_address).0.port(), parts(&other_address).1);
    let second = TestNode::start(Datadir::new(), &[ALONE, "--peer", &wrong]);
    wait_for_failures(&first);
    let (theirs, ours) = refused(first, second);
    assert!(ours.contains("is another peer"), "{ours}");
    assert!(
        theirs.contains("it may have expected another") || theirs.contains("inbound connection failed"),
        "{theirs}"
    );
}

fn key_file(datadir: &Datadir, digit: char) -> String {
    let key = format!("/key/swarm/psk/1.0.0/\n/base16/\n{}\n", digit.to_string().repeat(64));
    datadir.write("swarm.key", &key).to_str().unwrap().to_owned()
}

#[test]
fn whoever_has_another_secret_is_refused_and_hears_why() {
    let datadirs = [Datadir::new(), Datadir::new(), Datadir::new()];
    let [key, same, wrong] = [('a', 0), ('a', 1), ('b', 2)].map(|(digit, number)| key_file(&datadirs[number], digit));
    let [first, friend, stranger] = datadirs;
    let first = TestNode::start(first, &[ALONE, "--psk", &key]);
    let address = first.address();
    let friend = TestNode::start(friend, &[ALONE, "--psk", &same, "--peer", &address]);
    friend.wait_for_peers(1);
    friend.node.stop();
    wait_for("the end of the connection", || (first.peers() == 0).then_some(()));
    let stranger = TestNode::start(stranger, &[ALONE, "--psk", &wrong, "--peer", &address]);
    wait_for_failures(&first);
    let (theirs, ours) = refused(first, stranger);
    for said in [theirs, ours] {
        assert!(said.contains("pre-shared key"), "{said}");
        assert!(!said.contains("aaaa") && !said.contains("bbbb"), "a secret stands in a log");
    }
}

#[test]
fn whoever_has_no_secret_is_refused() {
    let datadir = Datadir::new();
    let key = key_file(&datadir, 'a');
    let first = TestNode::start(datadir, &[ALONE, "--psk", &key]);
    let second = TestNode::start(Datadir::new(), &[ALONE, "--peer", &first.address()]);
    let (_, said) = refused(first, second);
    assert!(said.contains("peer not reached"), "{said}");
}

#[test]
fn whoever_is_not_on_the_list_is_refused_and_so_is_whoever_is_not_on_ours() {
    let friend = TestNode::start(Datadir::new(), &[ALONE]);
    let address = friend.address();
    let first = TestNode::start(Datadir::new(), &[ALONE, "--allow", parts(&address).1]);
    friend.call("addnode", json!([first.address(), "add"]));
    friend.wait_for_peers(1);
    let second = TestNode::start(Datadir::new(), &[ALONE, "--peer", &first.address()]);
    wait_for_failures(&second);
    assert_eq!((first.peers(), second.peers()), (1, 0));
    let (theirs, ours) = (first.node.stop(), second.node.stop());
    assert!(theirs.contains("allow list"), "{theirs}");
    assert!(ours.contains("it may have refused us"), "{ours}");
}

#[test]
fn a_secret_and_quic_exclude_each_other() {
    let datadir = Datadir::new();
    let key = key_file(&datadir, 'a');
    let quic = "/ip4/127.0.0.1/udp/0/quic-v1";
    let output = datadir.node_command("regtest", &["--psk", &key, "--listen", quic]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("quic-v1 cannot be used"), "{said}");
}
