//! What can be wrong with a spec file.

use std::io;
use std::path::PathBuf;
use std::string::FromUtf8Error;

use bitcoin::BlockHash;

use super::MAX_SPEC_BYTES;

/// Why a text is not a network spec. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// More than a spec can need.
    #[error("expected at most {MAX_SPEC_BYTES} bytes, got more")]
    TooLarge,
    /// Not text.
    #[error("line {line}: expected UTF-8 text, got other bytes")]
    NotUtf8 {
        /// Where the first such byte is.
        line: usize,
    },
    /// Not TOML.
    #[error("line {line}: not valid TOML at '{got}': {message}")]
    Syntax {
        /// Where the parser stopped.
        line: usize,
        /// The text of that line.
        got: String,
        /// The parser's own words.
        message: String,
    },
    /// One key is wrong.
    #[error("line {line}: key '{key}': {problem}")]
    Key {
        /// The line of the key; of its table, or 1, if the key is missing.
        line: usize,
        /// The key, with its table: `genesis.time`.
        key: String,
        /// What is wrong with it.
        problem: SpecProblem,
    },
}

/// What is wrong with one key of a spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecProblem {
    /// No such key.
    #[error("unknown; expected one of {expected}")]
    Unknown {
        /// The keys there are.
        expected: String,
    },
    /// A key without default is absent.
    #[error("missing; expected {expected}")]
    Missing {
        /// What its value would be.
        expected: String,
    },
    /// A value that does not fit.
    #[error("expected {expected}, got {got}")]
    Value {
        /// What would fit.
        expected: String,
        /// The value.
        got: String,
    },
    /// The genesis block has no nonce yet.
    #[error("missing; 'cairn network mine-genesis FILE' finds it")]
    NoNonce,
    /// The genesis block's hash is above its target.
    #[error(
        "expected a genesis hash that meets bits {bits:#010x}, got {hash} with nonce {nonce}; \
         'cairn network mine-genesis FILE' finds a nonce that works"
    )]
    NotEnoughWork {
        /// The nonce in the file.
        nonce: u32,
        /// The hash it leads to.
        hash: BlockHash,
        /// The compact target it misses.
        bits: u32,
    },
}

/// Why a spec file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecFileError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is no network spec.
    #[error("{}: {source}", path.display())]
    Spec {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SpecError,
    },
}

impl SpecError {
    pub(super) fn not_utf8(error: &FromUtf8Error) -> Self {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Self::NotUtf8 { line: 1 + valid.iter().filter(|byte| **byte == b'\n').count() }
    }
}
