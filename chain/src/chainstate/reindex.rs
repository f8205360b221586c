//! What can be computed from block files is computed again.
//!
//! A marker is put in the directory before anything is thrown away and removed when all is there again. While it is there the
//! directory is not opened: whoever was interrupted has to begin again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitcoin::BlockHash;

use super::activate::InvalidBlocks;
use super::block_index::BlockId;
use super::flush::{Head, forget_coins};
use super::open::{DATABASE_CACHE, Opening, load_index};
use super::prepare::{Prepared, prepare};
use super::{Chainstate, ChainstateError, ChainstateOptions};
use crate::params::ChainParams;
use crate::store::{
    BlockFileScanner, BlockFiles, DataDirectory, Database, RecordPosition, StoreError, remove_database, sync_directory,
};
use crate::validation::{BlockError, HeaderError};

/// What is computed again (Core: `-reindex`, `-reindex-chainstate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReindexScope {
    /// The block index and the coins, from the block files.
    Everything,
    /// The coins alone.
    Coins,
}

/// How far a reindex has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReindexProgress {
    /// Bytes of block files, or blocks where the coins alone are computed again, that are done.
    pub done: u64,
    /// All of them.
    pub total: u64,
    /// Height of the tip.
    pub height: u32,
}

type Progress<'a> = dyn FnMut(ReindexProgress) -> ControlFlow<()> + 'a;

/// Name of the marker.
const MARKER: &str = "reindex.unfinished";

impl Chainstate {
    /// Throws away what can be computed from the block files in `directory`, computes it again, and returns the chain state.
    ///
    /// # Errors
    ///
    /// When coins cannot be computed again because blocks were pruned; when `progress` asks to stop, after which the reindex has
    /// to begin again; otherwise as [`Chainstate::open`].
    pub fn reindex(
        directory: &Path,
        params: ChainParams,
        options: ChainstateOptions,
        scope: ReindexScope,
        progress: &mut dyn FnMut(ReindexProgress) -> ControlFlow<()>,
    ) -> Result<Self, ChainstateError> {
        let marker = Marker::new(directory);
        let chainstate = match scope {
            ReindexScope::Everything => Self::reindex_everything(directory, params, options, &marker, progress)?,
            ReindexScope::Coins => Self::reindex_coins(directory, params, options, &marker, progress)?,
        };
        marker.remove()?;
        Ok(chainstate)
    }

    fn reindex_coins(
        directory: &Path,
        params: ChainParams,
        options: ChainstateOptions,
        marker: &Marker,
        progress: &mut Progress<'_>,
    ) -> Result<Self, ChainstateError> {
        let held = DataDirectory::open(directory, &params)?;
        let database = Database::open(&directory.join("database"), DATABASE_CACHE)?;
        check_bodies(&database, &params)?;
        marker.put()?;
        forget_coins(&database, params.genesis.hash)?;
        drop(database);

        let mut chainstate = Self::open_with(held, params, options, Opening::Reindex(None))?;
        let blocks = chainstate.index.iter().filter(|(_, entry)| entry.chain_transactions > 0);
        let total = blocks.map(|(_, entry)| u64::from(entry.height)).max().unwrap_or(0);
        chainstate.guarded(|chainstate| {
            let (mut fresh, mut invalid) = (None, InvalidBlocks::new());
            while chainstate.activate_best_chain_step(&mut fresh, &mut invalid)? {
                let height = chainstate.active.height();
                if progress(ReindexProgress { done: height.into(), total, height }).is_break() {
                    return Err(ChainstateError::Interrupted);
                }
            }
            Ok(())
        })?;
        chainstate.flush()?;
        Ok(chainstate)
    }

    fn reindex_everything(
        directory: &Path,
        params: ChainParams,
        options: ChainstateOptions,
        marker: &Marker,
        progress: &mut Progress<'_>,
    ) -> Result<Self, ChainstateError> {
        let held = DataDirectory::open(directory, &params)?;
        marker.put()?;
        remove_database(&directory.join("database"))?;
        sync_directory(directory)?;
        let files = BlockFiles::list(&directory.join("blocks"))?;
        let total = files.iter().map(|file| u64::from(file.size)).sum();
        let numbers: Vec<u32> = files.iter().map(|file| file.number).collect();
        let mut chainstate = Self::open_with(held, params, options, Opening::Reindex(Some(files)))?;
        let mut done = 0;
        chainstate.guarded(|chainstate| {
            let mut waiting = HashMap::new();
            for number in numbers {
                chainstate.reindex_file(directory, number, &mut waiting, &mut |offset, height| {
                    progress(ReindexProgress { done: done + offset, total, height })
                })?;
                done += u64::from(
                    chainstate.files.file_sizes().find(|file| file.number == number).map_or(0, |file| file.size),
                );
            }
            if chainstate.index.body(BlockId::GENESIS).is_none() {
                chainstate.store_genesis()?;
            }
            Ok(())
        })?;
        chainstate.flush()?;
        Ok(chainstate)
    }

