//! The newest blocks are checked again.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::connect::check_undo;
use super::{Chainstate, ChainstateError, MIN_CACHE_BYTES};
use crate::coins::{CoinsCache, CoinsOverlay, disconnect_block};
use crate::store::{CoinPages, StoreError};
use crate::validation::{BlockError, ContextuallyCheckedBlock, check_block, check_inputs, check_scripts};

/// How thoroughly blocks are checked again; each level includes those before (Core: `CVerifyDB`, `validation.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VerifyLevel {
    /// Bodies can be read.
    Read = 0,
    /// Bodies obey the rules that need nothing else.
    Blocks = 1,
    /// Undo data can be read.
    Undo = 2,
    /// Disconnecting the blocks in memory finds the coins as expected; as many of the newest as there is memory for.
    Disconnect = 3,
    /// Connecting them again succeeds, scripts included.
    Reconnect = 4,
}

/// About what a coin that was taken back takes in memory, in bytes.
const BYTES_PER_CHANGE: usize = 160;

/// The coins as they are, with blocks taken back on top.
type DisconnectedCoins<'a> = CoinsOverlay<&'a CoinsCache<Arc<CoinPages>>>;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifySummary {
    /// Blocks that were checked.
    pub blocks: u32,
    /// Blocks that were asked for but are pruned.
    pub pruned: u32,
    /// What is wrong, if anything is: the block's height, and what.
    pub failure: Option<(u32, String)>,
}

impl Chainstate {
    /// Checks the newest `blocks` blocks again, or all for zero, without changing anything. `progress` is told the number of
    /// steps done and of all steps.
    ///
    /// # Errors
    ///
    /// When the coins cannot be read, or `progress` asks to stop. What is wrong with blocks is in the summary.
    pub fn verify(
        &mut self,
        level: VerifyLevel,
        blocks: u32,
        progress: &mut dyn FnMut(u32, u32) -> ControlFlow<()>,
    ) -> Result<VerifySummary, ChainstateError> {
        self.guarded(|chainstate| {
            chainstate.activate_and_settle(None)?;
            chainstate.verify_settled(level, blocks, progress)
        })
    }

    fn verify_settled(
        &self,
        level: VerifyLevel,
        blocks: u32,
        progress: &mut dyn FnMut(u32, u32) -> ControlFlow<()>,
    ) -> Result<VerifySummary, ChainstateError> {
        let top = self.active.height();
        // Genesis was never connected.
        let asked = if blocks == 0 { top } else { blocks.min(top) };
        let available = (top + 1 - self.first_body().max(1)).min(asked);
        let mut summary = VerifySummary { blocks: 0, pruned: asked - available, failure: None };
        let steps = if level == VerifyLevel::Reconnect { 2 * available } else { available };
        let mut overlay = CoinsOverlay::new(&self.coins);
        let bottom = top - available;
        // Where coins are disconnected to.
        let mut lowest = top + 1;
        for height in (bottom + 1..=top).rev() {
            if progress(top - height, steps).is_break() {
                return Err(ChainstateError::Interrupted);
            }
            // Coins are taken back in memory, as far as there is any (Core: `CVerifyDB::VerifyDB`).
            let has_room = overlay.changes() * BYTES_PER_CHANGE < self.options.cache_bytes.max(MIN_CACHE_BYTES);
            let level_here = if has_room && lowest == height + 1 { level } else { level.min(VerifyLevel::Undo) };
            if level_here >= VerifyLevel::Disconnect {
                lowest = height;
            }
            match self.verify_down(level_here, height, &mut overlay)? {
                Ok(()) => summary.blocks += 1,
                Err(detail) => {
                    summary.failure = Some((height, detail));
                    return Ok(summary);
                }
            }
        }
        if level == VerifyLevel::Reconnect {
            for height in lowest..=top {
                if progress(available + height - bottom - 1, steps).is_break() {
                    return Err(ChainstateError::Interrupted);
                }
                if let Err(detail) = self.verify_up(height, &mut overlay)? {
                    summary.failure = Some((height, detail));
                    return Ok(summary);
                }
            }
        }
        Ok(summary)
    }

    /// One block down: levels 0 to 3.
    fn verify_down(
        &self,
        level: VerifyLevel,
        height: u32,
        overlay: &mut DisconnectedCoins<'_>,
    ) -> Result<Result<(), String>, ChainstateError> {
        let id = self.active.get(height).expect("a height of the chain");
        let block = match as_finding(self.read_stored_block(id))? {
            Ok(block) => Arc::new(block),
            Err(detail) => return Ok(Err(detail)),
        };
        if level >= VerifyLevel::Blocks
            && let Err(error) = check_block(Arc::clone(&block), &self.params.consensus)
        {
            return Ok(Err(error.to_string()));
        }
        if level < VerifyLevel::Undo {
            return Ok(Ok(()));
        }
        let spent = match as_finding(self.read_undo(id))? {
            Ok(spent) => spent,
            Err(detail) => return Ok(Err(detail)),
        };
        let checked = check_undo(&block, &spent);
        if checked.is_err() || level < VerifyLevel::Disconnect {
            return Ok(checked);
        }
        let outcome = disconnect_block(&block, height, &spent, overlay)?;
        Ok(self.check_disconnected(id, outcome))
    }

    /// One block up again: level 4.
    fn verify_up(
        &self,
        height: u32,
        overlay: &mut DisconnectedCoins<'_>,
    ) -> Result<Result<(), String>, ChainstateError> {
        let id = self.active.get(height).expect("a height of the chain");
        let block = ContextuallyCheckedBlock::stored(Arc::new(self.read_stored_block(id)?), height);
        let view = self.view(self.index[id].parent);
        let connected: Result<_, BlockError> =
            check_inputs(block, overlay, &view, &self.params.consensus).and_then(|block| check_scripts(block, None));
        Ok(connected.map(|_| ()).map_err(|error| error.to_string()))
    }
}

/// Damaged data are what verification looks for, not a fault that stops it.
fn as_finding<T>(result: Result<T, ChainstateError>) -> Result<Result<T, String>, ChainstateError> {
    match result {
        Err(ChainstateError::Store(error)) if matches!(*error, StoreError::Damaged { .. }) => {
            Ok(Err(error.to_string()))
        }
        Err(error @ ChainstateError::NotAvailable { .. }) => Ok(Err(error.to_string())),
        Ok(value) => Ok(Ok(value)),
        Err(error) => Err(error),
    }
}
