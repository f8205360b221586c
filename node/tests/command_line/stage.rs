//! A home with a shell, in which examples run as users run them.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rexpect::process::WaitStatus;
use rexpect::session::spawn_command;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::node_process::{PATIENCE, wait_for};
use crate::harness::test_node::TestNode;

/// A folder for everything that examples read and write. They run in its folder `home`.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
    datadir: PathBuf,
    /// What examples write, and what stands here instead.
    substitutions: Vec<(String, String)>,
}

impl Stage {
    /// One that has no data yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let datadir = folder.path().join("home/.cairn");
        Self::with(folder, datadir)
    }

    /// One with the data of a node, which runs on regtest.
    pub(crate) fn beside(node: &TestNode) -> Self {
        Self::with(tempfile::tempdir().unwrap(), node.datadir.path().to_owned())
    }

    fn with(folder: TempDir, datadir: PathBuf) -> Self {
        let stage = Self { folder, datadir, substitutions: Vec::new() };
        fs::create_dir_all(stage.home()).unwrap();
        fs::create_dir_all(stage.programs()).unwrap();
        symlink(env!("CARGO_BIN_EXE_cairn"), stage.programs().join("cairn")).unwrap();
        stage
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn programs(&self) -> PathBuf {
        self.folder.path().join("programs")
    }

    /// Puts a shell script where the shell finds it as a program.
    pub(crate) fn install(&self, program: &str, script: &str) {
        let path = self.programs().join(program);
        fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a file into the home.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Lets the rest of the examples mean something else by what they write: a value that only this stage has.
    pub(crate) fn let_mean(&mut self, written: &str, meant: &str) {
        self.substitutions.retain(|(other, _)| other != written);
        self.substitutions.push((written.to_owned(), meant.to_owned()));
    }

    /// The line that runs for an example.
    fn meant(&self, line: &str) -> String {
        self.substitutions.iter().fold(line.to_owned(), |line, (written, meant)| line.replace(written, meant))
    }

    /// A shell for one line. Where nothing else is said the network is regtest.
    fn shell(&self, line: &str) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [self.programs()].into_iter().chain(std::env::split_paths(&path));
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env_clear().env("PATH", std::env::join_paths(path).unwrap()).env("TERM", "xterm");
        shell.env("HOME", self.home()).env("CAIRN_DATADIR", &self.datadir).env("CAIRN_NETWORK", "regtest");
        shell.current_dir(self.home());
        shell
    }

    /// Runs a line to its end; what it says.
    pub(crate) fn run(&self, line: &str, typed: &str) -> String {
        let line = self.meant(line);
        let mut shell = self.shell(&line);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        // A command that does not read may have gone already.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        let output = child.wait_with_output().unwrap();
        let (said, complained) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        // Of a pipeline the exit code tells only how its last command ended.
        assert!(output.status.success() && !complained.contains("error: "), "{line}: {}: {complained}", output.status);
        said
    }

    /// Runs a line in a terminal, and says yes to what it asks.
    pub(crate) fn confirm(&self, line: &str) {
        let line = self.meant(line);
        let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
        let mut session = spawn_command(self.shell(&line), Some(patience)).unwrap();
        session.exp_string("[y/N] ").unwrap_or_else(|error| panic!("{line}: {error}"));
        session.send_line("y").unwrap();
        let rest = session.exp_eof().unwrap();
        match session.process().wait().unwrap() {
            WaitStatus::Exited(_, 0) => {}
            ended => panic!("{line}: {ended:?}: {rest}"),
        }
    }

    /// Starts a line that runs until it is told to end, and waits until it does what it is for: it says something, or it is a node
    /// that tells where it is.
    pub(crate) fn start(&self, line: &str) -> Performance {
        let line = self.meant(line);
        let said = self.folder.path().join("said");
        let complained = self.folder.path().join("complained");
        // Without `exec` the signals would be the shell's.
        let mut shell = self.shell(&format!("exec {line}"));
        shell.env("CAIRN_RPC_PORT", "0").env("CAIRN_METRICS_PORT", "0").env("CAIRN_CACHE", "8");
        shell.stdin(Stdio::null()).stdout(File::create(&said).unwrap()).stderr(File::create(&complained).unwrap());
        let child = shell.spawn().unwrap();
        let mut performance = Performance { line, said, complained, child };
        wait_for("the example to run", || {
            let ended = performance.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}: {ended:?}: {}", performance.line, performance.complaints());
            let is_heard = !performance.says().is_empty();
            (is_heard || has_endpoints(self.folder.path(), performance.child.id())).then_some(())
        });
        performance
    }
}

/// Whether a process has written where it can be reached, anywhere below a folder.
fn has_endpoints(folder: &Path, pid: u32) -> bool {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else if entry.file_name() == "endpoints.json" {
                let endpoints: Value = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
                if endpoints["pid"] == pid {
                    return true;
                }
            }
        }
    }
    false
}

/// A line that runs. It is killed when the test forgets it.
#[derive(Debug)]
pub(crate) struct Performance {
    line: String,
    said: PathBuf,
    complained: PathBuf,
    child: Child,
}

impl Performance {
    /// What it has said up to now.
    pub(crate) fn says(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }

    fn complaints(&self) -> String {
        fs::read_to_string(&self.complained).unwrap()
    }

    /// Ends it as a supervisor does.
    pub(crate) fn stop(mut self) {
        let kill = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status().unwrap();
        assert!(kill.success());
        let ended = wait_for("its end", || self.child.try_wait().unwrap());
        assert!(ExitStatus::success(&ended), "{}: {ended}: {}", self.line, self.complaints());
    }
}

impl Drop for Performance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
