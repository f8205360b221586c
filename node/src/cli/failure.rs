//! Failures that are more than a message.

use std::error::Error;
use std::process::ExitCode;

use cairn_wallet::error::WalletError;
use thiserror::Error;

/// Exit code of a command that the user stopped.
pub(super) const INTERRUPTED: u8 = 5;
/// Exit code of a command that was told something that cannot be.
pub(super) const WRONG_USAGE: u8 = 2;
const UNREACHABLE: u8 = 3;
const UNHEALTHY: u8 = 6;

/// A failure with an exit code or an answer of its own. Any other error ends with exit code 1 and its message.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// Options that do not go together.
    #[error("{0}")]
    Usage(String),
    /// The user stopped the command.
    #[error("interrupted; {outcome}")]
    Interrupted {
        /// What became of the work, and how to go on.
        outcome: String,
    },
    /// The command did its work, and what it found is bad.
    #[error("{message}")]
    Found {
        /// What goes to standard output all the same.
        answer: String,
        /// What was found.
        message: String,
    },
    /// A node does not answer.
    #[error("{what} does not answer: {source}")]
    Unreachable {
        /// Who was asked.
        what: String,
        /// What happened instead.
        source: Box<dyn Error + Send + Sync>,
    },
    /// There is nobody to ask, as the message says.
    #[error("{0}")]
    NotThere(String),
    /// A node says that it is not well.
    #[error("the node is not well: {reasons}")]
    Unhealthy {
        /// What goes to standard output all the same.
        answer: String,
        /// What it said.
        reasons: String,
    },
    /// A wallet did not do what it was asked.
    #[error(transparent)]
    Wallet(WalletError),
    /// A node answers a call with an error.
    #[error("{message} (code {code})")]
    Rpc {
        /// The number of the error.
        code: i32,
        /// What is wrong.
        message: String,
    },
}

impl Failure {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => WRONG_USAGE.into(),
            Self::Interrupted { .. } => INTERRUPTED.into(),
            Self::Found { .. } => ExitCode::FAILURE,
            Self::Unreachable { .. } | Self::NotThere(_) => UNREACHABLE.into(),
            Self::Unhealthy { .. } => UNHEALTHY.into(),
            Self::Wallet(error) => error.exit_code().into(),
            // As from bitcoin-cli, of which the system keeps the last byte.
            Self::Rpc { code, .. } => match code.unsigned_abs().to_le_bytes()[0] {
                0 => ExitCode::FAILURE,
                code => code.into(),
            },
        }
    }

    pub(super) fn answer(&self) -> Option<&str> {
        match self {
            Self::Found { answer, .. } | Self::Unhealthy { answer, .. } => Some(answer),
            Self::Usage(_)
            | Self::Interrupted { .. }
            | Self::Unreachable { .. }
            | Self::Wallet(_)
            | Self::NotThere(_)
            | Self::Rpc { .. } => None,
        }
    }
}
