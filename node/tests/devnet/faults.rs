//! Partitions, slow links, reorganisations, nodes that are killed.

use std::fs;
use std::process::Command;
use std::thread;

use serde_json::Value;

use crate::harness::node_process::wait_for;
use crate::running::{Devnet, Place};

/// Sends a signal to a node from outside, of which the devnet is not told.
fn signal(devnet: &Devnet<'_>, node: usize, name: &str) {
    let kill = format!("kill -{name} {}", devnet.attached["nodes"][node]["pid"]);
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

#[test]
fn both_sides_of_a_partition_mine_and_one_gives_way() {
    let place = Place::new();
    let devnet = place.up(&["--block-time", "off"]);
    let paid = devnet.ask(&["faucet", "@erin", "1btc", "--no-mine"]);
    wait_for("the payment in all pools", || (devnet.of_each("mempool") == [1, 1, 1, 1]).then_some(()));
    let parted = devnet.ask(&["partition", "alice,bob", "/", "carol,dave"]);
    assert_eq!(parted["cut"], 4);
    assert_eq!(devnet.of_each("peers"), [1, 1, 1, 1]);
    assert_eq!(devnet.ask(&["mine", "2", "--node", "alice"])["of"], 2);
    assert_eq!(devnet.ask(&["mine", "3", "--node", "carol", "--to", "@judy"])["agree"], 2);
    assert_eq!(devnet.of_each("height"), [142, 142, 143, 143]);
    assert!(devnet.fail(&["reorg", "1"]).1.contains("nodes are parted already"));
    assert!(devnet.fail(&["add"]).1.contains("nodes are parted; 'cairn devnet heal' joins them"));
    let healed = devnet.ask(&["heal"]);
    assert_eq!((healed["agree"].as_u64(), healed["height"].as_u64()), (Some(4), Some(143)), "{healed}");
    let gave_way: Vec<_> = healed["reorganisations"].as_array().unwrap().clone();
    assert_eq!(gave_way.iter().map(|node| &node["node"]).collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!((gave_way[0]["fork"].as_u64(), gave_way[0]["disconnected"].as_u64()), (Some(140), Some(2)));
    wait_for("all connections", || (devnet.of_each("peers") == [3; 4]).then_some(()));
    // Both sides had mined it.
    assert_eq!(devnet.call("alice", "getrawtransaction", &[paid["txid"].as_str().unwrap(), "1"])["confirmations"], 3);
    assert_eq!(devnet.run(&["heal"]), "nothing is parted\n");
    assert!(devnet.fail(&["partition", "eve"]).1.contains("there is no node eve"));
}

#[test]
fn a_partition_heals_by_itself_also_when_both_sides_have_the_same_work() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--block-time", "500ms"]);
    let said = devnet.run(&["partition", "alice", "/", "bob", "--for", "3s"]);
    assert!(said.contains("heals in 3 s") && said.contains("on 2 of 2 nodes"), "{said}");
    devnet.run(&["mining", "--block-time", "off"]);
    devnet.wait_for_agreement();
}

#[test]
fn a_partition_that_somebody_else_ended_is_told_of() {
    let place = Place::new();
    let devnet = place.up(&["-n", "3", "--block-time", "off"]);
    thread::scope(|scope| {
        let first = scope.spawn(|| devnet.ask_all(&["partition", "alice", "--for", "5s"]));
        wait_for("the partition", || (devnet.of_each("peers") == [0, 1, 1]).then_some(()));
        let (code, said) = devnet.fail(&["partition", "bob", "--for", "8s"]);
        assert!(code == 1 && said.contains("nodes are parted already, for "), "{said}");
        devnet.run(&["mine", "--node", "alice"]);
        let healed = devnet.ask(&["heal"]);
        let told = first.join().unwrap();
        assert_eq!((told[0]["number"].as_u64(), told[0]["groups"][0][0].as_str()), (Some(1), Some("alice")));
        assert_eq!(told[1], healed, "what became of it, and no error");
    });
    // One that comes later is not taken for it.
    let second = devnet.ask_all(&["partition", "bob", "--for", "1s"]);
    assert_eq!((second[0]["number"].as_u64(), second[1]["did"].as_str()), (Some(2), Some("healed")));
    let (code, said) = devnet.fail(&["partition", "bob", "--for", "0s"]);
    assert!(code == 2 && said.contains("expected at least 1s"), "{said}");
}

/// A node that hangs is not told of a partition in time, and does what it was asked for when it goes on.
#[test]
fn links_are_what_they_should_be_also_after_a_node_did_not_answer() {
    let place = Place::new();
    let devnet = place.up(&["--topology", "line", "--block-time", "off"]);
    let lines = [1, 2, 2, 1];
    assert_eq!(devnet.of_each("peers"), lines);
    signal(&devnet, 1, "STOP");
    let (code, said) = devnet.fail(&["partition", "alice,bob", "/", "carol,dave"]);
    signal(&devnet, 1, "CONT");
    assert!(code == 1 && said.contains("node bob does not answer setlink"), "{said}");
    assert!(said.contains("all links stay as they were"), "{said}");
    assert_eq!(devnet.run(&["heal"]), "nothing is parted\n");
    wait_for("all connections", || (devnet.of_each("peers") == lines).then_some(()));
    wait_for("links that are not cut", || {
        let cut = |name| devnet.call(name, "getlinks", &[]).to_string().contains("\"cut\":true");
        (!["alice", "bob", "carol", "dave"].into_iter().any(cut)).then_some(())
    });
    // One that has ended needs not be told.
    signal(&devnet, 0, "KILL");
    assert_eq!(devnet.ask(&["partition", "alice,bob", "/", "carol,dave"])["cut"], 1);
    assert_eq!(devnet.ask(&["heal"])["agree"], 3);
    devnet.run(&["restart", "alice"]);
    wait_for("all connections", || (devnet.of_each("peers") == lines).then_some(()));
}

/// As if the devnet, or the node, had ended in the middle of a reorganisation.
#[test]
fn a_block_that_was_taken_back_by_decree_is_there_again_after_a_start() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "2", "--block-time", "off", "--name", "demo"]);
    devnet.run(&["mine", "3"]);
    let take_back = |devnet: &Devnet<'_>| {
        let hash = devnet.call("bob", "getblockhash", &["141"]);
        devnet.call("bob", "invalidateblock", &[hash.as_str().unwrap()]);
        assert_eq!(devnet.of_each("height"), [143, 140]);
    };
    take_back(&devnet);
    devnet.run(&["restart", "bob"]);
    assert_eq!(devnet.wait_for_agreement(), 143);
    take_back(&devnet);
    devnet.run(&["down"]);
    devnet.wait();
    let devnet = place.up(&["--name", "demo"]);
    assert_eq!(devnet.wait_for_agreement(), 143);
}

