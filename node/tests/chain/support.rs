//! A chain to import, and the command that imports it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::chain_generator::{ChainOptions, GeneratedChain};
use serde_json::Value;
use tempfile::TempDir;

/// Blocks of the chain after genesis.
pub(crate) const HEIGHT: u32 = 140;
/// Magic of regtest.
pub(crate) const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

/// A chain on regtest whose last forty blocks are full of signatures.
pub(crate) fn chain() -> &'static GeneratedChain {
    static CHAIN: OnceLock<GeneratedChain> = OnceLock::new();
    CHAIN.get_or_init(|| {
        let options = ChainOptions { blocks: HEIGHT, transactions_per_block: 40, coins: 800, seed: 5 };
        GeneratedChain::open_or_generate(Path::new(env!("CARGO_TARGET_TMPDIR")), &options).unwrap()
    })
}

/// The chain's blocks with their frames, genesis first.
pub(crate) fn frames() -> Vec<Vec<u8>> {
    let bytes = fs::read(chain().block_file()).unwrap();
    let mut rest = &bytes[..];
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        let (frame, behind) = rest.split_at(8 + usize::try_from(length).unwrap());
        frames.push(frame.to_vec());
        rest = behind;
    }
    frames
}

/// A block with a frame of its own.
pub(crate) fn frame(block: &[u8]) -> Vec<u8> {
    let length = u32::try_from(block.len()).unwrap();
    [&MAGIC[..], &length.to_le_bytes(), block].concat()
}

/// `cairn chain` on a data directory that goes away with the test.
pub(crate) struct Cairn {
    directory: TempDir,
}

impl Cairn {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A chain state with the whole chain.
    pub(crate) fn with_chain() -> Self {
        let cairn = Self::new();
        cairn.json(&["import", chain().block_file().to_str().unwrap()]);
        cairn
    }

    /// A path inside the directory, beside the data.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The folder that holds the data.
    pub(crate) fn datadir(&self) -> PathBuf {
        self.path("data")
    }

    /// A new file with this content.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
        command.arg("chain").args(args).args(["--network", "regtest"]).arg("--datadir").arg(self.datadir());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command that succeeds prints.
    pub(crate) fn text(&self, args: &[&str]) -> String {
        stdout(&self.run(args))
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[args, &["--json"]].concat())).unwrap()
    }

    /// Runs a command with these bytes on standard input.
    pub(crate) fn pipe(&self, args: &[&str], input: Vec<u8>) -> Output {
        let mut child = self.spawn(args);
        let mut stdin = child.stdin.take().unwrap();
        let writer = thread::spawn(move || stdin.write_all(&input).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }

    /// Starts a command, with pipes all around.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits until a command that was started has the data directory.
    pub(crate) fn wait_until_open(&self) {
        let start = Instant::now();
        while !self.datadir().join("regtest").join("directory.toml").exists() {
            assert!(start.elapsed() < Duration::from_secs(30), "the data directory is never made");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the coins hash to, and where the chain ends.
    pub(crate) fn utxo_stats(&self) -> Value {
        let mut stats = self.json(&["utxo-stats"]);
        stats.as_object_mut().unwrap().remove("disk_size");
        stats
    }
}

/// What a command printed that succeeded and had nothing else to say.
pub(crate) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a failed command said on standard error.
pub(crate) fn failure(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Sends a signal by its name.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status().unwrap();
    assert!(status.success());
}
