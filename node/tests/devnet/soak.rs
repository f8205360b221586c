//! A devnet that everything happens to: partitions, kills, slow and breaking links, payments; for half a minute, or for
//! `CAIRN_SOAK_SECONDS`. What happens when is chosen by `CAIRN_SEED`.
//!
//! In the end there is one tip and one set of coins, every payment that was acknowledged is in the chain, no log has an error, and the
//! node that was never killed has not grown.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::node_process::{resident_memory, wait_for};
use crate::running::{Devnet, Place};

const NODES: [&str; 4] = ["alice", "bob", "carol", "dave"];
/// It is never killed, so that what it takes at different times can be compared.
const LASTING: &str = "alice";
/// Memory that it may take more at the end than after the first third, in KiB: caches fill for a while.
const GROWTH: u64 = 16 << 10;
/// How often it is looked at.
const SAMPLES: u32 = 12;

/// A small generator of our own choices (Marsaglia's xorshift64), so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % count
    }

    fn node(&mut self) -> &'static str {
        NODES[usize::try_from(self.below(4)).unwrap()]
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn whatever_happens_one_chain_is_left() {
    let seconds = number("CAIRN_SOAK_SECONDS", 30);
    let seed = number("CAIRN_SEED", 7);
    println!("{seconds} s, seed {seed}");
    let place = Place::new();
    let mut devnet = place.up(&["--block-time", "poisson:2s", "--seed", &seed.to_string()]);
    assert!(place.run(&["wallet", "create", "me"]).status.success());
    for _ in 0..5 {
        devnet.run(&["faucet", "me", "5btc"]);
    }
    let evidence = Evidence(&devnet);
    let mut soak =
        Soak { place: &place, devnet: &devnet, dice: Dice(seed | 1), paid: BTreeSet::new(), log: Vec::new() };
    let start = Instant::now();
    let mut memory = Vec::new();
    for sample in 1..=SAMPLES {
        while start.elapsed() < Duration::from_secs(seconds) * sample / SAMPLES {
            soak.step();
        }
        memory.push(memory_of(&devnet, LASTING));
    }
    let Soak { paid, log, .. } = soak;
    let count = |what| log.iter().filter(|event| **event == what).count();
    let [partitions, kills, links] = ["partition", "kill", "link"].map(count);
    println!("{} payments, {partitions} partitions, {kills} kills, {links} changes of links", paid.len());
    println!("memory of {LASTING} in KiB: {memory:?}");
    assert!(!paid.is_empty());
    settle(&devnet);
    check_chain(&place, &devnet, &paid);
    let third = memory[memory.len() / 3 - 1];
    let last = *memory.last().unwrap();
    assert!(last < third + GROWTH, "{LASTING} grew from {third} to {last} KiB");
    check_logs(&devnet);
    drop(evidence);
    devnet.signal("INT");
    assert_eq!(devnet.wait().0, Some(0));
}

/// When the test fails, what each node thinks, and a copy of its log.
struct Evidence<'a>(&'a Devnet<'a>);

impl Drop for Evidence<'_> {
    #[allow(clippy::print_stdout, reason = "tests show what is printed when they fail")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for node in self.0.nodes() {
            let name = node["name"].as_str().unwrap_or_default();
            println!("{node}");
            for method in ["getchaintips", "getpeerinfo", "getlinks", "listbanned"] {
                println!("{name} {method}: {}", self.0.call(name, method, &[]));
            }
        }
        for node in self.0.attached["nodes"].as_array().into_iter().flatten() {
            let copy = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join(format!("soak-{}.log", node["name"].as_str().unwrap_or("node")));
            let copied = fs::copy(node["log"].as_str().unwrap_or_default(), &copy);
            println!("{}: {copied:?}", copy.display());
        }
    }
}

struct Soak<'a> {
    place: &'a Place,
    devnet: &'a Devnet<'a>,
    dice: Dice,
    /// Payments that a node has taken.
    paid: BTreeSet<String>,
    log: Vec<&'static str>,
}

