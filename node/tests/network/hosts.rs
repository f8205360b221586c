//! Nodes on hosts with addresses of their own, which are network namespaces: partition, healing, narrow lines.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bitcoin::Block;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use serde_json::Value;

use crate::harness::anyone::{ADDRESS, spend};
use crate::harness::node_process::{Datadir, run_by, wait_for};

/// Hosts on the left side of the line that breaks, and on both.
const LEFT: usize = 3;
const HOSTS: usize = 5;
/// How soon all nodes must agree once the line is whole again.
const HEALING: Duration = Duration::from_secs(10);

/// Runs a command of the system, which must succeed.
fn run(program: &str, args: &str) {
    let output = Command::new(program).args(args.split_whitespace()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {args}: {said} (this test needs root, iproute2 and network namespaces)"
    );
}

/// Two switches with a line between them, and hosts at each. All go when the test forgets them.
struct Hosts {
    prefix: String,
}

impl Hosts {
    fn new(name: &str) -> Self {
        let hosts = Self { prefix: format!("cairn-{}-{name}", std::process::id()) };
        let switch = hosts.switch();
        run("ip", &format!("netns add {switch}"));
        for side in ["left", "right"] {
            run("ip", &format!("-n {switch} link add {side} type bridge"));
            run("ip", &format!("-n {switch} link set {side} up"));
        }
        run("ip", &format!("-n {switch} link add line-left type veth peer name line-right"));
        for side in ["left", "right"] {
            run("ip", &format!("-n {switch} link set line-{side} master {side} up"));
        }
        for number in 0..HOSTS {
            let (host, side) = (hosts.host(number), if number < LEFT { "left" } else { "right" });
            run("ip", &format!("netns add {host}"));
            run("ip", &format!("-n {switch} link add port{number} type veth peer name eth0 netns {host}"));
            run("ip", &format!("-n {switch} link set port{number} master {side} up"));
            run("ip", &format!("-n {host} addr add {}/24 dev eth0", address(number)));
            run("ip", &format!("-n {host} link set lo up"));
            run("ip", &format!("-n {host} link set eth0 up"));
        }
        hosts
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.prefix)
    }

    fn host(&self, number: usize) -> String {
        format!("{}-host{number}", self.prefix)
    }

    /// Breaks the line between the sides, or mends it.
    fn set_line(&self, state: &str) {
        run("ip", &format!("-n {} link set line-left {state}", self.switch()));
    }

    /// From now on a host receives no more than so much.
    fn limit(&self, number: usize, rate: &str) {
        let switch = self.switch();
        run("tc", &format!("-n {switch} qdisc add dev port{number} root tbf rate {rate} burst 32kb latency 100ms"));
    }

    /// Whether a host is narrower than the others: bytes that had to wait or were dropped.
    fn was_limited(&self, number: usize) -> bool {
        let args = format!("-n {} -s qdisc show dev port{number}", self.switch());
        let output = Command::new("tc").args(args.split_whitespace()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let overlimits = said.split_once("overlimits ").unwrap().1.split_whitespace().next().unwrap();
        overlimits != "0"
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for name in (0..HOSTS).map(|number| self.host(number)).chain([self.switch()]) {
            let _ = Command::new("ip").args(["netns", "del", &name]).output();
        }
    }
}

fn address(number: usize) -> String {
    format!("10.77.0.{}", number + 1)
}

/// A node on a host.
struct Remote {
    host: String,
    datadir: Datadir,
    child: Child,
}

