//! Old bodies go.

use std::collections::BTreeMap;

use super::block_index::{BlockId, BlockStatus};
use super::{Chainstate, ChainstateError};

/// Blocks below the tip that are never pruned, so that any reorganisation of that depth is possible (Core:
/// `MIN_BLOCKS_TO_KEEP`, `validation.h`).
pub const MIN_BLOCKS_TO_KEEP: u32 = 288;
/// Room for what comes before the next look, in bytes (Core: `BLOCKFILE_CHUNK_SIZE` and `UNDOFILE_CHUNK_SIZE`,
/// `node/blockstorage.h`).
const BUFFER: u64 = (16 << 20) + (1 << 20);
/// Bytes that come between two looks for files to prune.
const LOOK_INTERVAL: u64 = 4 << 20;

impl Chainstate {
    /// Removes block files whose blocks all lie at or below `height` (Core: `pruneblockchain`), and returns the lowest height
    /// from which on every body is there.
    ///
    /// # Errors
    ///
    /// When `height` is too close to the tip; otherwise a fault.
    pub fn prune_to_height(&mut self, height: u32) -> Result<u32, ChainstateError> {
        self.guarded(|chainstate| {
            chainstate.activate_and_settle(None)?;
            let limit = chainstate.highest_prunable();
            if height > limit {
                return Err(ChainstateError::PruneTooHigh { limit, got: height });
            }
            let files = chainstate.files_up_to(height);
            chainstate.remove_files(&files.into_iter().map(|(number, _)| number).collect::<Vec<_>>())?;
            Ok(chainstate.first_body())
        })
    }

    /// The height of the lowest block from which on every body of the active chain is there; genesis aside.
    pub(super) fn first_body(&self) -> u32 {
        let mut height = self.active.height();
        while height > 1 {
            let below = self.active.get(height - 1).expect("a height of the chain");
            if !self.index[below].status.contains(BlockStatus::HAVE_DATA) {
                return height;
            }
            height -= 1;
        }
        0
    }

    fn highest_prunable(&self) -> u32 {
        self.active.height().saturating_sub(MIN_BLOCKS_TO_KEEP)
    }

    /// Whether the block files exceed what the user allows.
    pub(super) fn wants_prune(&self) -> bool {
        let Some(target) = self.options.prune_target else { return false };
        let size = self.files.size_on_disk();
        u64::from(self.active.height()) > self.params.prune_after_height
            && size + BUFFER > target
            // Where nothing may go yet there is no use in looking again at every block.
            && size > self.size_after_pruning + LOOK_INTERVAL
    }

    /// Removes the oldest files until the rest is as small as the user wants, or nothing more may go (Core:
    /// `FindFilesToPrune`). No block may be in flight.
    pub(super) fn prune(&mut self) -> Result<(), ChainstateError> {
        let Some(target) = self.options.prune_target else { return Ok(()) };
        if !self.wants_prune() {
            return Ok(());
        }
        let mut size = self.files.size_on_disk() + BUFFER;
        let mut remove = Vec::new();
        for (number, size_of_file) in self.files_up_to(self.highest_prunable()) {
            if size <= target {
                break;
            }
            size = size.saturating_sub(size_of_file);
            remove.push(number);
        }
        self.remove_files(&remove)?;
        self.size_after_pruning = self.files.size_on_disk();
        Ok(())
    }

    /// Files whose blocks all lie at or below `height`, with their sizes in bytes, the oldest first.
    fn files_up_to(&self, height: u32) -> Vec<(u32, u64)> {
        let mut highest = BTreeMap::<u32, u32>::new();
        for (id, entry) in self.index.iter() {
            if let Some(body) = self.index.body(id) {
                let of_file = highest.entry(body.file).or_default();
                *of_file = (*of_file).max(entry.height);
            }
        }
        let size = |info: &crate::store::BlockFileInfo| u64::from(info.size) + u64::from(info.undo_size);
        self.files
            .file_sizes()
            .filter(|info| highest.get(&info.number).is_none_or(|highest| *highest <= height))
            .map(|info| (info.number, size(&info)))
            .collect()
    }

    /// Makes the index forget what lies in these files, durably, and removes them. First the tip becomes durable: a crash on the
    /// way must not go back to one below bodies that are gone.
    fn remove_files(&mut self, numbers: &[u32]) -> Result<(), ChainstateError> {
        if numbers.is_empty() {
            return Ok(());
        }
        self.start_flush()?;
        self.finish_flush()?;
        let forgotten: Vec<BlockId> = self
            .index
            .iter()
            .map(|(id, _)| id)
            .filter(|id| self.index.body(*id).is_some_and(|body| numbers.contains(&body.file)))
            .collect();
        for id in forgotten {
            self.index.entry_mut(id).status.remove(BlockStatus::HAVE_DATA | BlockStatus::HAVE_UNDO);
        }
        self.start_flush()?;
        self.finish_flush()?;
        Ok(self.files.remove_files(numbers.iter().copied())?)
    }
}
