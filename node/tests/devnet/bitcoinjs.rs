//! A program that pays by bitcoinjs-lib and is pointed at a devnet by its variables alone. The script is in
//! `tests/clients/bitcoinjs`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::running::Place;

#[test]
#[ignore = "needs Node.js and packages of npm"]
fn judy_is_paid_by_bitcoinjs() {
    let place = Place::new();
    let devnet = place.up(&["--block-time", "off"]);
    let variables = devnet.variables();
    let judy = devnet.attached["accounts"][9]["address"].as_str().unwrap();

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/bitcoinjs");
    assert!(folder.join("node_modules").exists(), "expected packages, got none: run 'npm ci' in {}", folder.display());
    let mut script = Command::new("node");
    script.current_dir(folder).arg("pay.mjs").args([&variables["BITCOIN_RPC_URL"], &variables["BITCOIN_RPC_COOKIE"]]);
    let output = script.args([judy, "60000000"]).output().expect("Node.js is installed");
    assert!(output.status.success(), "{output:?}");

    let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(sent["txid"], sent["computed"]);
    assert_eq!(devnet.ask(&["mine", "--node", "bob"])["agree"], 4);
    let seen = devnet.call("carol", "getrawtransaction", &[sent["txid"].as_str().unwrap(), "1"]);
    assert_eq!(seen["confirmations"], 1, "{seen}");
    assert_eq!((&seen["vout"][0]["value"], &seen["vout"][0]["scriptPubKey"]["address"]), (&json!(0.6), &json!(judy)));
}
