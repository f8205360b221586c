//! Wallets of different nodes pay each other.

use serde_json::{Value, json};

use crate::harness::test_cluster::TestCluster;
use crate::harness::test_node::TestNode;

/// What a node's wallet command answers.
fn wallet(node: &TestNode, args: &[&str]) -> Value {
    serde_json::from_str(&node.cairn(&[&["wallet"], args, &["--json"]].concat())).unwrap()
}

fn address(node: &TestNode) -> String {
    wallet(node, &["receive"])["address"].as_str().unwrap().to_owned()
}

fn pay(node: &TestNode, to: &str, amount: &str) -> Value {
    wallet(node, &["send", to, amount, "-y", "--fee-rate", "2"])
}

fn status(node: &TestNode, txid: &Value) -> Value {
    let history = wallet(node, &["history"]);
    let entry = history.as_array().unwrap().iter().find(|entry| entry["txid"] == *txid).cloned();
    entry.map_or(Value::Null, |entry| entry["status"].clone())
}

#[test]
fn wallets_of_three_nodes_pay_each_other() {
    let cluster = TestCluster::line(3);
    for node in cluster.nodes() {
        node.cairn(&["wallet", "create", "purse", "--no-passphrase", "--show-secret"]);
    }
    let [alice, bob, carol] = [0, 1, 2].map(|index| &cluster[index]);
    alice.call("generatetoaddress", json!([1, address(alice)]));
    alice.mine(100);
    cluster.wait_for_tip_of(0);
    assert_eq!(wallet(alice, &["balance"])["spendable"], 5_000_000_000_u64);

    let sent = pay(alice, &address(carol), "20btc");
    let txid = &sent["txid"];
    cluster.wait_for_transaction(txid);
    assert_eq!((status(carol, txid), wallet(carol, &["balance"])["spendable"].clone()), (json!("pending"), json!(0)));
    bob.mine(1);
    cluster.wait_for_tip_of(1);
    assert_eq!(status(carol, txid), "confirmed");

    // Carol pays on; all of it is there in the end, but for what the miners got.
    let passed_on = pay(carol, &address(bob), "5btc");
    cluster.wait_for_transaction(&passed_on["txid"]);
    alice.mine(1);
    cluster.wait_for_tip_of(0);
    let total = |node| wallet(node, &["balance"])["total"].as_u64().unwrap();
    let fee = |sent: &Value| sent["fee"].as_u64().unwrap();
    assert_eq!(total(bob), 500_000_000);
    assert_eq!(total(carol), 1_500_000_000 - fee(&passed_on));
    assert_eq!(total(alice), 3_000_000_000 - fee(&sent));
}
