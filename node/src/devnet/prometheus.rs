//! The Prometheus that watches all nodes.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::DevnetError;
use super::guard::GuardedProgram;
use super::ports::{PortRange, Ports};
use super::state_directory::make_private;
use crate::metrics::export;
use crate::whole_file::write_json;

/// How long it may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(15);
/// Time between two questions, and how long an answer may take.
const INTERVAL: Duration = Duration::from_millis(50);
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// What a server that is ready answers with (RFC 9110: 200), after the version.
const READY: &[u8] = b"200";
/// The file of nodes to be watched, which is read again when it changes.
const TARGETS: &str = "targets.json";

/// A Prometheus that runs.
#[derive(Debug)]
pub(crate) struct Prometheus {
    program: GuardedProgram,
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// Its log.
    log: PathBuf,
}

/// Writes what a Prometheus needs to know, whoever starts it. Nodes may be others the next time.
///
/// # Errors
///
/// When a file cannot be written.
pub(crate) fn configure(folder: &Path, targets: &[String]) -> Result<(), DevnetError> {
    make_private(folder)?;
    // First, so that there is something to be read.
    let path = folder.join(TARGETS);
    write_json(&path, &json!([{ "targets": targets }])).map_err(DevnetError::file("write", &path))?;
    for file in export::files_for_targets_in(TARGETS) {
        let path = folder.join(file.name);
        // Who reads one while it is written would read half of it.
        if fs::read_to_string(&path).is_ok_and(|content| content == file.content) {
            continue;
        }
        fs::write(&path, file.content).map_err(DevnetError::file("write", &path))?;
    }
    Ok(())
}

impl Prometheus {
    /// Starts it with a configuration, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub(crate) async fn start(program: &Path, configuration: &Path, folder: &Path) -> Result<Self, DevnetError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, Ports::of(PortRange::PROMETHEUS).take()?.number()));
        let arguments = [
            format!("--config.file={}", configuration.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address={address}"),
        ];
        let log = folder.join("prometheus.log");
        let mut started = Self { program: GuardedProgram::start(program, &arguments, &log)?, address, log };
        let deadline = Instant::now() + START_LIMIT;
        while !is_ready(address).await {
            let problem = if started.program.has_ended() {
                "ended instead of starting"
            } else if Instant::now() >= deadline {
                "does not answer"
            } else {
                sleep(INTERVAL).await;
                continue;
            };
            return Err(DevnetError::Prometheus { problem, said: started.last_line() });
        }
        Ok(started)
    }

    /// What there is to tell, if it ended by itself.
    pub(crate) fn ended(&mut self) -> Option<String> {
        if !self.program.has_ended() {
            return None;
        }
        Some(format!("Prometheus ended: {}; its log is {}", self.last_line(), self.log.display()))
    }

    /// Tells it to end, and waits until it has.
    pub(crate) async fn stop(self) {
        self.program.stop().await;
    }

    fn last_line(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().last().unwrap_or("it said nothing").to_owned()
    }
}

/// Whether it answers that it is ready (Prometheus, "Management API").
async fn is_ready(address: SocketAddr) -> bool {
    let answer = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").await?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await?;
        Ok::<_, std::io::Error>(start)
    };
    timeout(ANSWER_LIMIT, answer).await.is_ok_and(|start| start.is_ok_and(|start| start.ends_with(READY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_to_be_watched_stand_in_a_file_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path(), &["127.0.0.1:1".to_owned()]).unwrap();
        configure(folder.path(), &["127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()]).unwrap();
        let targets: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join(TARGETS)).unwrap()).unwrap();
        assert_eq!(targets, json!([{ "targets": ["127.0.0.1:1", "127.0.0.1:2"] }]));
        let configuration = fs::read_to_string(folder.path().join("prometheus.yml")).unwrap();
        assert!(configuration.contains(TARGETS) && !configuration.contains("127.0.0.1"), "{configuration}");
    }
}
