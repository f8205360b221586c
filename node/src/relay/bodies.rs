//! The body of an announced block.
//!
//! Whoever announced it is asked first. A peer that does not answer soon is not waited for: up to three are asked at the same time
//! (Core: `MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK`, `net_processing.cpp`), and whoever is first counts.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::BlockHash;
use cairn_chain::chainstate::ChainstateError;
use cairn_chain::primitives::{Block, DecodeError};
use cairn_chain::validation::BlockError;
use cairn_net::{PeerId, RequestError};
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::Relay;
use crate::chain_service::ChainStopped;
use crate::penalty::Conduct;

/// How long one peer is waited for before another is asked, too.
const NEXT_PEER: Duration = Duration::from_secs(2);
/// Peers that are asked at the same time.
const MAX_ASKED: usize = 3;

/// Why a block was not had from a peer.
#[derive(Debug, Error)]
enum BodyError {
    /// The peer did not answer, or not what was asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The peer does not have it.
    #[error("the peer does not have the block")]
    Missing,
    /// What it sent is no block.
    #[error("not a block: {0}")]
    Decode(#[from] DecodeError),
    /// It breaks a rule.
    #[error("{0}")]
    Block(#[from] BlockError),
    /// The chain state failed.
    #[error(transparent)]
    Chainstate(#[from] ChainstateError),
    /// The node is stopping.
    #[error(transparent)]
    Stopped(#[from] ChainStopped),
}

impl BodyError {
    /// What the peer did, if it is the peer's doing.
    fn conduct(&self) -> Option<Conduct<'_>> {
        match self {
            Self::Request(error) => Some(Conduct::Answer(error)),
            Self::Decode(_) => Some(Conduct::UndecodableBlock),
            Self::Block(error) => Some(Conduct::Block(error.verdict())),
            Self::Missing | Self::Chainstate(_) | Self::Stopped(_) => None,
        }
    }
}

impl Relay {
    /// Gets a block from `first` or from others and gives it to the chain. When nobody sends it now, whoever looks for missing
    /// blocks goes on.
    pub(super) async fn fetch_body(&self, hash: BlockHash, first: PeerId) {
        let mut asked = HashSet::new();
        let mut questions = JoinSet::new();
        let mut next = Some(first);
        loop {
            if let Some(peer) = next.take() {
                asked.insert(peer);
                let relay = self.clone();
                questions.spawn(async move { (peer, relay.body_from(peer, hash).await) });
            }
            match timeout(NEXT_PEER, questions.join_next()).await {
                Ok(Some(Ok((_, Ok(()))))) => return,
                Ok(Some(Ok((peer, Err(error))))) => {
                    debug!(%hash, %peer, %error, "an announced block was not had");
                    if let Some(conduct) = error.conduct() {
                        self.reputation.judge(peer, &conduct).await;
                    }
                    if matches!(error, BodyError::Stopped(_) | BodyError::Chainstate(_)) || is_final(&error) {
                        return;
                    }
                }
                Ok(Some(Err(panic))) => std::panic::resume_unwind(panic.into_panic()),
                // Nobody is left to wait for, and nobody to ask.
                Ok(None) => return,
                Err(_) => {}
            }
            if questions.len() < MAX_ASKED {
                let others = self.network.connected_peers().into_iter().map(|connected| connected.peer);
                next = others.into_iter().find(|peer| !asked.contains(peer));
            }
            if next.is_none() && questions.is_empty() {
                return;
            }
        }
    }

    async fn body_from(&self, peer: PeerId, hash: BlockHash) -> Result<(), BodyError> {
        let answer = self.network.request_blocks(peer, vec![hash]).await?;
        let bytes = answer.blocks.into_iter().next().flatten().ok_or(BodyError::Missing)?;
        // Hashing a block takes long enough to be in the way of others here.
        let block = tokio::task::spawn_blocking(move || Block::decode(bytes)).await;
        let block = Arc::new(block.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?);
        self.context.chain.call(move |chain| chain.process_new_block(block, true)).await???;
        Ok(())
    }
}

/// Whether the block itself is bad, so that nobody has a better one.
fn is_final(error: &BodyError) -> bool {
    matches!(error, BodyError::Block(error) if error.verdict().condemns_hash())
}
