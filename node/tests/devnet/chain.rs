//! Mining, payments, time.

use serde_json::Value;

use crate::harness::node_process::wait_for;
use crate::running::Place;

#[test]
fn blocks_are_mined_when_they_are_asked_for() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--topology", "line", "--block-time", "off"]);
    assert_eq!(devnet.of_each("peers"), [1, 1]);
    let mined = devnet.ask(&["mine", "3", "--node", "bob", "--to", "@carol"]);
    assert_eq!(
        (mined["node"].as_str(), mined["height"].as_u64(), mined["agree"].as_u64()),
        (Some("bob"), Some(143), Some(2))
    );
    let block = devnet.call("alice", "getblock", &[mined["hashes"][2].as_str().unwrap(), "2"]);
    let carol = &devnet.attached["accounts"][2]["address"];
    assert_eq!(&block["tx"][0]["vout"][0]["scriptPubKey"]["address"], carol);

    // A hundred at once are no harder than one: the clocks follow.
    assert_eq!(devnet.ask(&["mine", "100"])["height"], 243);
    let status = devnet.ask(&["status"]);
    assert!((1..=400).contains(&status["seconds_ahead"].as_u64().unwrap()), "{status}");
    let difficulty = |node| devnet.call(node, "getdifficulty", &[]).as_f64().unwrap();
    assert!(difficulty("alice") < 4.0 / 65_536.0);

    for (args, problem) in [
        (&["mine", "0"][..], "expected 1 to 100000 blocks, got 0"),
        (&["mine", "--node", "eve"], "there is no node eve; nodes are alice, bob"),
        (&["mine", "--to", "@eve"], "there is no account eve; accounts are alice, bob"),
        (&["mine", "--to", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"], "is an address of another network"),
    ] {
        let (code, said) = devnet.fail(args);
        assert!(code == 1 && said.contains(problem), "{said}");
    }
}

/// Thirty blocks in half a second: nodes ask each other for what none of them has yet, and must not wait for each other.
#[test]
fn many_blocks_at_once_reach_all_nodes_without_a_pause() {
    let place = Place::new();
    let devnet = place.up(&["-n", "6", "--block-time", "off"]);
    for _ in 0..10 {
        let mined = devnet.ask(&["mine", "30", "--node", "bob"]);
        // Whoever missed something finds it every ten seconds in any case.
        assert!(mined["agree"] == 6 && mined["milliseconds"].as_u64().unwrap() < 4_000, "{mined}");
    }
}

#[test]
fn the_first_blocks_are_as_old_as_if_they_had_come_one_by_one() {
    let place = Place::new();
    let devnet = place.up(&["-n", "1", "--block-time", "off"]);
    let time = |height: &str| {
        let hash = devnet.call("alice", "getblockhash", &[height]);
        devnet.call("alice", "getblockheader", &[hash.as_str().unwrap()])["time"].as_u64().unwrap()
    };
    assert_eq!(time("140") - time("1"), 139 * 3);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(now - time("140") < 60);
    assert_eq!(devnet.call("alice", "getblockchaininfo", &[])["initialblockdownload"], false);
    // Each account has a hundred coins.
    let accounts = devnet.attached["accounts"].as_array().unwrap();
    for account in &accounts[..10] {
        let descriptor = format!("[\"addr({})\"]", account["address"].as_str().unwrap());
        let scan = devnet.call("alice", "scantxoutset", &["start", &descriptor]);
        assert_eq!(scan["total_amount"], 100.0, "{account}");
    }
}

#[test]
fn another_block_time_is_another_network_and_may_be_changed() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--block-time", "poisson:7s"]);
    assert_eq!(devnet.attached["network"], "devnet-7s");
    let time = |height: &str| {
        let hash = devnet.call("bob", "getblockhash", &[height]);
        devnet.call("bob", "getblockheader", &[hash.as_str().unwrap()])["time"].as_u64().unwrap()
    };
    assert_eq!(time("140") - time("1"), 139 * 7);
    assert_eq!(devnet.run(&["mining", "--block-time", "100ms"]), "block time 100ms\n");
    wait_for("ten blocks", || devnet.of_each("height").iter().all(|height| height.as_u64() > Some(150)).then_some(()));
    assert_eq!(
        devnet.run(&["mining", "--block-time", "off", "--mine-on-tx"]),
        "block time off, and a block for each transaction at once\n"
    );
    devnet.wait_for_agreement();
    let paid = devnet.ask(&["faucet", "@bob", "1btc", "--no-mine"]);
    wait_for("the payment to be mined", || {
        let confirmations =
            &devnet.call("bob", "getrawtransaction", &[paid["txid"].as_str().unwrap(), "1"])["confirmations"];
        confirmations.as_u64().filter(|confirmations| *confirmations > 0)
    });
}

