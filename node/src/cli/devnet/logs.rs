//! `cairn devnet logs`: what nodes say.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;

use super::place::Place;
use crate::cli::interruption::Interruption;
use crate::cli::{Answer, print};
use crate::config::Settings;
use crate::devnet::Attachment;

/// Time between two looks at logs that are followed.
const INTERVAL: Duration = Duration::from_millis(200);
/// The most that is read of a log at once, in bytes; of one that is longer, the newest.
const MAX_READ: u64 = 16 << 20;

/// Show what nodes say, in the order in which they said it.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn devnet logs\n  cairn devnet logs bob\n  cairn devnet logs -f")]
pub(super) struct LogsArgs {
    /// The node [default: all].
    node: Option<String>,
    /// Go on with what they say from now on, also those that are added, until Ctrl-C or the end of the devnet.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    place: Place,
}

/// A log that is read as it grows.
#[derive(Debug)]
struct Log {
    /// Whose it is.
    name: String,
    path: PathBuf,
    /// Stays open, so that the end of a log can be read that has gone with its devnet.
    file: Option<File>,
    position: u64,
}

/// Runs `cairn devnet logs`.
pub(super) fn run(args: &LogsArgs, settings: &Settings) -> Answer {
    let mut devnet = args.place.find(settings)?;
    if let Some(name) = &args.node {
        devnet.node(name)?;
    }
    let mut logs: Vec<Log> = Vec::new();
    let interruption = Interruption::watch()?;
    loop {
        let is_over = !devnet.path().exists();
        for node in devnet.nodes.iter().filter(|node| args.node.as_ref().is_none_or(|name| *name == node.name)) {
            if !logs.iter().any(|log| log.path == node.log) {
                let log = Log::new(&node.name, &node.log);
                logs.push(log);
            }
        }
        let width = logs.iter().map(|log| log.name.len()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for log in &mut logs {
            let prefix = if args.node.is_some() { String::new() } else { format!("{:width$} | ", log.name) };
            if let Some(left_out) = log.skip_to_newest(MAX_READ)? {
                eprint(&format!("the first {left_out} bytes of {} are not shown\n", log.path.display()));
            }
            lines.extend(log.read_lines()?.into_iter().map(|line| (prefix.clone(), line)));
        }
        print(&merge(lines))?;
        if !args.follow || is_over || interruption.is_requested() {
            return Ok(String::new());
        }
        thread::sleep(INTERVAL);
        // Nodes may have been added. One that has ended is read once more.
        devnet = Attachment::read_live(devnet.path()).unwrap_or(devnet);
    }
}

/// A line on standard error. If that is closed, nobody wants to know.
fn eprint(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

impl Log {
    fn new(name: &str, path: &Path) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), file: None, position: 0 }
    }

    /// The file, once it is there.
    fn open(&mut self) -> io::Result<Option<&mut File>> {
        if self.file.is_none() {
            self.file = match File::open(&self.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                file => Some(file?),
            };
        }
        Ok(self.file.as_mut())
    }

    /// Of a log that is not read yet and has more than `most` bytes, leaves out the oldest: how many.
    fn skip_to_newest(&mut self, most: u64) -> io::Result<Option<u64>> {
        let position = self.position;
        let Some(file) = self.open()?.filter(|_| position == 0) else { return Ok(None) };
        let length = file.metadata()?.len();
        let Some(left_out) = length.checked_sub(most).filter(|left_out| *left_out > 0) else { return Ok(None) };
        // From the start of a line on.
        file.seek(SeekFrom::Start(left_out))?;
        let mut rest = Vec::new();
        BufReader::new(file.take(most)).read_until(b'\n', &mut rest)?;
        self.position = left_out + u64::try_from(rest.len()).unwrap_or(u64::MAX);
        Ok(Some(self.position))
    }

    /// Whole lines that are new.
    fn read_lines(&mut self) -> io::Result<Vec<String>> {
        let position = self.position;
        let Some(file) = self.open()? else { return Ok(Vec::new()) };
        file.seek(SeekFrom::Start(position))?;
        let mut bytes = Vec::new();
        file.take(MAX_READ).read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.position += u64::try_from(whole).unwrap_or(u64::MAX);
        Ok(String::from_utf8_lossy(&bytes[..whole]).lines().map(ToOwned::to_owned).collect())
    }
}

/// All lines by their times. One without a time, as of the banner, stays behind the one that it follows.
fn merge(lines: Vec<(String, String)>) -> String {
    let mut time = String::new();
    let mut timed: Vec<(String, String)> = Vec::with_capacity(lines.len());
    for (prefix, line) in lines {
        let start = line.split(' ').next().unwrap_or_default();
        if start.len() > 20 && start.ends_with('Z') {
            start.clone_into(&mut time);
        }
        timed.push((time.clone(), format!("{prefix}{line}\n")));
    }
    timed.sort_by(|one, other| one.0.cmp(&other.0));
    timed.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_nodes_come_in_order() {
        let line = |prefix: &str, line: &str| (prefix.to_owned(), line.to_owned());
        let lines = vec![
            line("a | ", "2026-11-22T16:00:00.000001Z  INFO one"),
            line("a | ", "  of more than a line"),
            line("a | ", "2026-11-22T16:00:00.000003Z  INFO three"),
            line("b | ", "2026-11-22T16:00:00.000002Z  INFO two"),
        ];
        let merged = merge(lines);
        let order: Vec<_> = merged.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
        assert_eq!(order, ["one", "line", "two", "three"]);
    }
    #[test]
    fn of_a_long_log_the_newest_lines_are_shown_and_its_end_also_when_it_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice.log");
        let mut log = Log::new("alice", &path);
        assert_eq!((log.skip_to_newest(8).unwrap(), log.read_lines().unwrap().len()), (None, 0), "it is not there yet");
        std::fs::write(&path, "one\ntwo\nthree\nfo").unwrap();
        assert_eq!(log.skip_to_newest(10).unwrap(), Some(8), "not from the middle of a line on");
        assert_eq!(log.read_lines().unwrap(), ["three"]);
        let mut writer = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        writer.write_all(b"ur\n").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(log.skip_to_newest(1).unwrap(), None, "what is read already is not skipped");
        assert_eq!(log.read_lines().unwrap(), ["four"]);
        let mut short = Log::new("bob", &path);
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!((short.skip_to_newest(4).unwrap(), short.read_lines().unwrap()), (None, vec!["one".to_owned()]));
    }
}
