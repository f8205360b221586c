//! Other nodes.

use serde_json::json;

use super::{Example, run};
use crate::harness::node_process::Datadir;
use crate::harness::test_node::TestNode;
use crate::stage::Stage;

pub(super) const ADD: &[Example] = &[
    Example::Ends("cairn peers add /ip4/192.0.2.7/tcp/8433"),
    Example::Ends("cairn peers add /dns4/node.example.org/tcp/8433"),
    Example::Ends("cairn peers add 192.0.2.7:8433"),
    Example::Ends("cairn peers"),
    Example::Stays("cairn peers --watch"),
];

pub(super) const DISCONNECT: &[Example] =
    &[Example::Ends("cairn peers remove 192.0.2.7:8433"), Example::Ends("cairn peers disconnect 192.0.2.7:8433")];

pub(super) const BAN: &[Example] = &[
    Example::Ends("cairn peers ban 192.0.2.7"),
    Example::Ends("cairn peers unban 192.0.2.7"),
    Example::Ends("cairn peers ban 192.0.2.0/24 --for 7d"),
    Example::Ends("cairn peers ban 2001:db8::/32 --for 7d"),
    Example::Ends("cairn peers banned"),
    Example::Ends("cairn peers banned --json"),
];

/// A node on the loopback interface stands for the one that the examples add. Addresses that are banned are asked for nothing, so
/// they may be the world's.
#[test]
fn peers() {
    let (node, other) = (TestNode::start(Datadir::new(), &[]), TestNode::start(Datadir::new(), &[]));
    let mut stage = Stage::beside(&node);
    let address = other.address();
    let (address, _) = address.split_once("/p2p/").unwrap();
    let port = address.rsplit('/').next().unwrap();
    stage.let_mean("/ip4/192.0.2.7/tcp/8433", address);
    stage.let_mean("/dns4/node.example.org/tcp/8433", "/dns4/localhost/tcp/1");
    stage.let_mean("192.0.2.7:8433", &format!("127.0.0.1:{port}"));
    run(&stage, &ADD[..1]);
    node.wait_for_peers(1);
    // Its other name is told to be the same.
    node.call("addnode", json!([address, "remove"]));
    run(&stage, &ADD[1..]);
    run(&stage, DISCONNECT);
    node.wait_for_peers(0);
    run(&stage, BAN);
    assert_eq!(node.call("listbanned", json!([])).as_array().map(Vec::len), Some(2));
}
