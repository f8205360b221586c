//! Headers and blocks on their way into the index.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bitcoin::block::Header;

use super::block_index::{BlockId, BlockStatus};
use super::{BlockStage, Chainstate, ChainstateError, MIN_BLOCKS_TO_KEEP};
use crate::primitives::Block;
use crate::store::RecordPosition;
use crate::validation::{
    BlockError, CheckedBlock, CheckedHeader, ContextuallyCheckedBlock, ContextuallyCheckedHeader, HeaderError,
    check_block, check_header, contextual_check_block, contextual_check_header,
};

/// What became of a block that breaks no rule, as far as was looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It was new, and is kept. Whether it is on the best chain is another question.
    New,
    /// It was there already.
    Duplicate,
    /// Nobody asked for it, and it is of no use: it has less work than the tip, or is too far ahead of it.
    Ignored,
}

/// A block that was accepted, and its body if it can be connected without reading it again.
pub(super) struct Accepted {
    pub(super) acceptance: Acceptance,
    pub(super) fresh: Option<(BlockId, ContextuallyCheckedBlock)>,
}

impl Chainstate {
    /// Takes a block: checks it, keeps it, and makes the best chain active (Core: `ProcessNewBlock`). When this returns, every
    /// script of the active chain was verified.
    ///
    /// `requested` says that the block was asked for, or comes from the user: it is then kept even if it has little work or is
    /// far ahead.
    ///
    /// # Errors
    ///
    /// A fault outside; inside the rule that the block breaks. A block that is not connected, because there is a better
    /// chain, is not checked for every rule.
    pub fn process_new_block(
        &mut self,
        block: Arc<Block>,
        requested: bool,
    ) -> Result<Result<Acceptance, BlockError>, ChainstateError> {
        self.guarded(|chainstate| {
            let hash = block.hash();
            let started = Instant::now();
            let checked = match check_block(block, &chainstate.params.consensus) {
                Ok(checked) => checked,
                Err(error) => return Ok(Err(error)),
            };
            chainstate.stages.finished(BlockStage::Check, started);
            let started = Instant::now();
            let accepted = match chainstate.accept_block(checked, requested)? {
                Ok(accepted) => accepted,
                Err(error) => return Ok(Err(error)),
            };
            chainstate.stages.finished(BlockStage::Accept, started);
            let invalid = chainstate.activate_and_settle(accepted.fresh)?;
            match invalid.into_iter().find(|(found, _)| *found == hash) {
                Some((_, error)) => Ok(Err(error)),
                None => Ok(Ok(accepted.acceptance)),
            }
        })
    }

    /// Takes many blocks that follow one another, as [`process_new_block`](Self::process_new_block) takes one that was asked for:
    /// the coins of each are applied while the scripts of those before it are still being verified. Says of each what became of
    /// it, in their order.
    ///
    /// # Errors
    ///
    /// A fault outside; inside the rule that a block breaks.
    pub fn process_new_blocks(
        &mut self,
        blocks: Vec<CheckedBlock>,
    ) -> Result<Vec<Result<Acceptance, BlockError>>, ChainstateError> {
        self.guarded(|chainstate| {
            let mut invalid = Vec::new();
            let mut outcomes = Vec::with_capacity(blocks.len());
            for block in blocks {
                let hash = block.block().hash();
                let started = Instant::now();
                let accepted = chainstate.accept_block(block, true)?;
                chainstate.stages.finished(BlockStage::Accept, started);
                outcomes.push((hash, accepted.as_ref().map(|accepted| accepted.acceptance).map_err(Clone::clone)));
                if let Ok(accepted) = accepted {
                    chainstate.activate_best_chain(accepted.fresh, &mut invalid)?;
                    chainstate.make_room(&mut invalid)?;
                }
            }
            invalid.extend(chainstate.activate_and_settle(None)?);
            let mut reasons: HashMap<_, _> = invalid.into_iter().collect();
            let outcome = |(hash, outcome)| match reasons.remove(&hash) {
                Some(error) => Err(error),
                None => outcome,
            };
            Ok(outcomes.into_iter().map(outcome).collect())
        })
    }

    /// Takes headers, each on top of one that is known (Core: `ProcessNewBlockHeaders`).
    ///
    /// `work_checked` says that their chain is known to have enough work to be worth the memory; without it none is kept.
    ///
    /// # Errors
    ///
    /// A fault outside; inside the first rule that one of them breaks. Those before it are kept.
    pub fn accept_headers(
        &mut self,
        headers: &[Header],
        work_checked: bool,
    ) -> Result<Result<(), HeaderError>, ChainstateError> {
        self.guarded(|chainstate| {
            let mut accept = |header| {
                let header = check_header(header, &chainstate.params.consensus)?;
                chainstate.accept_block_header(header, work_checked)
            };
            Ok(headers.iter().try_for_each(|header| accept(header).map(|_| ())))
        })
    }

