//! The body of an announced block.
//!
//! Whoever announced it is asked first, for its compact form: most of its transactions are in the pool already. What is missing is
//! asked for by place; where that does not work out, the whole block is fetched. A peer that does not answer soon is not waited
//! for: up to three are asked at the same time (Core: `MAX_CMPCTBLOCKS_INFLIGHT_PER_BLOCK`, `net_processing.cpp`), and whoever is
//! first counts.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use cairn_chain::chainstate::{Chainstate, ChainstateError};
use cairn_chain::compact_blocks::{CompactBlock, CompactBlockError, PartiallyDownloadedBlock, ReconstructionError};
use cairn_chain::params::Deployment;
use cairn_chain::primitives::{Block, DecodeError};
use cairn_chain::validation::{BlockError, check_block, check_not_mutated};
use cairn_net::{PeerId, RequestError};
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::Relay;
use super::recent_blocks::Coming;
use crate::chain_service::ChainStopped;
use crate::metrics::CompactOutcome;
use crate::penalty::Conduct;
use crate::tasks::blocking;

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
    /// What it sent is no compact block.
    #[error("not a compact block: {0}")]
    Compact(#[from] CompactBlockError),
    /// The block cannot be rebuilt from what the peer sent.
    #[error("not rebuilt: {0}")]
    Reconstruction(#[from] ReconstructionError),
    /// It breaks a rule.
    #[error("{error}")]
    Block {
        error: BlockError,
        /// Whether it was rebuilt from its compact form.
        is_rebuilt: bool,
    },
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
            Self::Compact(_) => Some(Conduct::BadCompactBlock),
            Self::Reconstruction(error) => error.is_fault_of_peer().then_some(Conduct::BadCompactBlock),
            Self::Block { error, is_rebuilt: false } => Some(Conduct::Block(error.verdict())),
            Self::Block { error, is_rebuilt: true } => Some(Conduct::RebuiltBlock(error.verdict())),
            Self::Missing | Self::Chainstate(_) | Self::Stopped(_) => None,
        }
    }

    /// Whether nobody else needs to be asked: the node is stopping, or no better block has this hash.
    fn is_final(&self) -> bool {
        match self {
            Self::Block { error, .. } => error.verdict().condemns_hash(),
            Self::Chainstate(_) | Self::Stopped(_) => true,
            Self::Request(_) | Self::Missing | Self::Decode(_) | Self::Compact(_) | Self::Reconstruction(_) => false,
        }
    }
}

impl Relay {
    /// Gets a block from `first` or from others and gives it to the chain. When nobody sends it now, whoever looks for missing
    /// blocks goes on.
    pub(super) async fn fetch_body(&self, coming: Coming, hash: BlockHash, first: PeerId) {
        let (coming, announced) = (Arc::new(coming), Instant::now());
        let mut asked = HashSet::new();
        let mut questions = JoinSet::new();
        let mut next = Some(first);
        loop {
            if let Some(peer) = next.take() {
                asked.insert(peer);
                let (relay, coming) = (self.clone(), Arc::clone(&coming));
                questions.spawn(async move { (peer, relay.take_body_from(&coming, announced, peer, hash).await) });
            }
            match timeout(NEXT_PEER, questions.join_next()).await {
                Ok(Some(Ok((_, Ok(()))))) => return,
                Ok(Some(Ok((peer, Err(error))))) => {
                    debug!(%hash, %peer, %error, "an announced block was not had");
                    if let Some(conduct) = error.conduct() {
                        self.reputation.judge(peer, &conduct).await;
                    }
                    if error.is_final() {
                        return;
                    }
                }
                Ok(Some(Err(panic))) => std::panic::resume_unwind(panic.into_panic()),
                // Nobody is left to wait for, and nobody to ask.
                Ok(None) => return,
                Err(_) => {}
            }
            coming.is_delayed();
            if questions.len() < MAX_ASKED {
                let others = self.network.connected_peers().into_iter().map(|connected| connected.peer);
                next = others.into_iter().find(|peer| !asked.contains(peer));
            }
            if next.is_none() && questions.is_empty() {
                return;
            }
        }
    }

