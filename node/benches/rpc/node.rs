//! Nodes in processes of their own.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::workload::Workload;
use crate::{Result, THREADS};

/// How long a node may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that is a node.
pub(crate) enum Program {
    Cairn,
    Bitcoind(OsString),
}

impl Program {
    /// Cairn, and Bitcoin Core if the environment names it.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Cairn];
        all.extend(env::var_os("CAIRN_BITCOIND").map(Self::Bitcoind));
        all
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Cairn => "cairn",
            Self::Bitcoind(_) => "bitcoind",
        }
    }

    fn spawn(&self, datadir: &Path, port: u16) -> Result<Child> {
        let threads = THREADS.to_string();
        let mut command = match self {
            Self::Cairn => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
                command.args(["run", "--network", "regtest", "--metrics-port", "0", "--min-relay-fee", "0"]);
                command.args(["--threads", &threads, "--rpc-port", &port.to_string()]);
                command.arg("--datadir").arg(datadir);
                command
            }
            Self::Bitcoind(program) => {
                let mut command = Command::new(program);
                command.args(["-regtest", "-server", "-listen=0", "-connect=0", "-printtoconsole=0"]);
                command.args(["-minrelaytxfee=0", "-blockmintxfee=0", "-checkblockindex=0", "-assumevalid=0"]);
                command.args([format!("-par={threads}"), format!("-rpcport={port}")]);
                command.arg(format!("-datadir={}", datadir.display()));
                command
            }
        };
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }
}

/// A node that runs, and is killed when it is dropped.
pub(crate) struct Node {
    child: Child,
    address: String,
    cookie: PathBuf,
    _datadir: TempDir,
}

impl Node {
    /// A node that has the chain, and has written it.
    pub(crate) fn start(program: &Program, workload: &Workload) -> Result<Self> {
        let datadir = tempfile::Builder::new().prefix("rpc-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = program.spawn(datadir.path(), port)?;
        let cookie = datadir.path().join("regtest").join(".cookie");
        let node = Self { child, address: format!("127.0.0.1:{port}"), cookie, _datadir: datadir };
        let mut client = node.wait_until_it_answers()?;
        for block in &workload.base {
            let answer = client.call("submitblock", &json!([block.hex]))?;
            if !answer.is_null() {
                return Err(format!("submitblock: {answer}").into());
            }
        }
        client.call("gettxoutsetinfo", &json!(["none"]))?;
        Ok(node)
    }

    fn wait_until_it_answers(&self) -> Result<Client> {
        let start = Instant::now();
        loop {
            let height = self.client().and_then(|mut client| client.call("getblockcount", &json!([])));
            match height {
                Ok(Value::Number(_)) => return self.client(),
                _ if start.elapsed() > PATIENCE => return Err("the node does not answer".into()),
                _ => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    pub(crate) fn client(&self) -> Result<Client> {
        Client::connect(&self.address, &fs::read_to_string(&self.cookie)?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