impl Soak<'_> {
    fn step(&mut self) {
        match self.dice.below(10) {
            0 => self.partition(),
            1 => self.kill(),
            2 => self.link(),
            _ => self.pay(),
        }
    }

    fn partition(&mut self) {
        let parted = self.dice.node();
        self.devnet.run(&["partition", parted]);
        for _ in 0..self.dice.below(4) + 1 {
            self.pay();
        }
        self.devnet.run(&["heal"]);
        // Blocks go on, and both sides may have the same work: then the next one decides.
        self.devnet.wait_for_agreement();
        self.log.push("partition");
    }

    fn kill(&mut self) {
        let killed = self.dice.node();
        if killed == LASTING {
            return;
        }
        self.devnet.run(&["kill", killed]);
        self.pay();
        self.devnet.run(&["restart", killed]);
        self.log.push("kill");
    }

    fn link(&mut self) {
        let (one, other) = (self.dice.node(), self.dice.node());
        if one != other {
            let latency = format!("{}ms", self.dice.below(200));
            let conditions = ["--latency", &latency, "--loss", "2%", "--reset-rate", "6"];
            self.devnet.run(&[&["link", one, other][..], &conditions].concat());
            self.log.push("link");
        }
    }

    /// Pays with the wallet, by whatever node it finds. A node that was just killed takes nothing, and that is an answer.
    fn pay(&mut self) {
        let to = format!("@{}", self.dice.node());
        let output = self.place.run(&["wallet", "send", &to, "10000sat", "-y", "--fee-rate", "2", "--json"]);
        if output.status.success() {
            let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
            self.paid.insert(sent["txid"].as_str().unwrap().to_owned());
        } else {
            let said = String::from_utf8(output.stderr).unwrap();
            let is_known =
                ["no node answers", "still syncing", "this wallet has seen", "too-long-mempool-chain", "not enough"];
            assert!(is_known.iter().any(|known| said.contains(known)), "{said}");
        }
    }
}

/// What the process of a node takes, in KiB.
fn memory_of(devnet: &Devnet<'_>, name: &str) -> u64 {
    let nodes = devnet.nodes();
    let node = nodes.iter().find(|node| node["name"] == name).unwrap();
    resident_memory(node["pid"].as_u64().unwrap()) >> 10
}

/// Plain links, no more blocks than are asked for, and everybody there.
fn settle(devnet: &Devnet<'_>) {
    devnet.run(&["mining", "--block-time", "off"]);
    for (index, one) in NODES.iter().enumerate() {
        for other in &NODES[index + 1..] {
            devnet.run(&["link", one, other]);
        }
    }
    // Two branches of the same work would stay as they are. If alice had not heard of the newest block, her first one makes such
    // branches, and her second one decides.
    for _ in 0..2 {
        devnet.run(&["mine", "--node", "alice"]);
    }
    devnet.wait_for_agreement();
}

fn check_chain(place: &Place, devnet: &Devnet<'_>, paid: &BTreeSet<String>) {
    // What a node was killed with before anybody heard of it, the wallet gives to the nodes once more.
    let history = || -> Value {
        let output = place.run(&["wallet", "history", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    history();
    wait_for("all payments to be mined", || {
        for name in NODES {
            devnet.run(&["mine", "--node", name]);
        }
        devnet.of_each("mempool").iter().all(|pool| *pool == 0).then_some(())
    });
    devnet.wait_for_agreement();
    let history = history();
    let confirmed: BTreeSet<&str> = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] == "confirmed")
        .map(|entry| entry["txid"].as_str().unwrap())
        .collect();
    let lost: Vec<_> = paid.iter().filter(|txid| !confirmed.contains(txid.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?} are lost");
    let sets: BTreeSet<String> = NODES
        .iter()
        .map(|name| devnet.call(name, "gettxoutsetinfo", &[])["hash_serialized_3"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sets.len(), 1, "one set of coins");
}

fn check_logs(devnet: &Devnet<'_>) {
    for node in devnet.attached["nodes"].as_array().unwrap() {
        let log = fs::read_to_string(node["log"].as_str().unwrap()).unwrap();
        let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR") || line.contains("panicked")).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", node["name"]);
    }
}