#[test]
fn a_longer_branch_takes_the_place_of_blocks() {
    let place = Place::new();
    let devnet = place.up(&["--block-time", "off"]);
    let paid = devnet.ask(&["faucet", "@erin", "1btc"]);
    devnet.run(&["mine", "2"]);
    let old_tip = devnet.nodes()[0]["tip"].clone();
    let reorg = devnet.ask(&["reorg", "3"]);
    let what = &reorg["reorganisation"];
    let counts = ["fork", "disconnected", "connected"].map(|key| what[key].as_u64().unwrap());
    assert_eq!(counts, [140, 3, 4]);
    assert_eq!((&what["old_tip"], what["returned"][0].as_str()), (&old_tip, paid["txid"].as_str()));
    assert_eq!((&reorg["agree"], &reorg["took_back"]), (&4.into(), &3.into()));
    assert_eq!(devnet.of_each("tip"), vec![what["new_tip"].clone(); 4]);
    assert_eq!(devnet.of_each("height"), [144; 4]);
    wait_for("all connections", || (devnet.of_each("peers") == [3; 4]).then_some(()));
    // Also the one that took blocks back by decree goes on with everybody.
    assert_eq!(devnet.ask(&["mine", "--node", "dave"])["agree"], 4);
    assert!(devnet.fail(&["reorg", "101"]).1.contains("expected a depth of 1 to 100 blocks, got 101"));
}

