//! What the chain thread owns.

use std::collections::VecDeque;
use std::sync::Arc;

use cairn_chain::chainstate::{Acceptance, BlockReference, ChainEvent, Chainstate, ChainstateError};
use cairn_chain::mempool::{Admitted, Mempool, Rejection, VerifiedCandidate};
use cairn_chain::primitives::Block;
use cairn_chain::validation::{BlockError, CheckedBlock};

use super::templates::Templates;

/// Blocks that were submitted last and need not be read from disk again.
const RECENT_BLOCKS: usize = 8;
/// Bodies of connected blocks that the pool is shown at a time.
const BODIES_AT_A_TIME: usize = 16;
/// Bodies of disconnected blocks whose transactions may come back to the pool, in bytes (Core:
/// `MAX_DISCONNECTED_TX_POOL_BYTES`, `kernel/disconnected_transactions.h`).
const MAX_DISCONNECTED_BYTES: usize = 20_000_000;

/// What the chain thread owns: the chain, and the transactions that wait for the next block.
#[derive(Debug)]
pub(crate) struct Chain {
    /// The best chain and its coins.
    pub(crate) chainstate: Chainstate,
    /// Transactions that wait for a block. It follows the chain after each thing the thread does.
    pub(crate) mempool: Mempool,
    recent: VecDeque<Arc<Block>>,
    /// Templates of the next block.
    pub(super) templates: Templates,
    /// Whether the thread is to end after what it does now.
    pub(super) is_stopping: bool,
}

impl Chain {
    /// A chain and a pool that fits it.
    pub(crate) fn new(chainstate: Chainstate, mempool: Mempool) -> Self {
        Self { chainstate, mempool, recent: VecDeque::new(), templates: Templates::default(), is_stopping: false }
    }

    /// Takes a block: see [`Chainstate::process_new_block`]. The pool has followed when this returns.
    pub(crate) fn process_new_block(
        &mut self,
        block: Arc<Block>,
        requested: bool,
    ) -> Result<Result<Acceptance, BlockError>, ChainstateError> {
        self.remember(&block);
        self.chainstate.process_new_block(block, requested)
    }

    /// Takes blocks that follow one another: see [`Chainstate::process_new_blocks`].
    pub(crate) fn process_new_blocks(
        &mut self,
        blocks: Vec<CheckedBlock>,
    ) -> Result<Vec<Result<Acceptance, BlockError>>, ChainstateError> {
        let last = blocks.len().saturating_sub(RECENT_BLOCKS);
        for block in &blocks[last..] {
            self.remember(block.block());
        }
        self.chainstate.process_new_blocks(blocks)
    }

    fn remember(&mut self, block: &Arc<Block>) {
        if self.recent.len() == RECENT_BLOCKS {
            self.recent.pop_front();
        }
        self.recent.push_back(Arc::clone(block));
    }

    /// Admits a transaction whose scripts were verified: see [`Mempool::admit`]. What it spends need not be read again for its block.
    pub(crate) fn admit(&mut self, verified: VerifiedCandidate) -> Result<Admitted, Rejection> {
        let coins = verified.coins().map(|(outpoint, coin)| (outpoint, coin.clone()));
        self.chainstate.remember_coins(&verified.tip(), coins);
        self.mempool.admit(&self.chainstate, verified)
    }

    /// A block from memory or disk.
    pub(crate) fn block(&self, hash: &bitcoin::BlockHash) -> Result<Arc<Block>, ChainstateError> {
        match self.recent.iter().find(|block| block.hash() == *hash) {
            Some(block) => Ok(Arc::clone(block)),
            None => self.chainstate.block(hash).map(Arc::new),
        }
    }

    /// What happened to the chain since the last call, which the pool now follows.
    pub(super) fn take_events(&mut self) -> Result<Vec<ChainEvent>, ChainstateError> {
        let events = self.chainstate.take_events();
        for event in &events {
            match event {
                ChainEvent::TipChanged { disconnected, connected, .. } => {
                    self.follow_tip(disconnected, connected)?;
                }
                ChainEvent::BlockInvalid { .. } => {}
            }
        }
        Ok(events)
    }

    fn follow_tip(
        &mut self,
        disconnected: &[BlockReference],
        connected: &[BlockReference],
    ) -> Result<(), ChainstateError> {
        let is_empty = self.mempool.is_empty() && self.mempool.prioritised_transactions().is_empty();
        if is_empty && disconnected.is_empty() {
            // Nothing in the bodies matters, and while a chain is loaded there are very many of them.
            let now = self.chainstate.adjusted_time();
            for block in connected {
                self.mempool.block_connected_unseen(block.height, now);
            }
            return Ok(());
        }
        let disconnected = self.disconnected_bodies(disconnected);
        // Bodies are large, and of a long way there are many. What comes back of the disconnected ones has to fit in with all that
        // was connected, so it comes last.
        let mut chunks = connected.chunks(BODIES_AT_A_TIME).peekable();
        loop {
            let bodies = chunks.next().unwrap_or_default().iter();
            let bodies = bodies.map(|block| Ok((block.height, self.block(&block.hash)?)));
            let bodies = bodies.collect::<Result<Vec<_>, ChainstateError>>()?;
            if chunks.peek().is_none() {
                self.mempool.tip_changed(&self.chainstate, &disconnected, &bodies)?;
                return Ok(());
            }
            self.mempool.tip_changed(&self.chainstate, &[], &bodies)?;
        }
    }

    /// Bodies of disconnected blocks, the newest first; the newest are left out when there are too many bytes, and those that were
    /// pruned.
    fn disconnected_bodies(&self, disconnected: &[BlockReference]) -> Vec<Arc<Block>> {
        let mut bytes = 0;
        let mut bodies: Vec<_> = disconnected
            .iter()
            .rev()
            .filter_map(|block| self.block(&block.hash).ok())
            .take_while(|block| {
                bytes += block.total_size();
                bytes <= MAX_DISCONNECTED_BYTES
            })
            .collect();
        bodies.reverse();
        bodies
    }
}