impl Remote {
    fn start(hosts: &Hosts, number: usize, args: &[&str]) -> Self {
        let (host, datadir) = (hosts.host(number), Datadir::new());
        let listen = format!("/ip4/{}/tcp/18555", address(number));
        let command = datadir.node_command("regtest", &[&["--listen", &listen], args].concat());
        let child = on_host(&host, &command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let node = Self { host, datadir, child };
        wait_for("the node to answer", || node.ask(&["getblockcount"]).status.success().then_some(()));
        node
    }

    fn ask(&self, call: &[&str]) -> Output {
        let command = self.datadir.command(&[&["rpc", "--network", "regtest"], call].concat());
        on_host(&self.host, &command).output().unwrap()
    }

    /// What the node answers to a call.
    fn call(&self, call: &[&str]) -> String {
        let output = self.ask(call);
        assert!(output.status.success(), "{call:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().trim_matches('"').to_owned()
    }

    fn tip(&self) -> String {
        self.call(&["getbestblockhash"])
    }

    fn mine(&self, blocks: u32) {
        self.call(&["generatetoaddress", &blocks.to_string(), ADDRESS]);
    }

    /// Spends the coinbase of a block; the transaction's id.
    fn spend_coinbase(&self, height: u32) -> String {
        let hash = self.call(&["getblockhash", &height.to_string()]);
        let block: Block = deserialize_hex(&self.call(&["getblock", &hash, "0"])).unwrap();
        self.call(&["sendrawtransaction", &serialize_hex(&spend(&block, 1_000, 1))])
    }

    fn has_pooled(&self, txid: &str) -> bool {
        let pool: Value = serde_json::from_str(&self.call(&["getrawmempool"])).unwrap();
        pool.as_array().unwrap().iter().any(|pooled| pooled == txid)
    }

    /// Where peers find it.
    fn address(&self) -> String {
        let file = self.datadir.path().join("regtest").join("endpoints.json");
        wait_for("an address", || {
            let endpoints: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
            endpoints["p2p"][0].as_str().map(ToOwned::to_owned)
        })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same command, on a host.
fn on_host(host: &str, command: &Command) -> Command {
    let mut there = run_by(&["ip", "netns", "exec", host], command);
    there.stdin(Stdio::null());
    there
}

fn wait_for_one_tip(nodes: &[Remote], what: &str) -> Duration {
    let start = Instant::now();
    wait_for(what, || {
        let tip = nodes[0].tip();
        nodes[1..].iter().all(|node| node.tip() == tip).then_some(())
    });
    start.elapsed()
}

#[test]
#[ignore = "needs root, for network namespaces; .ci/run runs it"]
fn hosts_find_each_other_part_and_agree_again() {
    let partition = std::env::var("CAIRN_PARTITION_SECONDS").map_or(20, |seconds| seconds.parse().unwrap());
    let hosts = Hosts::new("part");
    let mut nodes = vec![Remote::start(&hosts, 0, &[])];
    let contact = nodes[0].address();
    assert!(contact.starts_with("/ip4/10.77.0.1/"), "{contact}");
    for number in 1..HOSTS {
        nodes.push(Remote::start(&hosts, number, &["--bootstrap", &contact]));
    }
    for node in &nodes {
        wait_for("all hosts to be known", || (node.call(&["getconnectioncount"]) == "4").then_some(()));
    }
    nodes[0].mine(110);
    wait_for_one_tip(&nodes, "the chain on every host");
    // A line of 200 kilobytes a second, which carries what it must.
    hosts.limit(4, "1600kbit");
    nodes[1].mine(300);
    wait_for_one_tip(&nodes, "the chain through the narrow line");
    assert!(hosts.was_limited(4), "the line was not narrow");
    let txid = nodes[4].spend_coinbase(1);
    for node in &nodes {
        wait_for("the transaction on every host", || node.has_pooled(&txid).then_some(()));
    }
    nodes[3].mine(1);
    wait_for_one_tip(&nodes, "the block with it on every host");

    let start = Instant::now();
    hosts.set_line("down");
    // A transaction of the side that will lose is mined there.
    let lost = nodes[0].spend_coinbase(2);
    nodes[0].mine(2);
    nodes[3].mine(5);
    for (side, height) in [(&nodes[..LEFT], "413"), (&nodes[LEFT..], "416")] {
        for node in side {
            wait_for("the block of one side", || (node.call(&["getblockcount"]) == height).then_some(()));
        }
    }
    while start.elapsed() < Duration::from_secs(partition) {
        std::thread::sleep(Duration::from_millis(200));
        assert_ne!(nodes[0].tip(), nodes[4].tip(), "the line is broken");
    }
    hosts.set_line("up");
    let took = wait_for_one_tip(&nodes, "one tip");
    println!("after {partition} s apart, all agreed within {:.1} s", took.as_secs_f64());
    assert!(took < HEALING, "{took:?}");
    assert_eq!(nodes[0].call(&["getblockcount"]), "416", "the heavier side");
    for node in &nodes[..LEFT] {
        assert!(node.has_pooled(&lost), "the transaction of the lighter side is back");
    }
    nodes[1].mine(1);
    wait_for_one_tip(&nodes, "the block that holds it again");
    assert!(!nodes[0].has_pooled(&lost));
}

#[test]
#[ignore = "needs root, for network namespaces; .ci/run runs it"]
fn multicast_alone_lets_hosts_find_each_other() {
    let hosts = Hosts::new("mdns");
    let args = ["--kademlia=false", "--mdns"];
    // With another rule it is of another network, and hears the same calls.
    let stranger = Remote::start(&hosts, HOSTS - 1, &[&args[..], &["--test-activation-height", "csv@500"]].concat());
    let mut nodes: Vec<Remote> = (0..HOSTS - 1).map(|number| Remote::start(&hosts, number, &args)).collect();
    for node in &nodes {
        wait_for("all hosts to be known", || (node.call(&["getconnectioncount"]) == "3").then_some(()));
    }
    nodes[0].mine(105);
    wait_for_one_tip(&nodes, "the chain on every host");
    let txid = nodes[2].spend_coinbase(1);
    for node in &nodes {
        wait_for("the transaction on every host", || node.has_pooled(&txid).then_some(()));
    }
    assert_eq!(stranger.call(&["getconnectioncount"]), "0");
    drop(stranger);
    // The first one dies, and one comes that never knew it.
    nodes.remove(0);
    nodes.push(Remote::start(&hosts, HOSTS - 1, &args));
    nodes[0].mine(1);
    wait_for_one_tip(&nodes, "the new block on every host");
}
