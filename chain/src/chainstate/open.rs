//! The data directory becomes a chain state.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::block_index::{
    ActiveChain, BlockId, BlockIndex, BlockStatus, CHUNK_PREFIX, RECORDS_PER_CHUNK, chunk_key, chunk_number,
};
use super::candidates::Candidates;
use super::check_queue::CheckQueue;
use super::flush::{Head, read_directory, write_index};
use super::reindex::Marker;
use super::stages::StageObserver;
use super::{Chainstate, ChainstateError, ChainstateOptions};
use crate::coins::CoinsCache;
use crate::params::ChainParams;
use crate::pow::Work;
use crate::primitives::Block;
use crate::store::{
    BlockFileInfo, BlockFiles, CoinPages, DataDirectory, Database, Journal, RecordPosition, StoreError,
};
use crate::validation::ValidationCache;

/// Memory for pages of the database, in bytes. What blocks change often stays in the cache of coins.
pub const DATABASE_CACHE: u64 = 64 << 20;

impl Chainstate {
    /// Opens the chain state of a network in `directory`, or makes one that holds genesis. What a crash left is put in order.
    ///
    /// Blocks that were stored but not connected stay so until [`Chainstate::activate`] or the next block.
    ///
    /// # Errors
    ///
    /// When the directory is in use, is another network's or another version's, is damaged, or cannot be read or written.
    pub fn open(directory: &Path, params: ChainParams, options: ChainstateOptions) -> Result<Self, ChainstateError> {
        Self::open_in(DataDirectory::open(directory, &params)?, params, options)
    }

    /// As [`Self::open`], in a directory that this process has already: opening takes its time, and before it begins one may
    /// want to know that no other process uses the directory. `params` must be those it was opened with.
    ///
    /// # Errors
    ///
    /// When the data are damaged, or cannot be read or written.
    pub fn open_in(
        directory: DataDirectory,
        params: ChainParams,
        options: ChainstateOptions,
    ) -> Result<Self, ChainstateError> {
        Self::open_with(directory, params, options, Opening::Normal)
    }

    pub(super) fn open_with(
        directory: DataDirectory,
        params: ChainParams,
        options: ChainstateOptions,
        opening: Opening,
    ) -> Result<Self, ChainstateError> {
        if opening == Opening::Normal && Marker::new(directory.path()).is_there() {
            return Err(ChainstateError::ReindexUnfinished);
        }
        let queue =
            CheckQueue::new(options.thread_count()).map_err(|error| ChainstateError::Threads(Arc::new(error)))?;
        let (database, head, stored) = open_database(&directory, &params)?;
        let database = Arc::new(database);
        let pages =
            CoinPages::open(database.coins.clone(), database.file()?, directory.salt(), &read_directory(&database)?)?;

        let is_new = stored.is_none();
        let genesis = &params.genesis;
        let index = stored.unwrap_or_else(|| BlockIndex::new(&genesis.header, genesis.hash));
        let files_path = directory.path().join("blocks");
        let known = match &opening {
            Opening::Reindex(Some(files)) => files.clone(),
            Opening::Reindex(None) | Opening::Normal => known_files(&index),
        };
        if is_new && opening == Opening::Normal {
            check_no_blocks(&files_path, &params)?;
        }
        let files = BlockFiles::open(&files_path, params.magic, options.block_file_size, known)?;

        let tip = head.map_or(genesis.hash, |head| head.tip());
        let tip = index.find(&tip).ok_or_else(|| damaged(format!("expected the tip {tip} in it, got none")))?;
        let active = ActiveChain::to(tip, &index);
        let mut chainstate = Self {
            candidates: Candidates::default(),
            next_sequence: FIRST_SEQUENCE,
            next_precious_sequence: -1,
            last_precious_work: Work::ZERO,
            coins: CoinsCache::new(Arc::new(pages), directory.salt()),
            validation_cache: Arc::new(ValidationCache::new(options.validation_cache_bytes)),
            queue,
            in_flight: VecDeque::new(),
            announced: tip,
            events: Vec::new(),
            journal: Journal::new(directory.path()),
            flushed: tip,
            flush: None,
            flushes: 0,
            stages: StageObserver::default(),
            unflushed_bytes: 0,
            size_after_pruning: 0,
            fault: None,
            was_loaded: AtomicBool::new(false),
            mock_time: None,
            params: Arc::new(params),
            options,
            index,
            active,
            files,
            database,
            directory,
        };
        if is_new && opening == Opening::Normal {
            chainstate.store_genesis()?;
        }
        chainstate.set_stored_sequences();
        chainstate.candidates = Candidates::of(&chainstate.index, tip);
        match head {
            Some(Head::Flushing { to, journal, .. }) => {
                let generation = Arc::new(chainstate.journal.read(journal, chainstate.directory.salt())?);
                chainstate.coins.restore_frozen(Arc::clone(&generation));
                chainstate.resume_flush(generation, to)?;
            }
            Some(Head::At { .. }) | None => chainstate.journal.remove()?,
        }
        Ok(chainstate)
    }

    /// Puts genesis on disk.
    pub(super) fn store_genesis(&mut self) -> Result<(), ChainstateError> {
        let params = Arc::clone(&self.params);
        let position = self.files.append_block(&params.genesis.block)?;
        let block = Block::decode(params.genesis.block.clone()).expect("the genesis block of a network decodes");
        self.received_genesis(&block, position);
        self.files.sync()?;
        write_index(&self.database, &self.index.take_dirty(), &Head::At { tip: params.genesis.hash })?;
        Ok(())
    }