    /// Takes the blocks of one file where they are.
    fn reindex_file(
        &mut self,
        directory: &Path,
        number: u32,
        waiting: &mut HashMap<BlockHash, Vec<RecordPosition>>,
        progress: &mut dyn FnMut(u64, u32) -> ControlFlow<()>,
    ) -> Result<(), ChainstateError> {
        let path = directory.join("blocks").join(format!("blk{number:05}.dat"));
        let failed = || StoreError::io("read", &path);
        let mut scanner = BlockFileScanner::new(File::open(&path).map_err(failed())?, self.params.magic);
        while let Some(record) = scanner.next_record().map_err(failed())? {
            let Ok(offset) = u32::try_from(record.offset) else { break };
            let position = RecordPosition::of(number, offset, &record.bytes);
            match prepare(record.bytes, &self.params) {
                Prepared::Undecodable(_) => scanner.rescan_last(),
                Prepared::Invalid(..) => {}
                prepared @ Prepared::Checked(_) => self.reindex_block(prepared, position, waiting)?,
            }
            if progress(record.offset, self.active.height()).is_break() {
                return Err(ChainstateError::Interrupted);
            }
        }
        Ok(())
    }

    /// Takes a block, and then all that waited for it.
    fn reindex_block(
        &mut self,
        prepared: Prepared,
        position: RecordPosition,
        waiting: &mut HashMap<BlockHash, Vec<RecordPosition>>,
    ) -> Result<(), ChainstateError> {
        let mut invalid = InvalidBlocks::new();
        let mut ready = vec![(prepared, position)];
        while let Some((prepared, position)) = ready.pop() {
            let Prepared::Checked(block) = prepared else { continue };
            let body = Arc::clone(block.block());
            if body.hash() == self.params.genesis.hash {
                if self.index.body(BlockId::GENESIS).is_none() {
                    self.received_genesis(&body, position);
                }
                continue;
            }
            match self.accept_block_at(block, true, Some(position))? {
                Ok(accepted) => {
                    self.activate_best_chain(accepted.fresh, &mut invalid)?;
                    self.make_room(&mut invalid)?;
                    for position in waiting.remove(&body.hash()).unwrap_or_default() {
                        ready.push((prepare(self.files.read_block(position)?, &self.params), position));
                    }
                }
                Err(BlockError::Header(HeaderError::PreviousNotFound { parent })) => {
                    waiting.entry(parent).or_default().push(position);
                }
                // It broke a rule when it came, and does so again.
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Whether every body of the active chain is there: without one the coins cannot be computed again.
fn check_bodies(database: &Database, params: &ChainParams) -> Result<(), ChainstateError> {
    let mut index = None;
    load_index(database, params, 0, usize::MAX, &mut index)?;
    let (Some(head), Some(index)) = (Head::read(database)?, index) else { return Ok(()) };
    let mut id = index.find(&head.tip()).unwrap_or(BlockId::GENESIS);
    while id != BlockId::GENESIS {
        if index.body(id).is_none() {
            return Err(ChainstateError::NotAvailable { hash: index[id].hash, reason: "it was pruned" });
        }
        id = index[id].parent;
    }
    Ok(())
}

/// The marker of a reindex that is not finished.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    directory: PathBuf,
}

impl Marker {
    pub(super) fn new(directory: &Path) -> Self {
        Self { path: directory.join(MARKER), directory: directory.to_owned() }
    }

    /// Whether a reindex was begun and not finished.
    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    fn put(&self) -> Result<(), StoreError> {
        File::create(&self.path).and_then(|file| file.sync_all()).map_err(StoreError::io("write", &self.path))?;
        sync_directory(&self.directory)
    }

    fn remove(&self) -> Result<(), StoreError> {
        fs::remove_file(&self.path).map_err(StoreError::io("remove", &self.path))?;
        sync_directory(&self.directory)
    }
}
