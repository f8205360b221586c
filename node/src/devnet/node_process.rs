//! A node of a devnet: `cairn run` in a process of its own.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::DevnetError;
use super::chain::Chain;
use super::node_rpc::NodeRpc;
use super::ports::{HeldPort, NodePorts, PortDispenser};
use crate::node::Endpoints;
use crate::rpc::COOKIE_FILE;

/// How long a node may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Time between two looks at whether it has.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// How long a node may take to stop: its own limit is fifteen seconds, and then it writes.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Times that a node is started because somebody was faster at its ports.
const PORT_ATTEMPTS: u32 = 20;
/// What the system says of a port that somebody has (EADDRINUSE).
const IN_USE: &str = "in use";
/// JSON-RPC's error of a node that is not ready yet (Core: `RPC_IN_WARMUP`).
const IN_WARMUP: i64 = -28;

/// Everything that the start of a node needs.
#[derive(Debug, Clone)]
pub(crate) struct NodeLaunch {
    /// Its name.
    pub(crate) name: String,
    /// The folder of its data.
    pub(crate) datadir: PathBuf,
    /// Its log, to which is appended.
    pub(crate) log: PathBuf,
    /// Its chain.
    pub(crate) chain: Chain,
    /// Its ports.
    pub(crate) ports: NodePorts,
}

/// A node that runs. It is killed when this is dropped, and stops by itself if this process is.
#[derive(Debug)]
pub(crate) struct NodeProcess {
    /// Holds the pipe whose end tells the node to stop.
    child: Child,
    /// The process.
    pub(crate) pid: u32,
    /// The way to ask it.
    pub(crate) rpc: NodeRpc,
    /// Where peers connect, with its peer id.
    pub(crate) p2p: String,
}

/// What a node says of itself when it runs.
struct Found {
    rpc: NodeRpc,
    p2p: String,
}

impl NodeLaunch {
    /// Starts the node and waits until it runs. If somebody else was faster at its ports, it gets others.
    ///
    /// # Errors
    ///
    /// Why it does not run.
    pub(crate) async fn start(&mut self, held: Option<[HeldPort; 3]>) -> Result<NodeProcess, DevnetError> {
        let mut held = held;
        let mut attempts = PORT_ATTEMPTS;
        loop {
            attempts -= 1;
            drop(held.take());
            match self.try_start().await {
                Err(DevnetError::Ended { said, .. }) if attempts > 0 && said.contains(IN_USE) => {
                    let (ports, others) = PortDispenser::new().take()?;
                    self.ports = ports;
                    held = Some(others);
                }
                Ok(process) => {
                    reconsider(&process.rpc).await?;
                    return Ok(process);
                }
                outcome => return outcome,
            }
        }
    }

    async fn try_start(&self) -> Result<NodeProcess, DevnetError> {
        let folder = self.datadir.join(&self.chain.network);
        let mut child = self.spawn()?;
        let pid = child.id().unwrap_or_default();
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(self.ended(status));
            }
            if let Some(Found { rpc, p2p }) = self.look(&folder, pid).await {
                return Ok(NodeProcess { child, pid, rpc, p2p });
            }
            if Instant::now() >= deadline {
                return Err(DevnetError::Slow { name: self.name.clone(), limit: START_TIMEOUT, log: self.log.clone() });
            }
            sleep(LOOK_INTERVAL).await;
        }
    }

    fn spawn(&self) -> Result<Child, DevnetError> {
        let program = std::env::current_exe().map_err(DevnetError::file("find", "the program of this process"))?;
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(DevnetError::file("open", &self.log))?;
        let errors = log.try_clone().map_err(DevnetError::file("open", &self.log))?;
        let mut command = Command::new(&program);
        // What is meant for this process is not meant for the node.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CAIRN_") || name == "NOTIFY_SOCKET" {
                command.env_remove(name);
            }
        }
        let (variable, value) = self.chain.variable();
        command
            .arg("run")
            .env(variable, value)
            .arg("--datadir")
            .arg(&self.datadir)
            .args(["--rpc-port", &self.ports.rpc.to_string()])
            .args(["--metrics-port", &self.ports.metrics.to_string()])
            .args(["--listen", &format!("/ip4/127.0.0.1/tcp/{}", self.ports.p2p)])
            // Only the connections that the plan has.
            .args([
                "--kademlia=false",
                "--mdns=false",
                "--link-control",
                "--tx-index=true",
                "--cache",
                "32",
                "--threads",
                "1",
            ])
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C in a terminal is for this process, which then stops the node in order.
            .process_group(0)
            .kill_on_drop(true);
        command.spawn().map_err(|source| DevnetError::Spawn { program: program.display().to_string(), source })
    }

    /// What the node says of itself, once it runs.
    async fn look(&self, folder: &Path, pid: u32) -> Option<Found> {
        // A file of a few hundred bytes. One that was killed may have left it.
        let endpoints = Endpoints::read(folder).ok()?.filter(|endpoints| endpoints.pid == pid)?;
        let address = *endpoints.rpc.first()?;
        let p2p = endpoints.p2p.into_iter().next()?;
        let cookie = fs::read_to_string(folder.join(COOKIE_FILE)).ok()?;
        let rpc = NodeRpc::new(&self.name, address, &cookie);
        match rpc.call::<Value>("getblockcount", json!([])).await {
            Err(DevnetError::Refused { code: IN_WARMUP, .. } | DevnetError::Unanswered { .. }) => None,
            _ => Some(Found { rpc, p2p }),
        }
    }

    fn ended(&self, status: ExitStatus) -> DevnetError {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let said =
            log.lines().rev().find(|line| line.starts_with("error: ")).or(log.lines().last()).unwrap_or_default();
        DevnetError::Ended {
            name: self.name.clone(),
            status,
            said: said.trim_start_matches("error: ").to_owned(),
            log: self.log.clone(),
        }
    }
}

/// Takes back that blocks are invalid: if the devnet or the node ended in the middle of a reorganisation, they are so by decree, and
/// nobody is left to take it back. What is invalid by itself is found so again.
async fn reconsider(rpc: &NodeRpc) -> Result<(), DevnetError> {
    let tips: Vec<Value> = rpc.call("getchaintips", json!([])).await?;
    for tip in tips.iter().filter(|tip| tip["status"] == "invalid") {
        rpc.call::<Value>("reconsiderblock", json!([tip["hash"]])).await?;
    }
    Ok(())
}

impl NodeProcess {
    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Stops it in order; kills it if that takes too long. Whether it stopped by itself, and well.
    pub(crate) async fn stop(mut self) -> bool {
        drop(self.child.stdin.take());
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(ended) => ended.is_ok_and(|status| status.success()),
            Err(_) => {
                self.kill().await;
                false
            }
        }
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) async fn kill(mut self) {
        // What has ended already is no worse.
        let _ = self.child.kill().await;
    }
}
