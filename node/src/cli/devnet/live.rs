//! What a devnet says while it runs: a line that changes on a terminal, elsewhere a line for each thing that happens.

use std::convert::Infallible;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish};
use tokio::sync::{mpsc, watch};

use crate::devnet::{Notice, Status, show_duration};

/// Shows how it stands, until this is dropped.
pub(super) async fn show(mut status: watch::Receiver<Status>, mut notices: mpsc::Receiver<Notice>) -> Infallible {
    let line = io::stderr().is_terminal().then(|| ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear));
    loop {
        tokio::select! {
            Some(Notice(what)) = notices.recv() => match &line {
                Some(line) => line.println(what),
                // If standard error is closed, nobody wants to know.
                None => drop(writeln!(io::stderr(), "{what}")),
            },
            Ok(()) = status.changed() => {
                if let Some(line) = &line {
                    line.set_message(text(&status.borrow_and_update()));
                    line.tick();
                }
            }
            // Both ended: what is left is to be dropped.
            else => std::future::pending().await,
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
