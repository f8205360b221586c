//! Programs around a devnet: wallets that find it, Prometheus that watches it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::harness::node_process::wait_for;
use crate::running::Place;

#[test]
fn wallets_meet_it_without_set_up() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "2", "--block-time", "off"]);
    let wallet = |args: &[&str]| {
        let output = place.run(&[&["wallet"], args].concat());
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    wallet(&["create", "me"]);
    let paid = devnet.ask(&["faucet", "me", "2btc"]);
    assert_eq!(paid["confirmed_at"], 141);
    let balance = || serde_json::from_str::<Value>(&wallet(&["balance", "--json"])).unwrap();
    assert!(balance().to_string().contains("200000000"), "{}", balance());
    wallet(&["send", "@bob", "0.5btc", "-y"]);
    wait_for("the payment in all pools", || (devnet.of_each("mempool") == [1, 1]).then_some(()));
    assert_eq!(devnet.ask(&["mine", "--to", "@judy"])["agree"], 2);
    let bob = format!("[\"addr({})\"]", devnet.attached["accounts"][1]["address"].as_str().unwrap());
    assert_eq!(devnet.call("bob", "scantxoutset", &["start", &bob])["total_amount"], 100.5);
    let refused = place.run(&["wallet", "send", "@eve", "1btc", "-y"]);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("nobody in the devnet devnet is called eve"));
    // It goes with the devnet.
    devnet.signal("INT");
    devnet.wait();
    assert!(place.left().is_empty(), "{:?}", place.left());
}

#[test]
fn a_prometheus_that_ends_at_once_is_not_told_of_as_one_that_runs() {
    let place = Place::new();
    let folder = place.0.path().join("programs");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("prometheus");
    fs::write(&program, "#!/bin/sh\necho it cannot be\nexit 1\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = place.command(&["devnet", "up", "-n", "1", "--prometheus"]);
    let output = command.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("prometheus ended instead of starting: it cannot be"), "{said}");
    assert_eq!(place.left(), [folder]);
}

/// Needs `prometheus`.
#[test]
#[ignore = "needs prometheus"]
fn prometheus_watches_all_nodes_and_ends_with_the_devnet() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "3", "--prometheus"]);
    let line = devnet.banner.lines().find(|line| line.contains("Prometheus  http")).unwrap().to_owned();
    let url = line.split_whitespace().last().unwrap().to_owned();
    let targets = |count: usize| {
        let output = Command::new("curl").args(["-s", &format!("{url}/api/v1/targets")]).output().unwrap();
        let targets: Value = serde_json::from_slice(&output.stdout).ok()?;
        let targets = targets["data"]["activeTargets"].as_array()?.clone();
        (targets.len() == count && targets.iter().all(|target| target["health"] == "up")).then_some(())
    };
    wait_for("all nodes to be watched", || {
        std::thread::sleep(Duration::from_millis(200));
        targets(3)
    });
    let folder = devnet.attached["prometheus"].as_str().unwrap();
    let checked = Command::new("promtool").args(["check", "config", folder]).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    // One that comes later is watched too.
    devnet.run(&["add"]);
    wait_for("the new node to be watched", || {
        std::thread::sleep(Duration::from_millis(200));
        targets(4)
    });
    // Also when nobody can tell it to.
    devnet.signal("KILL");
    devnet.wait();
    devnet.wait_until_gone();
    let port: u16 = url.rsplit_once(':').unwrap().1.parse().unwrap();
    wait_for("Prometheus to end", || std::net::TcpListener::bind(("127.0.0.1", port)).ok());
}
