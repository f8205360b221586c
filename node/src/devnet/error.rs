//! What can go wrong with a devnet.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use cairn_chain::params::spec_file::SpecFileError;
use thiserror::Error;

/// What went wrong, and what to do about it.
#[derive(Debug, Error)]
pub(crate) enum DevnetError {
    /// The plan cannot be.
    #[error("{0}")]
    Plan(String),
    /// It is there already, and cannot be made of something else.
    #[error(
        "this devnet goes on as it was: start it with no option but --name, or remove {} for another one",
        directory.display()
    )]
    Described {
        /// Where its data are.
        directory: PathBuf,
    },
    /// A file or a folder of the devnet.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was to be done with it.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The network's spec file is wrong.
    #[error(transparent)]
    Spec(#[from] SpecFileError),
    /// All ports are taken.
    #[error("no free port from {first} on at 127.0.0.1; end another devnet")]
    NoPort {
        /// The first that was tried.
        first: u16,
    },
    /// A program cannot be started.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A node ended while it was to start.
    #[error("node {name} ended ({status}) instead of starting: {said}; {}", about(log))]
    Ended {
        /// The node.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its error, or the last that it said.
        said: String,
        /// Its log.
        log: NodeLog,
    },
    /// A node takes too long to start.
    #[error("node {name} did not start within {} s; {}", limit.as_secs(), about(log))]
    Slow {
        /// The node.
        name: String,
        /// How long it had.
        limit: Duration,
        /// Its log.
        log: NodeLog,
    },
    /// Prometheus does not run.
    #[error("prometheus {problem}: {said}; start the devnet without --prometheus, or mend it")]
    Prometheus {
        /// What it does instead.
        problem: &'static str,
        /// The last line of its log.
        said: String,
    },
    /// A node does not answer a call.
    #[error("node {name} does not answer {method}: {reason}")]
    Unanswered {
        /// The node.
        name: String,
        /// The method.
        method: String,
        /// What happened instead.
        reason: String,
    },
    /// A node answers a call with an error.
    #[error("node {name} refuses {method}: {message} (code {code})")]
    Refused {
        /// The node.
        name: String,
        /// The method.
        method: String,
        /// The number of the error.
        code: i64,
        /// What is wrong.
        message: String,
    },
    /// There is no such node, or it does not run.
    #[error("{problem}; nodes are {}", known.join(", "))]
    Node {
        /// What is wrong with the name.
        problem: String,
        /// The names of all nodes.
        known: Vec<String>,
    },
    /// What was asked for cannot be done as things stand.
    #[error("{0}")]
    Impossible(String),
    /// No devnet runs.
    #[error("no devnet runs{}; start one with 'cairn devnet'", name.as_ref().map(|name| format!(" that is called {name}")).unwrap_or_default())]
    NotRunning {
        /// The name it was looked for by.
        name: Option<String>,
    },
    /// The environment names one that does not run.
    #[error(
        "CAIRN_DEVNET names {}, and no devnet runs there; unset CAIRN_DEVNET, or set it anew: eval \"$(env -u CAIRN_DEVNET cairn devnet env)\"",
        path.display()
    )]
    Variable {
        /// What it names.
        path: PathBuf,
    },
    /// More than one runs.
    #[error(
        "{} devnets run: {}; choose one with --name, or for all commands: eval \"$(cairn devnet env --name {})\"",
        names.len(),
        names.join(", "),
        names.first().map(String::as_str).unwrap_or_default()
    )]
    Several {
        /// Their names.
        names: Vec<String>,
    },
    /// Another one has the name.
    #[error("a devnet that is called {name} runs already; 'cairn devnet down --name {name}' ends it")]
    Running {
        /// The name.
        name: String,
    },
    /// The devnet does not answer.
    #[error("the devnet {name} does not answer: {reason}")]
    Silent {
        /// Its name.
        name: String,
        /// What happened instead.
        reason: String,
    },
}

/// The log of a node that did not start.
#[derive(Debug)]
pub(crate) struct NodeLog {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The last lines since the start.
    pub(crate) last_lines: String,
    /// Whether it goes, as the devnet did not start either.
    pub(crate) goes: bool,
}

fn about(log: &NodeLog) -> String {
    if log.goes {
        format!("its last lines are:\n{}", log.last_lines)
    } else {
        format!("its log is {}", log.path.display())
    }
}

impl DevnetError {
    /// The same, when the data of the devnet go: logs are shown instead of named.
    pub(crate) fn without_data(mut self) -> Self {
        if let Self::Ended { log, .. } | Self::Slow { log, .. } = &mut self {
            log.goes = true;
        }
        self
    }

    /// An error about a file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
