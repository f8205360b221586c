//! Nodes in processes of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::anyone::ADDRESS;
use crate::client::Client;
use crate::{PATIENCE, Result, folder};

/// A data directory beside the build's other files.
pub(crate) fn datadir() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("peers-").tempdir_in(folder())?)
}

/// A command of the program with a data directory on regtest.
pub(crate) fn cairn(datadir: &Path, command: &[&str]) -> Command {
    let mut cairn = Command::new(env!("CARGO_BIN_EXE_cairn"));
    cairn.args(command).args(["--network", "regtest"]).arg("--datadir").arg(datadir);
    cairn.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    cairn
}

/// A node that runs, and is killed when it is dropped.
pub(crate) struct Node {
    child: Child,
    endpoints: Value,
    folder: PathBuf,
    client: Client,
    _datadir: Option<TempDir>,
}

impl Node {
    /// A node with nothing, and these arguments.
    pub(crate) fn start(args: &[&str]) -> Result<Self> {
        let datadir = datadir()?;
        let mut node = Self::start_in(datadir.path(), args)?;
        node._datadir = Some(datadir);
        Ok(node)
    }

    /// A node with the data of a directory.
    pub(crate) fn start_in(datadir: &Path, args: &[&str]) -> Result<Self> {
        let mut command = cairn(datadir, &["run", "--rpc-port", "0", "--metrics-listen", "127.0.0.1:0"]);
        let child = command.args(["--threads", "2", "--min-relay-fee", "0"]).args(args).spawn()?;
        let folder = datadir.join("regtest");
        let (endpoints, client) = wait_for("a node to start", || {
            let endpoints: Value = serde_json::from_slice(&fs::read(folder.join("endpoints.json")).ok()?).ok()?;
            let is_up = endpoints["pid"] == child.id() && endpoints["p2p"][0].is_string();
            let cookie = fs::read_to_string(folder.join(".cookie")).ok()?;
            let mut client = Client::connect(endpoints["rpc"][0].as_str().filter(|_| is_up)?, &cookie).ok()?;
            client.call("getblockcount", &json!([])).ok()?;
            Some((endpoints, client))
        })?;
        Ok(Self { child, endpoints, folder, client, _datadir: None })
    }

    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.client.call(method, params)
    }

    /// Where peers find it.
    pub(crate) fn address(&self) -> String {
        self.endpoints["p2p"][0].as_str().unwrap_or_default().to_owned()
    }

    /// The folder of the network's data.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until the node's tip is this.
    pub(crate) fn wait_for_tip(&mut self, tip: &str) -> Result<()> {
        wait_for("the tip", || (self.client.call("getbestblockhash", &json!([])).ok()? == tip).then_some(()))
    }

    /// Waits until the node has so many peers.
    pub(crate) fn wait_for_peers(&mut self, count: u64) -> Result<()> {
        wait_for("peers", || {
            (self.client.call("getconnectioncount", &json!([])).ok()?.as_u64()? >= count).then_some(())
        })
    }

    /// Mines blocks; the hash of the last.
    pub(crate) fn mine(&mut self, blocks: u32) -> Result<String> {
        let hashes = self.call("generatetoaddress", &json!([blocks, ADDRESS]))?;
        let last = hashes.as_array().and_then(|hashes| hashes.last()).and_then(Value::as_str);
        Ok(last.ok_or("no block was mined")?.to_owned())
    }

    /// Processor time that it used so far, user's and system's (`/proc/<pid>/stat`, fields 14 and 15).
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        /// Ticks of a second on Linux, whatever the kernel's own are (`USER_HZ`).
        const TICKS: f64 = 100.0;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let behind_name = stat.rsplit_once(')').ok_or("no process")?.1;
        let ticks = behind_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        let ticks: f64 = ticks.sum::<std::result::Result<f64, _>>()?;
        Ok(Duration::from_secs_f64(ticks / TICKS))
    }

    /// Memory that it holds now, in bytes (`VmRSS` of `/proc/<pid>/status`).
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no memory")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = attempt() {
            return Ok(answer);
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("waited in vain for {what}").into());
        }
        thread::sleep(Duration::from_millis(5));
    }
}
