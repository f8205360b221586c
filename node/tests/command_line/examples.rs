//! The examples of `--help`, each of them run.
//!
//! They run as they stand there, in a shell, but for values that only a reader has: [`Stage::let_mean`] tells what stands for an
//! address abroad, the id of a transaction, or a folder outside the home.
//!
//! | file | |
//! |---|---|
//! | `chain.rs` | chains from and to files |
//! | `config.rs` | configuration, and other files that commands write |
//! | `networks.rs` | networks and their spec files |
//! | `node.rs` | nodes that run, and calls |
//! | `peers.rs` | other nodes |
//! | `wallet.rs` | wallets |

use std::collections::BTreeSet;

use crate::help::commands;
use crate::stage::Stage;

mod chain;
mod config;
mod networks;
mod node;
mod peers;
mod wallet;

/// Every example there is.
const TABLE: &[&[Example]] = &[
    chain::EXAMPLES,
    chain::PRUNE,
    config::EXAMPLES,
    config::METRICS,
    networks::EXAMPLES,
    node::PROCESSES,
    node::BOOTSTRAP,
    node::CALLS,
    peers::ADD,
    peers::DISCONNECT,
    peers::BAN,
    wallet::RESTORE,
    wallet::RESTORE_LATE,
    wallet::CREATE,
    wallet::LOOK,
    wallet::SEND,
    wallet::BUMP,
    wallet::CHILD,
    wallet::PSBT,
    wallet::SIGN,
    wallet::MORE,
];

/// How an example runs.
#[derive(Debug, Clone, Copy)]
enum Example {
    /// To its end, and well.
    Ends(&'static str),
    /// It asks in a terminal, and is told yes.
    Asks(&'static str),
    /// It reads what is typed.
    Reads(&'static str, &'static str),
    /// Until it is told to end.
    Stays(&'static str),
    /// Not here: it is another program's command.
    Elsewhere(&'static str),
}

impl Example {
    /// As it stands in the help.
    fn line(self) -> &'static str {
        match self {
            Self::Ends(line) | Self::Asks(line) | Self::Reads(line, _) | Self::Stays(line) | Self::Elsewhere(line) => {
                line
            }
        }
    }

    fn run(self, stage: &Stage) {
        match self {
            Self::Ends(line) => drop(stage.run(line, "")),
            Self::Asks(line) => stage.confirm(line),
            Self::Reads(line, typed) => drop(stage.run(line, typed)),
            Self::Stays(line) => stage.start(line).stop(),
            Self::Elsewhere(_) => {}
        }
    }
}

/// Runs examples one after another.
fn run(stage: &Stage, examples: &[Example]) {
    examples.iter().for_each(|example| example.run(stage));
}

/// Whether it is among the examples of the devnet, which are run by its own tests and not by this table.
fn is_of_devnet(line: &str) -> bool {
    line.starts_with("cairn devnet")
}

#[test]
fn every_example_is_in_the_table_and_no_other() {
    let of_devnet = |path: &[String]| path.first().is_some_and(|name| name == "devnet");
    let told: BTreeSet<&str> = commands()
        .iter()
        .filter(|command| !of_devnet(&command.path))
        .flat_map(|command| &command.examples)
        .map(String::as_str)
        .filter(|line| !is_of_devnet(line))
        .collect();
    let lines: Vec<&str> = TABLE.iter().copied().flatten().map(|example| example.line()).collect();
    let run: BTreeSet<&str> = lines.iter().copied().collect();
    assert_eq!(told.difference(&run).collect::<Vec<_>>(), Vec::<&&str>::new(), "examples that nobody runs");
    assert_eq!(run.difference(&told).collect::<Vec<_>>(), Vec::<&&str>::new(), "no help has these");
    assert_eq!(lines.len(), run.len(), "an example is in the table twice");
}
