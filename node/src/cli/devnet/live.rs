//! What a devnet says while it runs: a line that changes on a terminal, elsewhere a line for each thing that happens.
//!
//! Whoever is to read it may not: a pipe that is full, or a terminal that was stopped with Ctrl-S, holds up whoever writes. So a
//! thread of its own writes, and the devnet neither waits for it nor keeps what it has no room for.

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::cli::print;
use crate::devnet::{Notice, Status, show_duration};

/// Texts that wait to be written; what comes then is not shown.
const WAITING: usize = 256;
/// How long is waited for somebody who does not read.
const LIMIT: Duration = Duration::from_secs(1);

/// Something to be written.
enum Text {
    /// To standard output, with where to tell what became of it.
    Answer(String, oneshot::Sender<Result<(), String>>),
    /// Something that happened, on standard error.
    Notice(String),
    /// How it stands, if standard error is a terminal.
    Line(String),
}

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Live {
    texts: SyncSender<Text>,
}

impl Live {
    /// Starts the thread. It ends with this, or stays behind if somebody does not read.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub(super) fn start() -> io::Result<Self> {
        let (texts, waiting) = sync_channel(WAITING);
        thread::Builder::new().name("live".to_owned()).spawn(move || write(&waiting))?;
        Ok(Self { texts })
    }

    /// Writes to standard output, after what was to be written before. If nobody reads it within a second, that has to do.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) async fn print(&self, text: String) -> Result<(), Box<dyn Error>> {
        let (sender, written) = oneshot::channel();
        // If there is no room, nobody reads.
        let _ = self.texts.try_send(Text::Answer(text, sender));
        match timeout(LIMIT, written).await {
            Ok(Ok(written)) => Ok(written?),
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// Shows how it stands, until this is dropped.
    pub(super) async fn show(
        &self,
        mut status: watch::Receiver<Status>,
        mut notices: mpsc::Receiver<Notice>,
    ) -> Infallible {
        loop {
            let text = tokio::select! {
                Some(Notice(what)) = notices.recv() => Text::Notice(what),
                Ok(()) = status.changed() => Text::Line(text(&status.borrow_and_update())),
                // Both ended: what is left is to be dropped.
                else => std::future::pending().await,
            };
            // What there is no room for is not told.
            let _ = self.texts.try_send(text);
        }
    }
}

fn write(texts: &Receiver<Text>) {
    let mut line = None;
    let new = || ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear);
    while let Ok(text) = texts.recv() {
        match text {
            Text::Answer(text, written) => {
                // The last line makes room for it.
                line = None;
                // Who has waited long enough has gone.
                let _ = written.send(print(&text).map_err(|error| error.to_string()));
            }
            Text::Notice(what) => match &line {
                Some(line) => ProgressBar::println(line, what),
                // If standard error is closed, nobody wants to know.
                None => drop(writeln!(io::stderr(), "{what}")),
            },
            Text::Line(what) if io::stderr().is_terminal() => {
                let line = line.get_or_insert_with(new);
                line.set_message(what);
                line.tick();
            }
            Text::Line(_) => {}
        }
    }
}

fn text(status: &Status) -> String {
    let Some((height, tip, agree)) = status.leading_tip() else { return "no node answers".to_owned() };
    let mempool = status.facts().map(|(_, facts)| facts.mempool).max().unwrap_or_default();
    let mut parts = vec![
        format!("height {height}"),
        crate::devnet::short(tip),
        format!("{agree}/{} agree", status.nodes.len()),
        format!("{mempool} in the pool"),
    ];
    let next = status.next_block.map(Duration::from_millis);
    parts.extend(next.map(|next| format!("next block in {}", show_duration(Duration::from_secs(next.as_secs())))));
    if status.seconds_ahead > 0 {
        parts.push(format!("clocks {} ahead", show_duration(Duration::from_secs(status.seconds_ahead))));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_devnet_without_nodes_that_answer_is_told_of() {
        assert_eq!(text(&Status::default()), "no node answers");
    }
}
