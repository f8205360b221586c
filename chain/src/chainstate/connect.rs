//! One block more, or one less.

use std::sync::Arc;
use std::time::Instant;

use super::activate::InvalidBlocks;
use super::block_index::{BlockId, BlockStatus};
use super::{AssumeValid, BlockStage, Chainstate, ChainstateError, InFlight};
use crate::coins::{Coin, DisconnectOutcome, disconnect_block};
use crate::pow::proof_equivalent_time;
use crate::primitives::Block;
use crate::store::codec::write_coin;
use crate::validation::{BlockError, ContextuallyCheckedBlock, ScriptChecks, Verdict, check_inputs};

/// Chunks of script checks that may wait: about a second of work, so that no thread runs dry and a bad block is noticed soon.
const MAX_WAITING_CHUNKS: usize = 1024;
/// Bytes of blocks in flight, and of the coins they spend.
const MAX_IN_FLIGHT_BYTES: usize = 32 << 20;
/// How much younger than a block, in seconds at the current rate of work, the best header must be for the scripts below an
/// assumed-valid block to be skipped (Core: `ConnectBlock`, `validation.cpp`).
const ASSUME_VALID_AGE: i64 = 60 * 60 * 24 * 7 * 2;

impl Chainstate {
    /// Applies a block's coins on top of the active chain and hands its scripts to the queue (Core: `ConnectTip`). False when
    /// the block breaks a rule; the state is then as before, and the block marked.
    pub(super) fn connect_tip(
        &mut self,
        id: BlockId,
        block: ContextuallyCheckedBlock,
        invalid: &mut InvalidBlocks,
    ) -> Result<bool, ChainstateError> {
        let view = super::ChainView::new(&self.index, &self.active, self.active.tip());
        let started = Instant::now();
        let checked = match check_inputs(block, &mut self.coins, &view, &self.params.consensus) {
            Ok(checked) => checked,
            Err(BlockError::Inputs { source: crate::validation::InputsError::Coins(error), .. }) => {
                return Err(error.into());
            }
            Err(error) => {
                debug_assert_eq!(error.verdict(), Verdict::Invalid, "rules about coins are rules about the block");
                self.report_invalid(id, error, invalid);
                return Ok(false);
            }
        };
        self.active.push(id);
        self.stages.finished(BlockStage::Inputs, started);
        let spent: usize = checked.spent().iter().map(Coin::memory).sum();
        let bytes = checked.block().total_size() + spent;
        let assumed = self.scripts_are_assumed_valid(id);
        let checks = Arc::new(if assumed { ScriptChecks::assume_valid(checked) } else { ScriptChecks::new(checked) });
        for chunk in 0..checks.chunks() {
            let (checks, cache) = (Arc::clone(&checks), Arc::clone(&self.validation_cache));
            self.queue.push(move || {
                checks.run(chunk, Some(&cache));
            });
        }
        self.in_flight.push_back(InFlight { id, checks, started: Instant::now(), bytes });
        self.commit_finished(invalid)
    }

