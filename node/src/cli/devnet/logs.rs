//! `cairn devnet logs`: what nodes say.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::Args;

use super::place::Place;
use crate::cli::interruption::Interruption;
use crate::cli::{Answer, print};
use crate::config::Settings;

/// Time between two looks at logs that are followed.
const INTERVAL: Duration = Duration::from_millis(200);
/// The most that is read of a log at once, in bytes.
const MAX_READ: u64 = 16 << 20;

/// Show what nodes say, in the order in which they said it.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  cairn devnet logs\n  cairn devnet logs bob\n  cairn devnet logs -f")]
pub(super) struct LogsArgs {
    /// The node [default: all].
    node: Option<String>,
    /// Go on with what they say from now on, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    place: Place,
}

/// A log that is read as it grows.
struct Log {
    /// What its lines begin with; nothing if there is no other log.
    prefix: String,
    path: PathBuf,
    position: u64,
}

/// Runs `cairn devnet logs`.
pub(super) fn run(args: &LogsArgs, settings: &Settings) -> Answer {
    let devnet = args.place.find(settings)?;
    let width = devnet.nodes.iter().map(|node| node.name.len()).max().unwrap_or(0);
    let mut logs: Vec<Log> = match &args.node {
        Some(name) => vec![Log { prefix: String::new(), path: devnet.node(name)?.log.clone(), position: 0 }],
        None => {
            let log = |node: &crate::devnet::AttachedNode| Log {
                prefix: format!("{:width$} | ", node.name),
                path: node.log.clone(),
                position: 0,
            };
            devnet.nodes.iter().map(log).collect()
        }
    };
    let interruption = Interruption::watch()?;
    loop {
        let mut lines = Vec::new();
        for log in &mut logs {
            log.read_lines(&mut lines)?;
        }
        print(&merge(lines))?;
        if !args.follow || interruption.is_requested() {
            return Ok(String::new());
        }
        thread::sleep(INTERVAL);
    }
}

impl Log {
    /// Appends whole lines that are new, with their prefix.
    fn read_lines(&mut self, lines: &mut Vec<(String, String)>) -> io::Result<()> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        file.seek(SeekFrom::Start(self.position))?;
        let mut bytes = Vec::new();
        file.take(MAX_READ).read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.position += u64::try_from(whole).unwrap_or(u64::MAX);
        let text = String::from_utf8_lossy(&bytes[..whole]);
        lines.extend(text.lines().map(|line| (self.prefix.clone(), line.to_owned())));
        Ok(())
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
}
