//! A wallet that is killed at any moment loses no key, and shows no address twice.

use std::collections::HashSet;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::node_process::Datadir;
use crate::scene::{ABANDON, Scene, Wallets};

/// How often a command is killed. What follows from the moment is chance; what must hold is not.
const KILLS: u32 = 40;

/// Kills a command at moments that lie evenly over its whole life, and some beyond.
struct Killer {
    life: Duration,
}

impl Killer {
    /// One that knows how long such a command lives, from one that was left alone.
    fn after(one: impl FnOnce()) -> Self {
        let start = Instant::now();
        one();
        Self { life: start.elapsed().mul_f64(1.6) }
    }

    /// Starts a command and kills it; what it had said.
    fn kill(&self, wallets: &Wallets<'_>, args: &[&str], round: u32) -> String {
        let mut child = wallets.command(args).spawn().unwrap();
        thread::sleep(self.life.mul_f64(f64::from(round * 17 % KILLS) / f64::from(KILLS)));
        let _ = child.kill();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        said
    }
}

/// Commands of one wallet wait for each other, and none of them in vain.
#[test]
fn many_commands_at_once_take_turns() {
    let datadir = Datadir::new();
    let wallets = Wallets { datadir: &datadir, network: "regtest", node: vec!["--offline".to_owned()] };
    wallets.restore("alice", ABANDON, &[]).success();
    for _ in 0..5 {
        let children: Vec<_> = (0..8).map(|_| wallets.command(&["receive", "--no-qr"]).spawn().unwrap()).collect();
        let outputs = children.into_iter().map(|child| child.wait_with_output().unwrap());
        let shown: HashSet<_> = outputs
            .map(|output| {
                assert!(output.status.success(), "{output:?}");
                output.stdout
            })
            .collect();
        assert_eq!(shown.len(), 8, "each gets an address of its own");
    }
}

#[test]
fn no_address_is_shown_twice() {
    let datadir = Datadir::new();
    let wallets = Wallets { datadir: &datadir, network: "regtest", node: vec!["--offline".to_owned()] };
    wallets.restore("alice", ABANDON, &[]).success();
    let mut shown = HashSet::new();
    let killer = Killer::after(|| assert!(shown.insert(wallets.address("alice"))));
    for round in 0..KILLS {
        let said = killer.kill(&wallets, &["receive", "--no-qr"], round);
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
    let killer = Killer::after(|| drop(wallets.run(&["create", "whole"]).success()));
    let mut survived = 0;
    for round in 0..KILLS {
        let name = format!("wallet-{round}");
        let said = killer.kill(&wallets, &["create", &name], round);
        let is_there = datadir.path().join(format!("regtest/wallets/{name}.wallet")).exists();
        assert!(is_there || said.is_empty(), "what was told of is there");
        survived += u32::from(is_there);
        if is_there {
            wallets.run(&["receive", "-w", &name]).success();
        } else {
            wallets.run(&["create", &name]).success();
        }
    }
    assert!((1..KILLS).contains(&survived), "{survived} of {KILLS} were killed too late");
    let listed = wallets.json(&["list"]);
    assert_eq!(listed.as_array().unwrap().len(), KILLS as usize + 1);
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
    let syncing = Killer::after(|| drop(wallets.run(&["rescan", "-w", "alice"]).success()));
    let paying = Killer::after(|| drop(wallets.send("alice", &[&to, "1btc"])));
    for round in 0..KILLS {
        if round % 2 == 0 {
            syncing.kill(&twin, &["rescan"], round);
        }
        paying.kill(&wallets, &["send", "-w", "alice", "-y", &to, "1btc"], round);
    }
    let sent = scene.rpc.call("getrawmempool", &json!([])).as_array().unwrap().len();
    assert!((2..=KILLS as usize).contains(&sent), "{sent} of {KILLS} payments were sent");
    scene.mine(1);
    twin.restore("fresh", ABANDON, &[]).success();
    let all = |wallets: &Wallets<'_>, name: &str| {
        (wallets.json(&["history", "-w", name]), wallets.json(&["utxos", "-w", name]))
    };
    // Labels are the only thing that is not on the chain; there are none here.
    assert_eq!(all(&wallets, "alice"), all(&twin, "fresh"));
    assert_eq!(all(&twin, "alice"), all(&twin, "fresh"));
}