#[test]
fn a_payment_is_spent_a_second_time() {
    let place = Place::new();
    let devnet = place.up(&["-n", "3", "--block-time", "off"]);
    let first: Value = devnet.ask(&["faucet", "@erin", "1btc"]);
    let first = first["txid"].as_str().unwrap();
    let reorg = devnet.ask(&["reorg", "1", "--node", "bob", "--double-spend", first]);
    assert_eq!((reorg["attacker"].as_str(), reorg["agree"].as_u64()), (Some("bob"), Some(3)));
    assert_eq!(reorg["reorganisation"]["returned"].as_array().unwrap().len(), 0, "there is no room for it any more");
    let second = reorg["double_spend"].as_str().unwrap();
    wait_for("the second payment", || {
        (devnet.call("alice", "getrawtransaction", &[second, "1"])["confirmations"].as_u64() >= Some(2)).then_some(())
    });
    assert_eq!(devnet.run(&["exec", "alice", "--", "rpc", "gettxout", first, "0"]), "", "the first is gone");
}

#[test]
fn a_node_that_is_killed_comes_back() {
    let place = Place::new();
    let devnet = place.up(&["-n", "3", "--block-time", "off"]);
    devnet.run(&["kill", "alice"]);
    assert_eq!(devnet.of_each("pid")[0], Value::Null);
    assert!(devnet.fail(&["kill", "alice"]).1.contains("node alice does not run"));
    assert_eq!(devnet.ask(&["mine", "2", "--node", "bob"])["of"], 2);
    let restarted = devnet.run(&["restart", "alice"]);
    assert!(restarted.starts_with("alice runs again"), "{restarted}");
    assert_eq!(devnet.wait_for_agreement(), 142);
    wait_for("all connections", || (devnet.of_each("peers") == [2, 2, 2]).then_some(()));
    devnet.run(&["restart", "carol"]);
    assert_eq!(devnet.wait_for_agreement(), 142);

    let added = devnet.ask(&["add", "--peer", "bob"]);
    assert_eq!((added["node"].as_str(), added["peers"][0].as_str()), (Some("dave"), Some("bob")));
    wait_for("the new node to be connected", || (devnet.of_each("peers") == [2, 3, 2, 1]).then_some(()));
    assert_eq!(devnet.wait_for_agreement(), 142);
    assert_eq!(devnet.ask(&["mine"])["agree"], 4);
    assert!(devnet.fail(&["add", "bob"]).1.contains("there are two nodes that are called bob"));
}

#[test]
fn a_slow_link_is_slow() {
    let place = Place::new();
    let devnet = place.up(&["-n", "2", "--block-time", "off"]);
    let ping = || {
        devnet.run(&["exec", "alice", "--", "rpc", "ping"]);
        devnet.call("alice", "getpeerinfo", &[])[0]["pingtime"].as_f64()
    };
    assert!(devnet.run(&["link", "alice", "bob", "--latency", "150ms"]).contains("latency 150ms each way"));
    wait_for("a slow ping", || ping().filter(|ping| *ping >= 0.3));
    assert_eq!(devnet.ask(&["mine"])["agree"], 2);
    assert_eq!(devnet.run(&["link", "alice", "bob"]), "alice – bob: a plain link\n");
    wait_for("a fast ping", || ping().filter(|ping| *ping < 0.1));
    assert!(devnet.fail(&["link", "alice", "bob", "--latency", "5s"]).1.contains("goes up to 2s"));
    // What is refused is not kept either.
    let (code, said) = devnet.fail(&["link", "alice", "bob", "--bandwidth", "1kbit"]);
    assert!(code == 1 && said.contains("bandwidth is at least 8kbit"), "{said}");
    devnet.run(&["partition", "alice"]);
    assert_eq!(devnet.ask(&["heal"])["agree"], 2);
    assert!(devnet.fail(&["link", "alice", "alice"]).1.contains("expected two nodes, got alice twice"));
}

#[test]
fn logs_that_are_followed_go_on_with_new_nodes_and_end_with_the_devnet() {
    let place = Place::new();
    let devnet = place.up(&["-n", "1", "--block-time", "off"]);
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut command = place.command(&["devnet", "logs", "-f"]);
    let mut follower = command.stdout(said.reopen().unwrap()).spawn().unwrap();
    let is_said = |text: &str| fs::read_to_string(said.path()).unwrap().contains(text).then_some(());
    wait_for("the log of the first node", || is_said("alice | "));
    devnet.run(&["add"]);
    wait_for("the log of the second node", || is_said("bob   | "));
    devnet.run(&["down"]);
    assert!(wait_for("the end of the logs", || follower.try_wait().unwrap()).success());
}
