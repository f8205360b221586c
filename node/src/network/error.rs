//! Why nothing came of something that a peer was asked or told.

use cairn_chain::chainstate::ChainstateError;
use cairn_chain::primitives::DecodeError;
use cairn_chain::validation::{BlockError, HeaderError};
use cairn_net::RequestError;
use thiserror::Error;
use tokio::task::JoinError;

use crate::chain_service::ChainStopped;

/// Why nothing came of something that a peer was asked or told.
#[derive(Debug, Error)]
pub(super) enum RelayError {
    /// The peer did not answer, or not what was asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The peer does not have the block.
    #[error("the peer does not have the block it announced")]
    NoBlock,
    /// What it sent is no block.
    #[error("not a block: {0}")]
    Decode(#[from] DecodeError),
    /// A header breaks a rule.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// A block breaks a rule.
    #[error("block: {0}")]
    Block(#[from] BlockError),
    /// The chain state failed.
    #[error(transparent)]
    Chainstate(#[from] ChainstateError),
    /// The node is stopping.
    #[error(transparent)]
    Stopped(#[from] ChainStopped),
    /// Something was cut off, or panicked.
    #[error(transparent)]
    Task(#[from] JoinError),
}