    /// Commits the blocks whose scripts were verified, the oldest first. False when one failed, and it and everything in
    /// flight after it was taken back.
    fn commit_finished(&mut self, invalid: &mut InvalidBlocks) -> Result<bool, ChainstateError> {
        while let Some(InFlight { id, checks, started, .. }) =
            self.in_flight.front().filter(|oldest| oldest.checks.is_finished())
        {
            let id = *id;
            match checks.finish() {
                Ok(connected) => {
                    self.stages.finished(BlockStage::Scripts, *started);
                    self.write_undo(id, connected.spent())?;
                    self.in_flight.pop_front();
                }
                Err(error) => {
                    self.take_back_in_flight()?;
                    self.report_invalid(id, error, invalid);
                    self.candidates.refill(&self.index, self.active.tip());
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Takes back every block in flight, the newest first.
    fn take_back_in_flight(&mut self) -> Result<(), ChainstateError> {
        while let Some(InFlight { id, checks, .. }) = self.in_flight.pop_back() {
            checks.cancel();
            let block = checks.block();
            let outcome = disconnect_block(block.block(), block.height(), block.spent(), &mut self.coins)?;
            let hash = self.index[id].hash;
            self.check_disconnected(id, outcome)
                .map_err(|detail| ChainstateError::CannotDisconnect { hash, detail })?;
            self.active.pop();
        }
        Ok(())
    }

    /// Takes back every block in flight because something else than their scripts failed. They stay candidates, so the next
    /// activation connects them again.
    pub(super) fn step_back(&mut self) -> Result<(), ChainstateError> {
        if !self.in_flight.is_empty() {
            self.take_back_in_flight()?;
            self.candidates.refill(&self.index, self.active.tip());
            self.announce();
        }
        Ok(())
    }

    /// Works on the queue until every block in flight is committed. False when one failed.
    pub(super) fn settle(&mut self, invalid: &mut InvalidBlocks) -> Result<bool, ChainstateError> {
        while let Some(oldest) = self.in_flight.front() {
            let checks = Arc::clone(&oldest.checks);
            self.queue.work_until(|| checks.is_finished());
            if !self.commit_finished(invalid)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Works on the queue until there is room for another block, and flushes when the cache is full. False when a block in
    /// flight failed.
    pub(super) fn make_room(&mut self, invalid: &mut InvalidBlocks) -> Result<bool, ChainstateError> {
        while self.is_full() {
            let oldest = self.in_flight.front().expect("what is full is not empty");
            let checks = Arc::clone(&oldest.checks);
            self.queue.work_until(|| checks.is_finished());
            if !self.commit_finished(invalid)? {
                return Ok(false);
            }
        }
        if self.wants_flush() || self.wants_prune() {
            if !self.settle(invalid)? {
                return Ok(false);
            }
            self.prune()?;
            if self.wants_flush() {
                self.start_flush()?;
            }
        }
        Ok(true)
    }

    fn is_full(&self) -> bool {
        let chunks: usize = self.in_flight.iter().map(|block| block.checks.unfinished()).sum();
        let bytes: usize = self.in_flight.iter().map(|block| block.bytes).sum();
        self.in_flight.len() > 1 && (chunks > MAX_WAITING_CHUNKS || bytes > MAX_IN_FLIGHT_BYTES)
    }

    /// Disconnects blocks down to `fork`. False when scripts in flight failed before, so that the tip is another.
    pub(super) fn disconnect_to(
        &mut self,
        fork: BlockId,
        invalid: &mut InvalidBlocks,
    ) -> Result<bool, ChainstateError> {
        if !self.settle(invalid)? {
            return Ok(false);
        }
        // Without the undo data there is no way to the better chain, ever (Core: a fatal error in `DisconnectTip`).
        let first = self.active.get(self.index[fork].height + 1).expect("the fork is below the tip");
        self.check_can_disconnect(first).map_err(|error| ChainstateError::CannotDisconnect {
            hash: self.index[first].hash,
            detail: error.to_string(),
        })?;
        self.disconnect_settled_to(fork)?;
        Ok(true)
    }

    /// Disconnects blocks down to one of the active chain. None may be in flight.
    pub(super) fn disconnect_settled_to(&mut self, bottom: BlockId) -> Result<(), ChainstateError> {
        while self.active.tip() != bottom {
            self.disconnect_tip()?;
            if self.wants_flush() {
                self.start_flush()?;
            }
        }
        Ok(())
    }

    /// Takes the last block off the active chain (Core: `DisconnectTip`). None may be in flight.
    pub(super) fn disconnect_tip(&mut self) -> Result<(), ChainstateError> {
        debug_assert!(self.in_flight.is_empty(), "blocks in flight are taken back from memory");
        let id = self.active.tip();
        let block = self.read_stored_block(id)?;
        let spent = self.read_undo(id)?;
        let cannot = |detail| ChainstateError::CannotDisconnect { hash: block.hash(), detail };
        check_undo(&block, &spent).map_err(cannot)?;
        let outcome = disconnect_block(&block, self.index[id].height, &spent, &mut self.coins)?;
        self.check_disconnected(id, outcome).map_err(cannot)?;
        self.active.pop();
        Ok(())
    }

    /// Only a block that shares its coinbase with another may leave other coins than there were before it. Otherwise says what
    /// is wrong.
    pub(super) fn check_disconnected(&self, id: BlockId, outcome: DisconnectOutcome) -> Result<(), String> {
        let entry = &self.index[id];
        if outcome == DisconnectOutcome::Clean || self.params.consensus.is_bip30_pair(entry.height, &entry.hash) {
            return Ok(());
        }
        Err("coins and undo data contradict each other".to_owned())
    }

    /// Whether the scripts of a block need no check: it is an ancestor of the block that is assumed valid, the best header is
    /// on top of that with enough work, and so long after it that nobody can have made it up (Core: `ConnectBlock`,
    /// `validation.cpp`).
    fn scripts_are_assumed_valid(&self, id: BlockId) -> bool {
        let hash = match self.options.assume_valid {
            AssumeValid::Nothing => None,
            AssumeValid::NetworkDefault => self.params.assume_valid,
            AssumeValid::Block(hash) => Some(hash),
        };
        let Some(assumed) = hash.and_then(|hash| self.index.find(&hash)) else { return false };
        let is_ancestor = |below: BlockId, above: BlockId| {
            let height = self.index[below].height;
            height <= self.index[above].height && self.index.ancestor(above, height) == below
        };
        let best = self.index.best_header();
        is_ancestor(id, assumed)
            && is_ancestor(id, best)
            && self.index[best].work >= self.minimum_chain_work()
            && self.equivalent_time(id, best) > ASSUME_VALID_AGE
    }

    /// How long the work between two blocks takes at the rate of the second, in seconds.
    fn equivalent_time(&self, from: BlockId, to: BlockId) -> i64 {
        let (from, to) = (&self.index[from], &self.index[to]);
        proof_equivalent_time(to.work, from.work, to.facts().bits, self.params.consensus.pow.target_spacing)
    }

    /// Writes the coins a block spent behind those of other blocks of its file.
    fn write_undo(&mut self, id: BlockId, spent: &[Coin]) -> Result<(), ChainstateError> {
        if !self.index[id].status.contains(BlockStatus::HAVE_UNDO) {
            let mut bytes = Vec::with_capacity(spent.len() * 32);
            for coin in spent {
                write_coin(&mut bytes, coin);
            }
            let position =
                if bytes.is_empty() { None } else { Some(self.files.append_undo(self.index[id].body.file, &bytes)?) };
            self.unflushed_bytes += bytes.len() as u64;
            let entry = self.index.entry_mut(id);
            entry.undo = position.map(Into::into).unwrap_or_default();
            entry.status.insert(BlockStatus::HAVE_UNDO);
        }
        if !self.index[id].status.contains(BlockStatus::VALID_SCRIPTS) {
            self.index.entry_mut(id).status.insert(BlockStatus::VALID_SCRIPTS);
        }
        Ok(())
    }

    /// The coins a block spent.
    pub(super) fn read_undo(&self, id: BlockId) -> Result<Vec<Coin>, ChainstateError> {
        self.stored(id).spent()
    }

    /// A block from disk.
    pub(super) fn read_stored_block(&self, id: BlockId) -> Result<Block, ChainstateError> {
        self.stored(id).block()
    }

    /// A block from disk that was checked when it came.
    pub(super) fn read_block_to_connect(&self, id: BlockId) -> Result<ContextuallyCheckedBlock, ChainstateError> {
        let block = self.read_stored_block(id)?;
        Ok(ContextuallyCheckedBlock::stored(Arc::new(block), self.index[id].height))
    }
}

/// Whether there is a coin for each input of a block but the coinbase's. Otherwise says what is wrong.
pub(super) fn check_undo(block: &Block, spent: &[Coin]) -> Result<(), String> {
    let inputs: usize = block.transactions().skip(1).map(|tx| tx.input_count()).sum();
    if inputs == spent.len() {
        Ok(())
    } else {
        Err(format!("expected undo data of {inputs} coins, got {}", spent.len()))
    }
}