#[test]
fn core_s_regtest_to_the_letter() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--regtest", "--block-time", "off"]);
    assert_eq!(devnet.attached["network"], "regtest");
    let genesis = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
    assert_eq!(devnet.call("bob", "getblockhash", &["0"]), genesis);
    let mined = devnet.ask(&["mine", "1200"]);
    assert_eq!((&mined["height"], &mined["blocks"]), (&1340.into(), &1200.into()));
    // Of many blocks the newest are told.
    let hashes = mined["hashes"].as_array().unwrap();
    assert_eq!((hashes.len(), &hashes[999]), (1000, &devnet.call("bob", "getblockhash", &["1340"])));
    assert!(devnet.call("bob", "getdifficulty", &[]).as_f64() < Some(1e-9), "blocks are as easy as ever");
}

#[test]
fn the_faucet_pays() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--block-time", "off"]);
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let paid = devnet.ask(&["faucet", address, "120.5btc"]);
    assert_eq!((paid["confirmed_at"].as_u64(), paid["satoshis"].as_u64()), (Some(141), Some(12_050_000_000)));
    let output = |node: &str, paid: &Value| devnet.call(node, "gettxout", &[paid["txid"].as_str().unwrap(), "0"]);
    assert_eq!(output("bob", &paid)["value"], 120.5);
    assert_eq!(output("bob", &paid)["scriptPubKey"]["address"], address);
    // Before it is mined it is in all pools, and payments do not get into each other's way.
    for _ in 0..3 {
        devnet.run(&["faucet", "@judy", "70000sat", "--no-mine"]);
    }
    wait_for("the payments in all pools", || (devnet.of_each("mempool") == [3, 3]).then_some(()));
    devnet.run(&["mine"]);
    assert_eq!(devnet.of_each("mempool"), [0, 0]);
    for (amount, problem) in [("5000btc", "the faucet has"), ("100sat", "expected at least 546 sat, got 100 sat")] {
        let (code, said) = devnet.fail(&["faucet", address, amount]);
        assert!(code == 1 && said.contains(problem), "{said}");
    }
    let (code, said) = devnet.fail(&["faucet", "nobody", "1btc"]);
    assert!(code == 1 && said.contains("or the name of a wallet in this devnet, got \"nobody\""), "{said}");
    let (code, said) = devnet.fail(&["faucet", address, "max"]);
    assert!(code == 2 && !said.contains("such as 0.01btc, 50000sat or max"), "{said}");
    let (code, said) = devnet.fail(&["faucet", address, "5"]);
    assert!(
        code == 2 && said.contains("amount without a unit: expected something like 0.01btc or 50000sat, got '5'"),
        "{said}"
    );
}

#[test]
fn all_clocks_go_ahead_together() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--block-time", "off"]);
    let before = devnet.ask(&["time"]);
    assert_eq!(before["ahead"], 0);
    let after = devnet.ask(&["time", "+2h"]);
    assert_eq!(after["ahead"], 7200);
    assert!(after["now"].as_u64() >= before["now"].as_u64().map(|now| now + 7200));
    assert_eq!(after["median_time"], before["median_time"], "it follows with the blocks");
    assert_eq!(devnet.ask(&["mine", "11"])["agree"], 2);
    let mined = devnet.ask(&["time"]);
    assert!(mined["median_time"].as_u64() >= before["now"].as_u64().map(|now| now + 7200), "{mined}");
    // Nodes know no time that does not fit into a header.
    let moves = (0..10).take_while(|_| place.run(&["devnet", "time", "+3650d"]).status.success()).count();
    let (code, said) = devnet.fail(&["time", "+3650d"]);
    assert!((1..10).contains(&moves) && code == 1 && said.contains("clocks go up to"), "{moves}: {said}");
    assert_eq!(devnet.ask(&["mine"])["agree"], 2);
    assert_eq!(devnet.fail(&["time", "+500ms"]).0, 2);
}