    /// Core: `AcceptBlockHeader`, `validation.cpp`.
    pub(super) fn accept_block_header(
        &mut self,
        header: CheckedHeader,
        work_checked: bool,
    ) -> Result<(BlockId, ContextuallyCheckedHeader), HeaderError> {
        let parent = header.header().prev_blockhash;
        if let Some(known) = self.index.find(&header.hash()) {
            let entry = &self.index[known];
            if entry.status.contains(BlockStatus::FAILED) {
                return Err(HeaderError::DuplicateInvalid);
            }
            return Ok((known, ContextuallyCheckedHeader::known(header, entry.height)));
        }
        let id = self.index.find(&parent).ok_or(HeaderError::PreviousNotFound { parent })?;
        if self.index[id].status.contains(BlockStatus::FAILED) {
            return Err(HeaderError::PreviousInvalid { parent });
        }
        let checked = contextual_check_header(header, &self.view(id), &self.params.consensus, self.now())?;
        if !work_checked {
            return Err(HeaderError::TooLittleChainWork);
        }
        Ok((self.index.insert(checked.header(), checked.hash(), id), checked))
    }

    /// Accepts a block and writes it to a block file.
    pub(super) fn accept_block(
        &mut self,
        block: CheckedBlock,
        requested: bool,
    ) -> Result<Result<Accepted, BlockError>, ChainstateError> {
        self.accept_block_at(block, requested, None)
    }

    /// Accepts a block, which may be in a block file already (Core: `AcceptBlock`, `validation.cpp`).
    pub(super) fn accept_block_at(
        &mut self,
        block: CheckedBlock,
        requested: bool,
        stored: Option<RecordPosition>,
    ) -> Result<Result<Accepted, BlockError>, ChainstateError> {
        let (id, header) = match self.accept_block_header(block.header(), true) {
            Ok(accepted) => accepted,
            Err(error) => return Ok(Err(error.into())),
        };
        let entry = &self.index[id];
        if entry.status.contains(BlockStatus::HAVE_DATA) {
            return Ok(Ok(Accepted { acceptance: Acceptance::Duplicate, fresh: None }));
        }
        if !requested && !self.is_useful(id) {
            return Ok(Ok(Accepted { acceptance: Acceptance::Ignored, fresh: None }));
        }
        let parent = entry.parent;
        if entry.is_genesis() {
            return Ok(Ok(Accepted { acceptance: Acceptance::Duplicate, fresh: None }));
        }
        let bytes = Arc::clone(block.block());
        let checked = contextual_check_block(block, &header, &self.view(parent), &self.params.consensus);
        let checked = match checked {
            Ok(checked) => checked,
            Err(error) => {
                if error.verdict().condemns_hash() {
                    self.invalid_block_found(id);
                }
                return Ok(Err(error));
            }
        };
        let position = match stored {
            Some(position) => position,
            None => self.files.append_block(bytes.bytes())?,
        };
        self.unflushed_bytes += u64::from(position.length);
        self.received_block_transactions(id, &bytes, position);
        Ok(Ok(Accepted { acceptance: Acceptance::New, fresh: Some((id, checked)) }))
    }

    /// Whether a block that nobody asked for is worth keeping: it was never here, and may soon become the tip.
    fn is_useful(&self, id: BlockId) -> bool {
        let (entry, tip) = (&self.index[id], &self.index[self.active.tip()]);
        entry.transactions == 0
            && entry.work >= tip.work
            && entry.height <= tip.height + MIN_BLOCKS_TO_KEEP
            && entry.work >= self.minimum_chain_work()
    }

    /// Notes where a body is, and what became complete by it (Core: `ReceivedBlockTransactions`).
    pub(super) fn received_block_transactions(&mut self, id: BlockId, block: &Block, position: RecordPosition) {
        let entry = self.index.entry_mut(id);
        entry.transactions = u32::try_from(block.transactions().len()).expect("a checked block's count fits 32 bits");
        entry.body = position;
        entry.status.insert(BlockStatus::VALID_TRANSACTIONS | BlockStatus::HAVE_DATA);
        entry.status.remove(BlockStatus::HAVE_UNDO);
        let parent = entry.parent;
        if id != BlockId::GENESIS && self.index[parent].chain_transactions == 0 {
            self.candidates.wait_for(parent, id);
            return;
        }
        let mut complete = VecDeque::from([id]);
        while let Some(id) = complete.pop_front() {
            let below = if id == BlockId::GENESIS { 0 } else { self.index[self.index[id].parent].chain_transactions };
            let sequence = self.next_sequence;
            self.next_sequence += 1;
            self.candidates.remove(id, &self.index);
            let entry = self.index.volatile_mut(id);
            entry.chain_transactions = below + u64::from(entry.transactions);
            entry.sequence = sequence;
            self.candidates.insert(id, &self.index, self.active.tip());
            complete.extend(self.candidates.take_waiting(id));
        }
    }

    /// Marks a block and all on top of it as invalid (Core: `InvalidBlockFound`).
    pub(super) fn invalid_block_found(&mut self, id: BlockId) {
        for failed in self.index.mark_failed(id) {
            self.candidates.remove(failed, &self.index);
        }
    }
}
