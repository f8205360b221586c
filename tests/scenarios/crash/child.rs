//! The import that is stopped, and what it says of itself.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use cairn_chain::chainstate::{
    AssumeValid, BlockSource, Chainstate, ChainstateError, ChainstateOptions, MIN_BLOCKS_TO_KEEP,
};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_chain::store::BlockFileScanner;

use crate::recovery;

const ORDERS: &str = "CAIRN_CRASH_CHILD";
/// How the child ends when it met an error that it could name.
pub(crate) const FAILED: i32 = 3;

pub(crate) fn params() -> ChainParams {
    ChainParams::regtest(RegtestOptions::default())
}

/// What the child is to do.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    pub(crate) directory: PathBuf,
    /// Files of blocks. After each the child makes everything durable and says so.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) cache_bytes: usize,
    pub(crate) block_file_size: u32,
    /// Remove every block file that may be removed, after each file of the stream.
    pub(crate) prunes: bool,
    /// Check the last blocks and the coins before the import.
    pub(crate) checks: bool,
    /// Take blocks one by one, as from peers, instead of importing.
    pub(crate) singly: bool,
    /// Where to note what is durable, for whoever records the child's writes.
    pub(crate) marks: Option<PathBuf>,
}

impl Orders {
    pub(crate) fn options(&self) -> ChainstateOptions {
        ChainstateOptions {
            cache_bytes: self.cache_bytes,
            threads: 2,
            assume_valid: AssumeValid::Nothing,
            prune_target: self.prunes.then_some(cairn_chain::chainstate::MIN_PRUNE_TARGET),
            block_file_size: self.block_file_size,
            ..ChainstateOptions::default()
        }
    }

    fn encode(&self) -> String {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let mut lines = vec![
            path(&self.directory),
            self.cache_bytes.to_string(),
            self.block_file_size.to_string(),
            u8::from(self.prunes).to_string(),
            u8::from(self.checks).to_string(),
            u8::from(self.singly).to_string(),
            self.marks.as_deref().map(path).unwrap_or_default(),
        ];
        lines.extend(self.files.iter().map(|file| path(file)));
        lines.join("\n")
    }

    fn decode(text: &str) -> Self {
        let mut lines = text.split('\n');
        let mut next = || lines.next().unwrap();
        Self {
            directory: next().into(),
            cache_bytes: next().parse().unwrap(),
            block_file_size: next().parse().unwrap(),
            prunes: next() == "1",
            checks: next() == "1",
            singly: next() == "1",
            marks: Some(next()).filter(|path| !path.is_empty()).map(PathBuf::from),
            files: lines.map(PathBuf::from).collect(),
        }
    }

    /// Runs this program again as the child.
    pub(crate) fn spawn(&self, environment: &HashMap<String, String>) -> RunningChild {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child::obeys", "--exact", "--ignored", "--nocapture"])
            .env(ORDERS, self.encode())
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = child.stderr.take().unwrap();
        // Read all the time, so that the child never waits for us.
        let stderr = std::thread::spawn(move || std::io::read_to_string(stderr).unwrap());
        RunningChild { child, lines, stderr: Some(stderr) }
    }
}

/// A line of the child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The directory is open, with this tip.
    Opened { milliseconds: u64, tip: BlockHash },
    /// The checks were passed.
    Checked,
    /// Everything up to this file is durable.
    Durable { file: usize, tip: BlockHash },
    /// The stream is at its end.
    Done { tip: BlockHash },
    /// An error, by its name.
    Failed(String),
}

impl Message {
    fn encode(&self) -> String {
        match self {
            Self::Opened { milliseconds, tip } => format!("opened {milliseconds} {tip}"),
            Self::Checked => "checked".to_owned(),
            Self::Durable { file, tip } => format!("durable {file} {tip}"),
            Self::Done { tip } => format!("done {tip}"),
            Self::Failed(error) => format!("failed {error}"),
        }
    }

