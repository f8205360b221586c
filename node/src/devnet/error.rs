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
    #[error("node {name} ended ({status}) instead of starting: {said}; its log is {}", log.display())]
    Ended {
        /// The node.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// The last line of its log.
        said: String,
        /// The whole log.
        log: PathBuf,
    },
    /// A node takes too long to start.
    #[error("node {name} did not start within {} s; its log is {}", limit.as_secs(), log.display())]
    Slow {
        /// The node.
        name: String,
        /// How long it had.
        limit: Duration,
        /// Its log.
        log: PathBuf,
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
    /// More than one runs.
    #[error("{} devnets run: {}; choose one with --name", names.len(), names.join(", "))]
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

impl DevnetError {
    /// An error about a file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
