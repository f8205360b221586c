//! PSBTs between three wallets; signing without a node.

use serde_json::{Value, json};

use crate::harness::node_process::Datadir;
use crate::scene::{Scene, Wallets};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Three wallets with words of their own, and each with the shared descriptor.
fn three_signers(wallets: &Wallets<'_>, pattern: &str) {
    let mut descriptor = pattern.to_owned();
    for name in NAMES {
        wallets.run(&["create", name]).success();
        let key = wallets.say(&["export", "-w", name, "--key", "m/48h/1h/0h/2h"]);
        descriptor = descriptor.replace(&format!("@{name}"), &format!("{key}/<0;1>/*"));
    }
    for name in NAMES {
        let shared = format!("{name}-shared");
        let created = wallets.json(&["create", &shared, "--descriptor", &descriptor, "--keys-of", name]);
        assert_eq!(created["can_sign"], true);
    }
    let watching = wallets.json(&["create", "watching", "--descriptor", &descriptor]);
    assert_eq!(watching["can_sign"], false);
}

/// Two of three sign a payment that one who only watches has made; who has signed is seen at each step.
fn two_of_three(pattern: &str) {
    let scene = Scene::open();
    let wallets = scene.wallets();
    three_signers(&wallets, pattern);
    let address = wallets.address("alice-shared");
    assert_eq!(wallets.address("watching"), address);
    scene.mine_to(1, &address);
    scene.mine(100);

    let to = wallets.address("carol");
    wallets.run(&["send", "-w", "watching", "-y", &to, "1btc"]).fails(1, "only watches");
    let made = wallets.json(&["psbt", "create", "-w", "watching", &to, "1btc", "--fee-rate", "4"]);
    let psbt = made["psbt"].as_str().unwrap();
    let seen: Value =
        serde_json::from_str(&wallets.run_with(&["psbt", "inspect", "-w", "bob-shared", "--json"], psbt).success())
            .unwrap();
    assert_eq!(seen["fee"], made["fee"]);
    assert_eq!(seen["inputs"][0]["is_mine"], true);
    assert!(seen["inputs"][0]["signers"].as_array().unwrap().len() >= 3);
    let mine = seen["outputs"].as_array().unwrap().iter().filter(|output| output["is_mine"] == true).count();
    assert_eq!(mine, 1, "the change");

    let sign = |name: &str, psbt: &str| {
        wallets.run_with(&["psbt", "sign", "--offline", "-y", "-w", &format!("{name}-shared")], psbt).success()
    };
    let by_alice = sign("alice", psbt);
    wallets.run_with(&["psbt", "finalize"], &by_alice).fails(1, "not complete");
    wallets.run_with(&["psbt", "broadcast", "-y"], &by_alice).fails(1, "not complete");
    let by_carol = sign("carol", psbt);
    let files = [("alice.psbt", &by_alice), ("carol.psbt", &by_carol)]
        .map(|(name, psbt)| scene.datadir.write(name, psbt).to_str().unwrap().to_owned());
    let combined = wallets.say(&["psbt", "combine", &files[0], &files[1]]);
    let final_psbt = wallets.run_with(&["psbt", "finalize"], &combined).success();
    let sent: Value =
        serde_json::from_str(&wallets.run_with(&["psbt", "broadcast", "-y", "--json"], &final_psbt).success()).unwrap();
    let entry = scene.rpc.call("getmempoolentry", &json!([sent["txid"]]));
    assert_eq!(entry["vsize"], made["vsize"], "weighed before anybody signed");
    assert_eq!(made["fee"].as_u64().unwrap(), made["vsize"].as_u64().unwrap() * 4);
    scene.mine(1);
    assert_eq!(wallets.spendable("carol"), 100_000_000);
}

#[test]
fn two_of_three_by_witness_script() {
    two_of_three("wsh(sortedmulti(2,@alice,@bob,@carol))");
}

#[test]
fn two_of_three_by_script_hash() {
    two_of_three("sh(wsh(sortedmulti(2,@alice,@bob,@carol)))");
}

#[test]
fn two_of_three_by_old_script_hash() {
    two_of_three("sh(sortedmulti(2,@alice,@bob,@carol))");
}

/// A tapscript of two of three, below a key that nobody has.
#[test]
fn two_of_three_by_tapscript() {
    let nobody = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";
    two_of_three(&format!("tr({nobody},multi_a(2,@alice,@bob,@carol))"));
}

/// Keys on a machine without a node: it signs, and its node-less commands work.
#[test]
fn signing_without_a_node() {
    let scene = Scene::open();
    let (online, vault) = (scene.wallets(), Datadir::new());
    let offline = Wallets { datadir: &vault, network: "regtest", node: vec!["--offline".to_owned()] };
    let password = vault.write("password", "vault passphrase\n");
    let password = password.to_str().unwrap();
    offline.run(&["create", "cold", "--password-file", password]).success();
    let descriptor = offline.say(&["export"]);
    online.run(&["create", "hot", "--descriptor", &descriptor]).success();
    assert_eq!(offline.address("cold"), online.address("hot"));
    scene.fund("hot", 1);

    let to = online.address("hot");
    let psbt = online.json(&["send", "--psbt", &to, "1btc"])["psbt"].as_str().unwrap().to_owned();
    offline.run_with(&["psbt", "sign"], &psbt).fails(2, "say yes with -y");
    offline.run_with(&["psbt", "sign", "-y"], &psbt).fails(2, "--password-file");
    let signed = offline.run_with(&["psbt", "sign", "-y", "--password-file", password], &psbt).success();
    let seen = offline.run_with(&["psbt", "inspect"], &signed).success();
    assert!(seen.contains("1 signed") && seen.contains("this wallet's"), "{seen}");
    offline.run_with(&["psbt", "broadcast", "-y"], &signed).fails(2, "--offline was given");
    online.run_with(&["psbt", "broadcast", "-y"], &signed).success();

    let signature = offline.say(&["sign-message", &to, "I was here", "--password-file", password]);
    online.run(&["verify-message", &to, &signature, "I was here"]).success();
    online.run(&["verify-message", &to, &signature, "I was there"]).fails(1, "not of this address and message");
}
