//! A node of a devnet: `cairn run` in a process of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::DevnetError;
use super::chain::Chain;
use super::error::NodeLog;
use super::node_rpc::NodeRpc;
use super::own_program::own_program;
use super::ports::{HeldPort, NodePorts, PortDispenser};
use crate::node::Endpoints;
use crate::rpc::COOKIE_FILE;

/// The option by which a node ends with whoever started it.
pub(crate) const UNTIL_STDIN_CLOSES: &str = "--until-stdin-closes";
/// The most that is read of the log of a node that did not start, in bytes, and how many lines are shown.
const MAX_LOG: u64 = 1 << 16;
const SHOWN_LINES: usize = 10;
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
        // What it said in earlier lives is not about this one.
        let logged = fs::metadata(&self.log).map(|metadata| metadata.len()).unwrap_or(0);
        let mut child = self.spawn()?;
        let pid = child.id().unwrap_or_default();
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(self.ended(status, logged));
            }
            if let Some(Found { rpc, p2p }) = self.look(&folder, pid).await {
                return Ok(NodeProcess { child, pid, rpc, p2p });
            }
            if Instant::now() >= deadline {
                let log = self.log_since(logged);
                return Err(DevnetError::Slow { name: self.name.clone(), limit: START_TIMEOUT, log });
            }
            sleep(LOOK_INTERVAL).await;
        }
    }

    fn spawn(&self) -> Result<Child, DevnetError> {
        let program = own_program()?;
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(DevnetError::file("open", &self.log))?;
        let errors = log.try_clone().map_err(DevnetError::file("open", &self.log))?;
        let mut command = Command::new(&program.path);
        // What is meant for this process is not meant for the node.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CAIRN_") || name == "NOTIFY_SOCKET" {
                command.env_remove(name);
            }
        }
        let (variable, value) = self.chain.variable();
        command
            .arg0(&program.name)
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
            .arg(UNTIL_STDIN_CLOSES)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C in a terminal is for this process, which then stops the node in order.
            .process_group(0)
            .kill_on_drop(true);
        command.spawn().map_err(|source| DevnetError::Spawn { program: program.path.display().to_string(), source })
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

    fn ended(&self, status: ExitStatus, logged: u64) -> DevnetError {
        let log = self.log_since(logged);
        let mut lines = log.last_lines.lines().rev();
        let said = lines.clone().find(|line| line.starts_with("error: ")).or(lines.next()).unwrap_or_default();
        let said = said.trim_start_matches("error: ").to_owned();
        DevnetError::Ended { name: self.name.clone(), status, said, log }
    }

    /// The log, with the last of what was written after so many bytes.
    fn log_since(&self, logged: u64) -> NodeLog {
        let read = || {
            let mut file = File::open(&self.log)?;
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(logged.max(end.saturating_sub(MAX_LOG))))?;
            let mut bytes = Vec::new();
            file.take(MAX_LOG).read_to_end(&mut bytes).map(|_| bytes)
        };
        // A log that cannot be read says nothing.
        let bytes: Vec<u8> = read().unwrap_or_else(|_: std::io::Error| Vec::new());
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let last_lines = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
        NodeLog { path: self.log.clone(), last_lines, goes: false }
    }
}

/// How a node ended that was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeEnd {
    /// In order.
    Cleanly,
    /// By itself, and not well.
    Badly(ExitStatus),
    /// It took too long, and was killed.
    Killed,
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

    /// Stops it in order; kills it if that takes too long.
    pub(crate) async fn stop(mut self) -> NodeEnd {
        drop(self.child.stdin.take());
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => NodeEnd::Cleanly,
            Ok(Ok(status)) => NodeEnd::Badly(status),
            Ok(Err(_)) | Err(_) => {
                self.kill().await;
                NodeEnd::Killed
            }
        }
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) async fn kill(mut self) {
        // What has ended already is no worse.
        let _ = self.child.kill().await;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::super::plan::Rules;
    use super::*;

    #[test]
    fn what_a_node_said_in_an_earlier_life_is_not_its_error() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("node.log");
        let launch = NodeLaunch {
            name: "alice".to_owned(),
            datadir: folder.path().to_owned(),
            log: log.clone(),
            chain: Chain::of(Rules::Regtest, folder.path(), false).unwrap(),
            ports: NodePorts { rpc: 1, metrics: 2, p2p: 3 },
        };
        fs::write(&log, "error: an old one\n").unwrap();
        let logged = fs::metadata(&log).unwrap().len();
        fs::write(&log, "error: an old one\nstarts\nthe new one\n").unwrap();
        let error = launch.ended(ExitStatus::from_raw(1 << 8), logged);
        let said = error.to_string();
        assert!(said.contains("exit status: 1) instead of starting: the new one; its log is"), "{said}");
        let said = error.without_data().to_string();
        assert!(said.ends_with("its last lines are:\nstarts\nthe new one"), "{said}");
    }
}
