//! What can be wrong with what users set.

use std::io;
use std::path::PathBuf;

use cairn_chain::params::SelectNetworkError;
use cairn_chain::params::spec_file::SpecFileError;
use thiserror::Error;

/// What is wrong, and where it stands.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// "read" or "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{}, line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A name that is no key's.
    #[error("{place}: there is no key '{name}'{advice}")]
    UnknownKey {
        /// Where it stands.
        place: String,
        /// The name.
        name: String,
        /// What may have been meant, from "; " on; or nothing.
        advice: String,
    },
    /// A key that has no place where it stands.
    #[error("{place}: {problem}")]
    Misplaced {
        /// Where it stands.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A value that is none for its key.
    #[error("{place}: {key}: {problem}")]
    ValueAt {
        /// Where it stands.
        place: String,
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value that does not fit what other keys say.
    #[error("{key}: {problem}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Two keys that cannot both be set.
    #[error("{first} and {second} cannot both be set")]
    Excludes {
        /// One of them.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// An index of transactions needs all blocks (Core: `init.cpp`).
    #[error("Prune mode is incompatible with -txindex.")]
    PruneWithTxIndex,
    /// A key that says nothing without another one.
    #[error("{key} needs {needed} to be set too")]
    Needs {
        /// The key.
        key: &'static str,
        /// The other one.
        needed: &'static str,
    },
    /// The user has no home directory.
    #[error("there is no home directory to keep data in; choose a directory with --datadir")]
    NoHome,
    /// The spec file of a private network is wrong.
    #[error(transparent)]
    Spec(#[from] SpecFileError),
    /// There is no such network, or it is not to be changed.
    #[error(transparent)]
    Network(#[from] SelectNetworkError),
}
