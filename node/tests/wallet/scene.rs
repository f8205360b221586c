//! A node, and wallets that ask it.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::anyone;
use crate::harness::node_process::{Datadir, Node};
use crate::harness::rpc::Rpc;

/// Words of the vectors of BIP39, BIP84 and BIP86.
pub(crate) const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

/// Wallets of a network in a data directory.
pub(crate) struct Wallets<'a> {
    pub(crate) datadir: &'a Datadir,
    pub(crate) network: &'a str,
    /// Options that say where the node is.
    pub(crate) node: Vec<String>,
}

/// A node and wallets beside it.
pub(crate) struct Scene {
    pub(crate) datadir: Datadir,
    pub(crate) node: Node,
    pub(crate) rpc: Rpc,
    pub(crate) network: &'static str,
}

impl Scene {
    pub(crate) fn open() -> Self {
        Self::on("regtest")
    }

    pub(crate) fn on(network: &'static str) -> Self {
        let datadir = Datadir::new();
        let node = datadir.start(network, &[]);
        let rpc = Rpc::of(&datadir, network, &node);
        Self { datadir, node, rpc, network }
    }

    pub(crate) fn wallets(&self) -> Wallets<'_> {
        Wallets { datadir: &self.datadir, network: self.network, node: Vec::new() }
    }

    /// Wallets of another data directory that ask this scene's node.
    pub(crate) fn wallets_in<'a>(&'a self, datadir: &'a Datadir) -> Wallets<'a> {
        let port = self.rpc.url().rsplit(':').next().unwrap().to_owned();
        let cookie = std::fs::read_to_string(self.datadir.path().join(self.network).join(".cookie")).unwrap();
        let (user, password) = cookie.trim().split_once(':').unwrap();
        let file = datadir.write("rpc-password", password);
        let options = ["--rpc-port", &port, "--rpc-user", user, "--rpc-password-file", file.to_str().unwrap()];
        Wallets { datadir, network: self.network, node: options.map(ToOwned::to_owned).to_vec() }
    }

    /// Mines to an address; one block a call, since each may take seconds where work is real.
    pub(crate) fn mine_to(&self, count: u32, address: &str) -> Vec<String> {
        let mine_one = || {
            let hashes = self.rpc.call("generatetoaddress", &json!([1, address, i32::MAX]));
            let [hash] = serde_json::from_value::<[String; 1]>(hashes).unwrap();
            hash
        };
        (0..count).map(|_| mine_one()).collect()
    }

    /// Mines to anyone.
    pub(crate) fn mine(&self, count: u32) -> Vec<String> {
        self.mine_to(count, anyone::ADDRESS)
    }

    /// Mines blocks that leave the mempool alone.
    pub(crate) fn mine_empty(&self, count: u32) {
        for _ in 0..count {
            let start = Instant::now();
            // As in Core, one call tries a million nonces; where work is real, few calls find a block.
            while let Some(error) = self.rpc.reply("generateblock", &json!([anyone::ADDRESS, []])).error {
                assert_eq!(error.message, "Failed to make block.");
                assert!(start.elapsed() < Duration::from_secs(600), "no block was found");
            }
        }
    }

    /// Gives a wallet spendable coins of 50 BTC.
    pub(crate) fn fund(&self, wallet: &str, coins: u32) {
        let address = self.wallets().address(wallet);
        self.mine_to(coins, &address);
        self.mine(100);
    }
}

impl Wallets<'_> {
    /// The command, before it runs.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.datadir.command(&["wallet", "--network", self.network]);
        command.args(&self.node).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command with something on its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Run {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // A command that does not read may have gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Run::of(args, child.wait_with_output().unwrap())
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(args, self.command(args).output().unwrap())
    }

    /// What a command that succeeds says, without the last line's end.
    pub(crate) fn say(&self, args: &[&str]) -> String {
        self.run(args).success().trim_end().to_owned()
    }

    /// What a command that succeeds says to programs.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.say(&[args, &["--json"]].concat())).unwrap()
    }

    /// A new address.
    pub(crate) fn address(&self, wallet: &str) -> String {
        self.say(&["receive", "-w", wallet])
    }

    /// What can be spent, in satoshis.
    pub(crate) fn spendable(&self, wallet: &str) -> u64 {
        self.json(&["balance", "-w", wallet])["spendable"].as_u64().unwrap()
    }

    /// What there is, in satoshis.
    pub(crate) fn total(&self, wallet: &str) -> u64 {
        self.json(&["balance", "-w", wallet])["total"].as_u64().unwrap()
    }

    /// Pays without being asked; the transaction.
    pub(crate) fn send(&self, wallet: &str, args: &[&str]) -> Value {
        self.json(&[&["send", "-w", wallet, "-y"], args].concat())
    }

    pub(crate) fn restore(&self, name: &str, words: &str, args: &[&str]) -> Run {
        self.run_with(&[&["restore", name], args].concat(), words)
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Run {
    args: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(args: &[&str], output: Output) -> Self {
        Self {
            args: args.join(" "),
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Its output, if it succeeded.
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, 0, "{}: {}", self.args, self.stderr);
        self.stdout
    }

    /// Makes sure that it failed so, saying so, and gave no answer.
    pub(crate) fn fails(self, code: i32, saying: &str) {
        assert_eq!(self.code, code, "{}: {}", self.args, self.stderr);
        assert!(self.stderr.contains(saying), "{}: {}", self.args, self.stderr);
        assert_eq!(self.stdout, "", "{}", self.args);
    }
}