    /// Gets a block from a peer, shows it to those who wait for it, and gives it to the chain.
    async fn take_body_from(
        &self,
        coming: &Coming,
        announced: Instant,
        peer: PeerId,
        hash: BlockHash,
    ) -> Result<(), BodyError> {
        let (block, is_rebuilt) = match self.rebuild_from(peer, hash).await {
            Ok(Some(block)) => (block, true),
            Ok(None) => (self.whole_block_from(peer, hash).await?, false),
            // Nobody is to blame, and the whole block says what is true.
            Err(BodyError::Reconstruction(error)) if !error.is_fault_of_peer() => {
                debug!(%hash, %error, "a compact block was not rebuilt");
                self.context.metrics.peers.count_compact(CompactOutcome::Failed);
                (self.whole_block_from(peer, hash).await?, false)
            }
            Err(error) => return Err(error),
        };
        let refuse = |error| BodyError::Block { error, is_rebuilt };
        let context = Arc::clone(&self.context);
        // Hashing a whole block takes long enough to be in the way of others here.
        let checked = blocking(move || check_block(block, &context.params.consensus)).await.map_err(refuse)?;
        coming.came(checked.block());
        self.context.metrics.peers.observe_header_to_body(announced.elapsed());
        let outcome = self.context.chain.call(move |chain| chain.process_new_blocks(vec![checked])).await??;
        outcome.into_iter().try_for_each(|outcome| outcome.map(drop).map_err(refuse))
    }

    /// The block from its compact form; nothing when the peer does not have one.
    async fn rebuild_from(&self, peer: PeerId, hash: BlockHash) -> Result<Option<Arc<Block>>, BodyError> {
        let asked = Instant::now();
        let answer = self.network.request_compact_block(peer, hash).await;
        self.context.metrics.peers.observe_request("compact block", asked.elapsed());
        let compact = match answer {
            Ok(Some(compact)) => CompactBlock::decode(&compact)?,
            Ok(None) | Err(RequestError::Unsupported) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let started = self.context.chain.call(move |chain| {
            let segwit_active = is_segwit_active(&chain.chainstate, &compact.hash());
            PartiallyDownloadedBlock::start(compact, chain.mempool.transactions()).map(|start| (start, segwit_active))
        });
        let (partial, segwit_active) = started.await??;
        let indexes = partial.missing();
        let outcome = if indexes.is_empty() { CompactOutcome::Pool } else { CompactOutcome::Requested };
        let missing = if indexes.is_empty() {
            Vec::new()
        } else {
            let answer = self.network.request_block_transactions(peer, hash, indexes).await?;
            answer.ok_or(BodyError::Missing)?
        };
        let (block, sources) = blocking(move || partial.fill(&missing, segwit_active)).await?;
        debug!(%hash, ?sources, "a block was rebuilt");
        self.context.metrics.peers.count_compact(outcome);
        Ok(Some(Arc::new(block)))
    }

    async fn whole_block_from(&self, peer: PeerId, hash: BlockHash) -> Result<Arc<Block>, BodyError> {
        let answer = self.network.request_blocks(peer, vec![hash]).await?;
        let bytes = answer.blocks.into_iter().next().flatten().ok_or(BodyError::Missing)?;
        let segwit_active = self.context.chain.call(move |chain| is_segwit_active(&chain.chainstate, &hash)).await?;
        let block = blocking(move || {
            let block = Block::decode(bytes)?;
            // Others get the block before the chain has judged it: its witnesses, too, must be what its coinbase vouches for.
            check_not_mutated(&block, segwit_active).map_err(|error| BodyError::Block { error, is_rebuilt: false })?;
            Ok::<_, BodyError>(block)
        });
        Ok(Arc::new(block.await?))
    }
}

/// Whether witnesses count in a block whose header is known.
fn is_segwit_active(chainstate: &Chainstate, hash: &BlockHash) -> bool {
    let height = chainstate.lookup(hash).map_or(0, |block| block.height);
    chainstate.params().consensus.activation.is_active_at(Deployment::Segwit, height)
}
