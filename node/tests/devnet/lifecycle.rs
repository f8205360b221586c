//! It starts in time, is found, and leaves nothing, however it ends.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::running::Place;

/// How long a start may take.
const START_LIMIT: Duration = Duration::from_secs(10);

#[test]
fn it_starts_in_time_and_ctrl_c_leaves_nothing() {
    let place = Place::new();
    let start = Instant::now();
    let mut devnet = place.up(&[]);
    let took = start.elapsed();
    let ready = devnet.banner.lines().last().unwrap().to_owned();
    println!("{ready}; {:.2} s until the banner was read", took.as_secs_f64());
    assert!(took < START_LIMIT, "{took:?}");
    for expected in
        ["alice bob carol dave", "test test test", "PUBLIC", "http://127.0.0.1:", "bcrt1q", "a block every 3s"]
    {
        assert!(devnet.banner.contains(expected), "{}", devnet.banner);
    }
    assert_eq!(devnet.attached["ready"], true);
    assert!(devnet.nodes().iter().all(|node| node["height"].as_u64() >= Some(140) && node["peers"] == 3));
    // Blocks come by themselves.
    crate::harness::node_process::wait_for("a block", || {
        devnet.of_each("height").iter().all(|height| height.as_u64() > Some(140)).then_some(())
    });
    devnet.signal("INT");
    let (code, said) = devnet.wait();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("4 nodes stopped cleanly"), "{said}");
    devnet.wait_until_gone();
    assert_eq!(place.left(), Vec::<PathBuf>::new());
}

#[test]
fn a_closed_terminal_and_down_leave_nothing_too() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "2"]);
    devnet.signal("HUP");
    assert_eq!(devnet.wait().0, Some(0));
    devnet.wait_until_gone();
    let mut devnet = place.up(&["-n", "2"]);
    assert_eq!(devnet.run(&["down"]), "the devnet devnet has ended\n");
    assert_eq!(devnet.wait().0, Some(0));
    assert_eq!(place.left(), Vec::<PathBuf>::new());
    devnet.wait_until_gone();
}

#[test]
fn nodes_do_not_outlive_a_devnet_that_is_killed() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "3"]);
    let start = Instant::now();
    devnet.signal("KILL");
    devnet.wait();
    devnet.wait_until_gone();
    println!("no process and no port was left after {:.2} s", start.elapsed().as_secs_f64());
    // What it could not clear away, the next command does.
    let output = place.run(&["devnet", "status"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("no devnet runs; start one with 'cairn devnet'"));
    let left: Vec<_> = place.left().into_iter().filter(|path| !path.ends_with("devnets")).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

#[test]
fn ports_that_are_taken_are_passed_over() {
    // Somebody else may have it, for as long as it takes them.
    let taken = TcpListener::bind("127.0.0.1:18443");
    let place = Place::new();
    let (first, second) = (place.up(&["-n", "2"]), place.up(&["-n", "2"]));
    let mut ports = [first.ports(), second.ports()].concat();
    assert!(taken.is_err() || !ports.contains(&18_443), "{ports:?}");
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 12);
    // Now it must be said which.
    let (code, said) = first.fail(&["status"]);
    assert_eq!(code, 1);
    assert!(said.contains("2 devnets run: devnet, devnet-2; choose one with --name"), "{said}");
    let (one, two) = (first.ask(&["status", "--name", "devnet"]), first.ask(&["status", "--name", "devnet-2"]));
    assert_ne!(one["nodes"][0]["rpc_port"], two["nodes"][0]["rpc_port"]);
}

#[test]
fn one_with_a_name_goes_on_where_it_was() {
    let place = Place::new();
    let up = ["-n", "2", "--block-time", "off", "--name", "demo"];
    let mut devnet = place.up(&up);
    let peer = |attached: &Value| attached["nodes"][0]["p2p"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    let (seed, key) = (devnet.attached["seed"].clone(), peer(&devnet.attached));
    devnet.run(&["time", "+2h"]);
    let mined = devnet.ask(&["mine", "2"]);
    assert_eq!(mined["height"], 142);
    let output = place.run(&["devnet", "up", "--name", "demo"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("a devnet that is called demo runs already"));
    devnet.run(&["down"]);
    let (_, said) = devnet.wait();
    assert!(said.contains("--name demo goes on with them"), "{said}");

    let output = place.run(&["devnet", "up", "--name", "demo", "-n", "3"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("start it with no option but --name"));
    let devnet = place.up(&["--name", "demo"]);
    assert_eq!((devnet.attached["seed"].clone(), peer(&devnet.attached)), (seed, key));
    assert_eq!(devnet.wait_for_agreement(), 142);
    let status = devnet.ask(&["status"]);
    assert_eq!((status["seconds_ahead"].as_u64(), status["mining"]["block_time"].as_str()), (Some(7200), Some("off")));
    assert_eq!(devnet.ask(&["mine"])["agree"], 2);
}

#[test]
fn a_seed_repeats_the_keys_of_nodes() {
    let place = Place::new();
    let keys = |seed: &str| {
        let devnet = place.up(&["-n", "2", "--seed", seed, "--block-time", "off"]);
        let nodes = devnet.attached["nodes"].as_array().unwrap().clone();
        let key = |node: &Value| node["p2p"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
        nodes.iter().map(key).collect::<Vec<_>>()
    };
    let first = keys("7");
    assert_eq!(first, keys("7"));
    assert_ne!(first, keys("8"));
}

#[test]
fn programs_find_it_by_variables_and_files() {
    let place = Place::new();
    let file = place.0.path().join("out.json");
    let devnet = place.up(&["-n", "2", "--block-time", "off", "--config-out", file.to_str().unwrap()]);
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written["nodes"], devnet.attached["nodes"]);
    assert_eq!(written["accounts"][1]["name"], "bob");
    let script = "eval \"$($0 devnet env bob)\"; curl -s --user \"$(cat \"$BITCOIN_RPC_COOKIE\")\" \
                  -d '{\"method\":\"getblockcount\"}' \"$CAIRN_RPC_URL\"; test -f \"$CAIRN_DEVNET\"; \
                  cd /; CAIRN_DATADIR=/nowhere $0 devnet exec bob -- rpc getblockcount";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_cairn")]).env("CAIRN_DATADIR", place.0.path());
    let output = shell.env("TMPDIR", place.temporary()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\"result\":140") && said.ends_with("140\n"), "{said}");
    let logs = devnet.run(&["logs", "alice"]);
    assert!(logs.contains("listening for peers"), "{logs}");
    assert!(devnet.run(&["logs"]).lines().any(|line| line.starts_with("bob   | ")));
    assert!(devnet.fail(&["logs", "eve"]).1.contains("there is no node eve; nodes are alice, bob"));
}

#[test]
fn what_cannot_be_is_refused_before_anything_starts() {
    let place = Place::new();
    for (args, problem) in [
        (&["-n", "0"][..], "expected 1 to 64 nodes, got 0"),
        (&["--topology", "cube"], "expected one of mesh, ring, line, star, tree, got 'cube'"),
        (&["--block-time", "5"], "expected a time such as 5s, poisson:10s, or off, got '5'"),
    ] {
        let output = place.run(&[&["devnet", "up"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(problem), "{said}");
    }
    assert_eq!(place.left(), Vec::<PathBuf>::new());
}
