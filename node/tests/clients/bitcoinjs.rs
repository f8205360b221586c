//! A payment by bitcoinjs-lib, whose script is in `tests/clients/bitcoinjs`.
//!
//! Ignored unless asked for: it needs Node.js, and `npm ci` in that folder.

use std::path::Path;
use std::process::{Command, Output};

use bitcoin::Amount;
use serde_json::{Value, json};

use crate::harness::node_process::Datadir;
use crate::harness::test_node::TestNode;
use crate::purse::Purse;

const PAID: Amount = Amount::from_sat(123_456_789);

/// Runs the script against a node.
fn pay(node: &TestNode, address: &str, amount: Amount) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/bitcoinjs");
    assert!(folder.join("node_modules").exists(), "expected packages, got none: run 'npm ci' in {}", folder.display());
    let mut script = Command::new("node");
    script.current_dir(folder).args(["pay.mjs", &node.rpc.url()]);
    script.arg(node.folder().join(".cookie")).args([address, &amount.to_sat().to_string()]);
    script.output().expect("Node.js is installed")
}

#[test]
#[ignore = "needs Node.js and packages of npm"]
fn bitcoinjs_builds_signs_and_broadcasts_a_payment() {
    let node = TestNode::start(Datadir::new(), &[]);
    for address in [Purse::new(1).taproot_address(), Purse::new(1).address(), Purse::new(1).legacy_address()] {
        let output = pay(&node, &address.to_string(), PAID);
        assert!(output.status.success(), "{output:?}");
        let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(sent["txid"], sent["computed"]);
        assert_eq!(node.call("getrawmempool", json!([])), json!([sent["txid"]]));
        assert_eq!(node.call("getmempoolentry", json!([sent["txid"]]))["fees"]["base"], json!(0.00001));

        node.mine(1);
        assert_eq!(node.call("getrawmempool", json!([])), json!([]));
        let block = node.block(node.height());
        let mined = &block.txdata[1];
        assert_eq!(json!(mined.compute_txid()), sent["txid"]);
        assert_eq!((mined.output[0].value, &mined.output[0].script_pubkey), (PAID, &address.script_pubkey()));
    }
}

/// What the node refuses, the script does not take for a payment.
#[test]
#[ignore = "needs Node.js and packages of npm"]
fn a_payment_that_fails_is_told() {
    let node = TestNode::start(Datadir::new(), &[]);
    let dust = pay(&node, &Purse::new(1).address().to_string(), Amount::from_sat(1));
    let said = String::from_utf8(dust.stderr).unwrap();
    assert!(
        !dust.status.success()
            && said.contains("sendrawtransaction: dust, tx with dust output must be 0-fee (code -26)"),
        "{said}"
    );
    assert_eq!(node.call("getrawmempool", json!([])), json!([]));
}
