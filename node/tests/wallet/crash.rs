//! A wallet that is killed at any moment loses no key, and shows no address twice.

use std::collections::HashSet;
use std::io::Read;
use std::thread;
use std::time::Duration;

use crate::scene::{ABANDON, Scene, Wallets};
use crate::support::node_process::Datadir;

/// How often a command is killed, and how long it lives at most. What follows from the moment is chance; what must hold is not.
const KILLS: u64 = 40;
const LONGEST_LIFE: Duration = Duration::from_millis(80);

/// Starts a command, kills it after part of [`LONGEST_LIFE`], and returns what it had said.
fn kill(wallets: &Wallets<'_>, args: &[&str], round: u64) -> String {
    let mut child = wallets.command(args).spawn().unwrap();
    // Each round another moment, evenly over the whole.
    thread::sleep(LONGEST_LIFE.mul_f64((round * 17 % KILLS) as f64 / KILLS as f64));
    let _ = child.kill();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    said
}

#[test]
fn no_address_is_shown_twice() {
    let datadir = Datadir::new();
    let wallets = Wallets { datadir: &datadir, network: "regtest", node: vec!["--offline".to_owned()] };
    wallets.restore("alice", ABANDON, &[]).success();
    let mut shown = HashSet::new();
    for round in 0..KILLS {
        let said = kill(&wallets, &["receive", "--no-qr"], round);
        if let Some(address) = said.lines().next().filter(|_| said.ends_with('\n')) {
            assert!(shown.insert(address.to_owned()), "{address} was shown twice");
        }
        assert!(shown.insert(wallets.say(&["receive"])), "after kill {round}");
    }
}

#[test]
fn a_wallet_is_there_whole_or_not_at_all() {
    let datadir = Datadir::new();
    let wallets = Wallets { datadir: &datadir, network: "regtest", node: vec!["--offline".to_owned()] };
    for round in 0..KILLS {
        let name = format!("wallet-{round}");
        let said = kill(&wallets, &["create", &name], round);
        let is_there = datadir.path().join(format!("regtest/wallets/{name}.wallet")).exists();
        assert!(is_there || said.is_empty(), "what was told of is there");
        if is_there {
            wallets.run(&["receive", "-w", &name]).success();
        } else {
            wallets.run(&["create", &name]).success();
        }
    }
    let listed = wallets.json(&["list"]);
    assert_eq!(listed.as_array().unwrap().len() as u64, KILLS);
    assert!(listed.as_array().unwrap().iter().all(|wallet| wallet["can_sign"] == true));
}

#[test]
fn a_sync_and_a_payment_go_on_where_they_were() {
    let scene = Scene::open();
    let wallets = scene.wallets();
    wallets.restore("alice", ABANDON, &[]).success();
    scene.fund("alice", 50);
    let to = wallets.address("alice");
    let elsewhere = Datadir::new();
    let twin = scene.wallets_in(&elsewhere);
    twin.restore("alice", ABANDON, &["--offline"]).success();
    for round in 0..KILLS / 2 {
        kill(&twin, &["balance"], round);
        kill(&wallets, &["send", "-w", "alice", "-y", &to, "1btc"], round);
    }
    scene.mine(1);
    twin.restore("fresh", ABANDON, &[]).success();
    let all = |wallets: &Wallets<'_>, name: &str| {
        (wallets.json(&["history", "-w", name]), wallets.json(&["utxos", "-w", name]))
    };
    // Labels are the only thing that is not on the chain; there are none here.
    assert_eq!(all(&wallets, "alice"), all(&twin, "fresh"));
    assert_eq!(all(&twin, "alice"), all(&twin, "fresh"));
}
