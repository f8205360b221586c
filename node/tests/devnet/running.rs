//! A devnet that runs.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::harness::node_process::{Datadir, run_by, wait_for};

/// Where devnets of a test are, with temporary folders of their own, so that what is left can be seen.
#[derive(Debug)]
pub(crate) struct Place(pub(crate) Datadir);

impl Place {
    pub(crate) fn new() -> Self {
        let datadir = Datadir::new();
        fs::create_dir(datadir.path().join("tmp")).unwrap();
        Self(datadir)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.command(args);
        command.env("TMPDIR", self.temporary());
        command
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.0.path().join("tmp")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must not wait for anything: it is ended after half a minute.
    pub(crate) fn run_at_once(&self, args: &[&str]) -> Output {
        run_by(&["timeout", "30"], &self.command(args)).stdin(Stdio::null()).output().unwrap()
    }

    /// What is left in all folders.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries =
            |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        let mut left = entries(&self.temporary());
        left.extend(entries(self.0.path()).into_iter().filter(|path| !path.ends_with("tmp")));
        left
    }

    pub(crate) fn up(&self, args: &[&str]) -> Devnet<'_> {
        self.up_by(self.command(&[&["devnet", "up"], args].concat()), None)
    }

    /// Starts a devnet by a command, with the standard error that is given, or else with one that is read.
    pub(crate) fn up_by(&self, mut command: Command, stderr: Option<Stdio>) -> Devnet<'_> {
        let errors = NamedTempFile::new().unwrap();
        command.stdout(Stdio::piped()).stderr(stderr.unwrap_or_else(|| errors.reopen().unwrap().into()));
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        // It ends with that line, or with the process.
        for line in lines.by_ref() {
            banner += &(line.unwrap() + "\n");
            if banner.lines().last().unwrap().starts_with("ready in") {
                break;
            }
        }
        assert!(banner.contains("\nready in "), "{banner}{}", fs::read_to_string(errors.path()).unwrap());
        let mut devnet = Devnet { place: self, child, banner, attached: Value::Null, rest: Some(lines) };
        devnet.attached = devnet.attachment();
        devnet
    }
}

type Lines = std::io::Lines<BufReader<std::process::ChildStdout>>;

/// A devnet that runs. It is killed when the test forgets it, and its nodes end by themselves.
#[derive(Debug)]
pub(crate) struct Devnet<'a> {
    place: &'a Place,
    child: Child,
    pub(crate) banner: String,
    /// What other programs read, as of the start.
    pub(crate) attached: Value,
    rest: Option<Lines>,
}

impl Devnet<'_> {
    /// The file that other programs read.
    pub(crate) fn attachment(&self) -> Value {
        let folder = self.place.0.path().join("devnets");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let of_ours = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        let read = |path: PathBuf| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
        of_ours.map(read).find(|attached| attached["pid"] == self.child.id()).unwrap()
    }

    /// Runs a command that must succeed; what it prints.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.place.run(&[&["devnet"], args].concat());
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail; its exit code and what it says.
    pub(crate) fn fail(&self, args: &[&str]) -> (i32, String) {
        let output = self.place.run(&[&["devnet"], args].concat());
        assert!(!output.status.success(), "{args:?}: {output:?}");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Runs a command that answers with JSON.
    pub(crate) fn ask(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[args, &["--json"]].concat())).unwrap()
    }

    /// Runs a command that answers with JSON more than once.
    pub(crate) fn ask_all(&self, args: &[&str]) -> Vec<Value> {
        let said = self.run(&[args, &["--json"]].concat());
        serde_json::Deserializer::from_str(&said).into_iter().collect::<Result<_, _>>().unwrap()
    }

    /// Calls a method of a node.
    pub(crate) fn call(&self, node: &str, method: &str, params: &[&str]) -> Value {
        let text = self.run(&[&["exec", node, "--", "rpc", method], params].concat());
        serde_json::from_str(&text).unwrap_or_else(|_| json!(text.trim()))
    }

    /// What `env` gives a shell.
    pub(crate) fn variables(&self) -> HashMap<String, String> {
        let said = self.run(&["env"]);
        let lines = said.lines().map(|line| line.trim_start_matches("export ").split_once('=').unwrap());
        lines.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
    }

    pub(crate) fn nodes(&self) -> Vec<Value> {
        self.ask(&["status"])["nodes"].as_array().unwrap().clone()
    }

    /// Something that the status says of each node.
    pub(crate) fn of_each(&self, key: &str) -> Vec<Value> {
        self.nodes().iter().map(|node| node[key].clone()).collect()
    }

    /// Waits until all nodes have one tip; its height.
    pub(crate) fn wait_for_agreement(&self) -> u64 {
        wait_for("agreement", || {
            let status = self.ask(&["status"]);
            (status["agree"] == true).then(|| status["nodes"][0]["height"].as_u64().unwrap())
        })
    }

    /// The process of the devnet, and those of its nodes.
    pub(crate) fn pids(&self) -> Vec<u64> {
        let nodes = self.attached["nodes"].as_array().unwrap();
        let nodes = nodes.iter().map(|node| node["pid"].as_u64().unwrap());
        nodes.chain([self.child.id().into()]).collect()
    }

    /// The ports of its nodes.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let nodes = self.attached["nodes"].as_array().unwrap();
        let port = |text: &str| text.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        let of = |node: &Value| {
            let p2p = node["p2p"].as_str().unwrap().split('/').nth(4).unwrap().parse().unwrap();
            [port(node["rpc"].as_str().unwrap()), port(node["metrics"].as_str().unwrap()), p2p]
        };
        nodes.iter().flat_map(of).collect()
    }

    /// Sends a signal to the devnet alone.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status().unwrap();
        assert!(status.success());
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end; the exit code and what it said after the banner.
    pub(crate) fn wait(&mut self) -> (Option<i32>, String) {
        let said: String = self.rest.take().unwrap().map(|line| line.unwrap() + "\n").collect();
        (self.child.wait().unwrap().code(), said)
    }

    /// Waits until no process and no port is left.
    pub(crate) fn wait_until_gone(&self) {
        wait_for("the end of all processes", || (!self.pids().into_iter().any(runs)).then_some(()));
        for port in self.ports() {
            wait_for("a port to be free", || TcpListener::bind(("127.0.0.1", port)).ok());
        }
    }
}

impl Drop for Devnet<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is a process, and it has not ended.
fn runs(pid: u64) -> bool {
    // The state comes after the name in parentheses (proc(5)); an ended process whose parent has not asked is a zombie.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}