    /// Notes where genesis is. It is never connected: its outputs cannot be spent (Core: `LoadGenesisBlock`).
    pub(super) fn received_genesis(&mut self, block: &Block, position: RecordPosition) {
        self.received_block_transactions(BlockId::GENESIS, block, position);
        let entry = self.index.entry_mut(BlockId::GENESIS);
        entry.status.insert(BlockStatus::VALID_SCRIPTS | BlockStatus::HAVE_UNDO);
    }

    /// Of chains with equal work, the one that was active stays so (Core: `SEQ_ID_BEST_CHAIN_FROM_DISK`, `chain.h`).
    fn set_stored_sequences(&mut self) {
        let ids: Vec<BlockId> = self.index.iter().map(|(id, _)| id).collect();
        for id in ids {
            let on_active = self.active.contains(id, &self.index);
            self.index.volatile_mut(id).sequence = if on_active { BEST_CHAIN_SEQUENCE } else { STORED_SEQUENCE };
        }
    }

    /// Work below which the chain is taken for one that is still being loaded.
    pub(super) fn minimum_chain_work(&self) -> Work {
        self.options.minimum_chain_work.unwrap_or(self.params.minimum_chain_work)
    }
}

/// Why a data directory is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opening {
    /// To be used.
    Normal,
    /// To compute again what was thrown away; with the block files as they are where the index was.
    Reindex(Option<Vec<BlockFileInfo>>),
}

/// Where the index is gone, blocks must not be taken for what a crash left.
fn check_no_blocks(directory: &Path, params: &ChainParams) -> Result<(), ChainstateError> {
    let size: u64 = BlockFiles::list(directory)?.iter().map(|file| u64::from(file.size)).sum();
    let genesis = params.genesis.block.len() as u64 + 8;
    if size > genesis { Err(ChainstateError::IndexMissing { block_bytes: size }) } else { Ok(()) }
}

/// Core: `SEQ_ID_BEST_CHAIN_FROM_DISK`, `chain.h`.
const BEST_CHAIN_SEQUENCE: i32 = 0;
/// Core: `SEQ_ID_INIT_FROM_DISK`, `chain.h`.
const STORED_SEQUENCE: i32 = 1;
const FIRST_SEQUENCE: i32 = STORED_SEQUENCE + 1;

fn damaged(detail: String) -> StoreError {
    StoreError::Damaged { what: "the block index", detail }
}

/// Chunks of the index that are read before the database is closed and opened once more.
const CHUNKS_PER_OPENING: usize = 3072;

/// Opens the database and loads the index.
///
/// sled keeps what it read, whatever its cache is told to hold, until as much again is read. Of a large index that is as much as
/// the index itself, and it is not read again: so the database is closed and opened every so many chunks.
fn open_database(
    directory: &DataDirectory,
    params: &ChainParams,
) -> Result<(Database, Option<Head>, Option<BlockIndex>), StoreError> {
    let path = directory.path().join("database");
    let mut database = Database::open(&path, DATABASE_CACHE)?;
    let head = Head::read(&database)?;
    let (mut index, mut next) = (None, if head.is_some() { Some(0) } else { None });
    while let Some(first) = next {
        next = load_index(&database, params, first, CHUNKS_PER_OPENING, &mut index)?;
        if next.is_some() || first > 0 {
            drop(database);
            database = Database::open(&path, DATABASE_CACHE)?;
        }
    }
    if let Some(index) = &mut index {
        index.recompute_best_header();
    }
    Ok((database, head, index))
}

/// Loads up to `count` chunks of the index from number `first` on, and returns the number of the next one, if there is one.
pub(super) fn load_index(
    database: &Database,
    params: &ChainParams,
    first: u32,
    count: usize,
    index: &mut Option<BlockIndex>,
) -> Result<Option<u32>, StoreError> {
    let failed = || StoreError::database("read the block index from");
    let last = database.index.scan_prefix([CHUNK_PREFIX]).keys().next_back().transpose().map_err(failed())?;
    let chunks = match last {
        Some(key) => chunk_number(&key)? + 1,
        None => return Ok(None),
    };
    let capacity = chunks as usize * RECORDS_PER_CHUNK as usize;
    for (number, chunk) in (first..).zip(database.index.range(chunk_key(first)..chunk_key(chunks)).take(count)) {
        let (key, chunk) = chunk.map_err(failed())?;
        if chunk_number(&key)? != number {
            return Err(damaged(format!("expected chunk {number}, got {}", chunk_number(&key)?)));
        }
        BlockIndex::read_chunk(index, &chunk, params.genesis.hash, capacity)?;
    }
    let next = first.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    Ok((next < chunks).then_some(next))
}

/// How far each block file is known to be filled.
fn known_files(index: &BlockIndex) -> Vec<BlockFileInfo> {
    let mut files = BTreeMap::<u32, BlockFileInfo>::new();
    let end = |offset: u32, length: u32| offset.saturating_add(length);
    for (id, _) in index.iter() {
        let Some(body) = index.body(id) else { continue };
        let info = files.entry(body.file).or_insert(BlockFileInfo { number: body.file, size: 0, undo_size: 0 });
        info.size = info.size.max(end(body.offset, body.length));
        if let Some(undo) = index.undo(id).filter(|undo| undo.length > 0) {
            info.undo_size = info.undo_size.max(end(undo.offset, undo.length));
        }
    }
    files.into_values().collect()
}