    /// Nothing for what the test harness prints, and for half a line.
    pub(crate) fn decode(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let pair = || rest.split_once(' ');
        Some(match kind {
            "opened" => {
                let (milliseconds, tip) = pair()?;
                Self::Opened { milliseconds: milliseconds.parse().ok()?, tip: tip.parse().ok()? }
            }
            "checked" => Self::Checked,
            "durable" => {
                let (file, tip) = pair()?;
                Self::Durable { file: file.parse().ok()?, tip: tip.parse().ok()? }
            }
            "done" => Self::Done { tip: rest.parse().ok()? },
            "failed" => Self::Failed(rest.to_owned()),
            _ => return None,
        })
    }
}

/// The child, which is killed if it outlives this.
pub(crate) struct RunningChild {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    stderr: Option<std::thread::JoinHandle<String>>,
}

impl RunningChild {
    /// The child's next message, or nothing when it ended.
    pub(crate) fn next(&mut self) -> Option<Message> {
        loop {
            match self.lines.next() {
                Some(Ok(line)) => {
                    if let Some(message) = Message::decode(&line) {
                        return Some(message);
                    }
                }
                // Half a character is what a kill may leave.
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// `SIGKILL`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for the end, and gives what the child wrote to standard error. Nothing when it did not end by `deadline`, and was
    /// killed.
    pub(crate) fn end(&mut self, deadline: Instant) -> Option<(ExitStatus, String)> {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some((status, self.stderr.take().unwrap().join().unwrap()));
            }
            if Instant::now() > deadline {
                self.kill();
                self.child.wait().unwrap();
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for RunningChild {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's part. Called by nobody else it does nothing.
#[test]
#[ignore = "the other tests run it"]
fn obeys() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    // The harness printed half a line.
    println!();
    if let Err(error) = run(&Orders::decode(&orders)) {
        say(&Message::Failed(error.to_string()));
        std::process::exit(FAILED);
    }
}

fn say(message: &Message) {
    println!("{}", message.encode());
}

fn run(orders: &Orders) -> Result<(), ChainstateError> {
    let start = Instant::now();
    let mut chainstate = Chainstate::open(&orders.directory, params(), orders.options())?;
    let milliseconds = start.elapsed().as_millis().try_into().unwrap();
    say(&Message::Opened { milliseconds, tip: chainstate.tip().hash });
    if orders.checks {
        recovery::verify(&mut chainstate)?;
        say(&Message::Checked);
    }
    let mut marks = orders.marks.as_ref().map(|path| File::options().append(true).create(true).open(path).unwrap());
    for (number, file) in orders.files.iter().enumerate() {
        take(&mut chainstate, file, orders.singly)?;
        if orders.prunes {
            let height = chainstate.tip().height.saturating_sub(MIN_BLOCKS_TO_KEEP);
            chainstate.prune_to_height(height)?;
        }
        let message = Message::Durable { file: number, tip: chainstate.tip().hash };
        if let Some(marks) = &mut marks {
            marks.write_all(message.encode().as_bytes()).unwrap();
        }
        say(&message);
    }
    say(&Message::Done { tip: chainstate.tip().hash });
    Ok(())
}

/// Takes the blocks of a file and makes them durable.
fn take(chainstate: &mut Chainstate, file: &Path, singly: bool) -> Result<(), ChainstateError> {
    let magic = params().magic;
    if !singly {
        let mut source = BlockSource::files(vec![file.to_owned()], magic).unwrap();
        chainstate.import(&mut source, &mut |_| ControlFlow::Continue(()))?;
        return Ok(());
    }
    let mut scanner = BlockFileScanner::new(File::open(file).unwrap(), magic);
    let mut blocks = Vec::new();
    while let Some(record) = scanner.next_record().unwrap() {
        blocks.push(Arc::new(Block::decode(record.bytes).unwrap()));
    }
    // Only an import waits for parents, so a branch in reverse order is turned round.
    if blocks.len() > 1 && blocks[0].header().prev_blockhash == blocks[1].hash() {
        blocks.reverse();
    }
    for block in blocks {
        // Whether it is valid shows in the end.
        let _ = chainstate.process_new_block(block, true)?;
    }
    chainstate.flush()
}
