//! A node in a process of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::chain_generator::{ChainOptions, GeneratedChain};
use serde_json::Value;
use tempfile::TempDir;

/// Time after which a node that does nothing is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Blocks of the chain after genesis.
pub(crate) const HEIGHT: u32 = 120;

/// What determines the chain.
pub(crate) const CHAIN_OPTIONS: ChainOptions =
    ChainOptions { blocks: HEIGHT, transactions_per_block: 5, coins: 50, seed: 8 };

/// A chain on regtest.
pub(crate) fn chain() -> &'static GeneratedChain {
    static CHAIN: OnceLock<GeneratedChain> = OnceLock::new();
    CHAIN.get_or_init(|| {
        GeneratedChain::open_or_generate(Path::new(env!("CARGO_TARGET_TMPDIR")), &CHAIN_OPTIONS).unwrap()
    })
}

/// A data directory that goes away with the test.
#[derive(Debug)]
pub(crate) struct Datadir(TempDir);

impl Datadir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One that holds the chain.
    pub(crate) fn with_chain() -> Self {
        let datadir = Self::new();
        let output = datadir.run(&["chain", "import", "--network", "regtest", chain().block_file().to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        datadir
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The command, with nothing in its environment that the test did not put there.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CAIRN_") || name == "NOTIFY_SOCKET" {
                command.env_remove(name);
            }
        }
        command.args(args).env("CAIRN_DATADIR", self.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The command of a node with metrics at a free port.
    pub(crate) fn node_command(&self, network: &str, args: &[&str]) -> Command {
        let mut command = self.command(&["run", "--network", network, "--metrics-listen", "127.0.0.1:0"]);
        command.args(["--rpc-port", "0", "--threads", "1", "--cache", "8"]).args(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A node that runs.
    pub(crate) fn start(&self, network: &str, args: &[&str]) -> Node {
        let child = self.node_command(network, args).spawn().unwrap();
        self.attach(network, child)
    }

    /// Waits until a node that was started runs.
    pub(crate) fn attach(&self, network: &str, mut child: Child) -> Node {
        let said = child.stderr.take().map(read_all);
        let file = self.path().join(network).join("endpoints.json");
        let endpoints = wait_for("the node to run", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the node ended: {status}: {}", said.as_ref().map(what_was_said).unwrap_or_default());
            }
            let endpoints: Value = serde_json::from_slice(&fs::read(&file).ok()?).unwrap();
            // A file of a node that was killed may still be there.
            (endpoints["pid"] == child.id()).then_some(endpoints)
        });
        let metrics = endpoints["metrics"][0].as_str().unwrap().parse().unwrap();
        let node = Node { child: Some(child), said, endpoints, metrics };
        wait_for("the end of the warm-up", || (!node.get("/ready").contains("warming up")).then_some(()));
        node
    }
}

/// What a process says, as far as it was read, and whether that is all.
type Said = Arc<(Mutex<(Vec<u8>, bool)>, Condvar)>;

/// Reads everything that comes, on a thread of its own.
fn read_all(mut from: impl Read + Send + 'static) -> Said {
    let said = Said::default();
    let writer = Arc::clone(&said);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            writer.0.lock().unwrap().0.extend_from_slice(&buffer[..length]);
        }
        writer.0.lock().unwrap().1 = true;
        writer.1.notify_all();
    });
    said
}

/// Everything that an ended process said.
fn what_was_said(said: &Said) -> String {
    let (bytes, at_end) = (said.0.lock().unwrap(), |said: &mut (Vec<u8>, bool)| !said.1);
    let (bytes, _) = said.1.wait_timeout_while(bytes, PATIENCE, at_end).unwrap();
    String::from_utf8_lossy(&bytes.0).into_owned()
}

/// The same command, with its arguments and its environment, run by another program, such as `timeout 30`, if one is named.
pub(crate) fn run_by(runner: &[&str], template: &Command) -> Command {
    let mut words = runner.iter().map(OsStr::new).chain([template.get_program()]).chain(template.get_args());
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Memory of a process, in bytes.
pub(crate) fn resident_memory(pid: u64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Tries until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = attempt() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A node that runs. It is killed when the test forgets it.
#[derive(Debug)]
pub(crate) struct Node {
    child: Option<Child>,
    /// What it says on standard error, read all the time: a node whose pipe is full stands still.
    said: Option<Said>,
    pub(crate) endpoints: Value,
    metrics: SocketAddr,
}

impl Node {
    /// What the node answers, head and all.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.metrics).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.id())).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end, and what it said.
    pub(crate) fn wait(mut self) -> Output {
        let mut output = self.child.take().unwrap().wait_with_output().unwrap();
        if let Some(said) = &self.said {
            output.stderr = what_was_said(said).into_bytes();
        }
        output
    }

    /// Ends it in order, and returns what it said.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let output = self.wait();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(output.stdout.is_empty());
        said
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
