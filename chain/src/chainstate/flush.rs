//! What is durable, and when.
//!
//! A flush takes a generation of coins from the cache, which then fills a new one, and works on a thread of its own:
//!
//! 1. bodies and undo data are synced;
//! 2. the generation goes into the journal, synced;
//! 3. the block index and a head that says *flushing to this tip, by this journal* are written and synced: **from here on the
//!    new tip counts**;
//! 4. the generation is merged into the pages of coins, synced;
//! 5. a head that says *at this tip* is written and synced, and the journal goes.
//!
//! Opened after a crash before 3, the directory is at the old tip. After 3 it is at the new one, and the journal is merged
//! again, in the background, which changes nothing where it was merged before. (Core's `HEAD_BLOCKS` does the same with the
//! blocks instead of a journal, `ReplayBlocks` in `validation.cpp`: opening then takes as long as connecting them.)

mod head;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use super::{BlockStage, Chainstate, ChainstateError};
use crate::coins::Generation;
use crate::store::{CoinPages, Database, Journal, MAX_VALUE_SIZE, StoreError, UnsyncedFiles, numbered_key};
pub(super) use head::Head;

/// Bytes of bodies and undo data that may be lost to a crash.
const MAX_UNFLUSHED_BYTES: u64 = 2 << 30;
/// Chunks of the block index that are written in one batch.
const CHUNKS_PER_BATCH: usize = 256;
/// First byte of the keys of the directory of coin pages; a number follows (4 bytes big-endian).
const DIRECTORY_PREFIX: u8 = b'd';

/// A flush that runs on a thread of its own.
#[derive(Debug)]
pub(super) struct Flush(JoinHandle<Result<(), StoreError>>);

impl Chainstate {
    /// Writes everything and returns when it is durable (Core: `ForceFlushStateToDisk`).
    ///
    /// # Errors
    ///
    /// When the disk fails. When it is nearly full, what was verified so far becomes durable before that is said.
    pub fn flush(&mut self) -> Result<(), ChainstateError> {
        self.guarded(|chainstate| {
            let result = chainstate.activate_and_settle(None).map(|_| ());
            chainstate.flush_behind(result)
        })
    }

    /// Begins to write what was committed, and does not wait for it: what it fails with is told by whatever comes next. False when
    /// it would have to wait, because a flush is running or somebody reads all coins.
    ///
    /// # Errors
    ///
    /// When the flush cannot begin, or the last one failed.
    pub fn flush_in_background(&mut self) -> Result<bool, ChainstateError> {
        let is_running = self.flush.as_ref().is_some_and(|Flush(thread)| !thread.is_finished());
        if is_running || self.coins.store().are_held() {
            return Ok(false);
        }
        self.guarded(|chainstate| {
            chainstate.activate_and_settle(None)?;
            chainstate.start_flush()?;
            Ok(true)
        })
    }

    /// Makes durable what was committed before `result`, and passes that on. Only a fault keeps it from that: the space that
    /// stays free on a disk that is nearly full is there for this.
    pub(super) fn flush_behind<T>(&mut self, result: Result<T, ChainstateError>) -> Result<T, ChainstateError> {
        if let Err(error) = &result {
            if error.is_fault() {
                return result;
            }
            self.step_back()?;
        }
        self.start_flush()?;
        self.finish_flush()?;
        result
    }

    /// Whether the cache has grown so large that it must be written. Half of the memory is for the generation that fills, half
    /// for the one that is being merged.
    pub(super) fn wants_flush(&self) -> bool {
        self.coins.active_memory() > self.options.cache_bytes / 2 || self.unflushed_bytes > MAX_UNFLUSHED_BYTES
    }

    /// Writes what was committed, from another thread. If one flush is running, waits for it first. No block may be in flight.
    pub(super) fn start_flush(&mut self) -> Result<(), ChainstateError> {
        assert!(self.in_flight.is_empty(), "only what was verified becomes durable");
        self.finish_flush()?;
        let tip = self.active.tip();
        let index = self.index.take_dirty();
        if self.coins.changes() == 0 && index.is_empty() && tip == self.flushed {
            return Ok(());
        }
        let work = FlushWork {
            unsynced: self.files.take_unsynced()?,
            index,
            generation: self.coins.freeze(),
            from: self.index[self.flushed].hash,
            to: self.index[tip].hash,
            database: Arc::clone(&self.database),
            pages: Arc::clone(self.coins.store()),
            journal: self.journal.clone(),
        };
        self.flushed = tip;
        self.flushes += 1;
        self.unflushed_bytes = 0;
        let (stages, started) = (self.stages.clone(), Instant::now());
        self.flush = Some(spawn(move || {
            let result = work.run();
            stages.finished(BlockStage::Flush, started);
            result
        })?);
        Ok(())
    }

    /// Waits for the flush that is running, if there is one.
    pub(super) fn finish_flush(&mut self) -> Result<(), ChainstateError> {
        let Some(Flush(thread)) = self.flush.take() else { return Ok(()) };
        match thread.join() {
            Ok(result) => Ok(result?),
            Err(_) => Err(ChainstateError::Stopped("the flush panicked".to_owned())),
        }
    }

    /// Goes on with a flush that a crash stopped after its third step.
    pub(super) fn resume_flush(
        &mut self,
        generation: Arc<Generation>,
        to: bitcoin::BlockHash,
    ) -> Result<(), ChainstateError> {
        let (database, journal) = (Arc::clone(&self.database), self.journal.clone());
        let pages = Arc::clone(self.coins.store());
        self.flush = Some(spawn(move || {
            pages.rebuild_directory()?;
            merge(&database, &pages, &journal, &generation, to)
        })?);
        Ok(())
    }
}

fn spawn(run: impl FnOnce() -> Result<(), StoreError> + Send + 'static) -> Result<Flush, StoreError> {
    let thread = std::thread::Builder::new().name("flush".to_owned()).spawn(run);
    thread.map(Flush).map_err(StoreError::io("start a thread for", std::path::Path::new("the flush")))
}

/// Waits for the flush, which must not outlive the lock of the directory.
impl Drop for Chainstate {
    fn drop(&mut self) {
        for block in &self.in_flight {
            block.checks.cancel();
        }
        // What it failed with was or will be found by whoever opens the directory next.
        let _ = self.finish_flush();
    }
}

/// Everything a flush needs, detached from the chain state.
struct FlushWork {
    unsynced: UnsyncedFiles,
    index: Vec<([u8; 5], Vec<u8>)>,
    generation: Arc<Generation>,
    from: bitcoin::BlockHash,
    to: bitcoin::BlockHash,
    database: Arc<Database>,
    pages: Arc<CoinPages>,
    journal: Journal,
}

impl FlushWork {
    fn run(self) -> Result<(), StoreError> {
        let Self { unsynced, index, generation, from, to, database, pages, journal } = self;
        unsynced.sync()?;
        if generation.len() == 0 {
            return write_index(&database, &index, &Head::At { tip: to });
        }
        let seal = journal.write(&generation)?;
        write_index(&database, &index, &Head::Flushing { from, to, journal: seal })?;
        merge(&database, &pages, &journal, &generation, to)
    }
}

/// Writes changed chunks of the block index, and the head with the last of them.
///
/// Chunks may become durable before the head: they say nothing that is not true already. But none may before one that holds a
/// parent, so batches are synced one after the other.
pub(super) fn write_index(database: &Database, chunks: &[([u8; 5], Vec<u8>)], head: &Head) -> Result<(), StoreError> {
    let mut batches = chunks.chunks(CHUNKS_PER_BATCH).peekable();
    loop {
        let mut batch = sled::Batch::default();
        for (key, value) in batches.next().unwrap_or_default() {
            batch.insert(key, &value[..]);
        }
        let last = batches.peek().is_none();
        if last {
            batch.insert(Head::KEY, head.encode());
        }
        database.index.apply_batch(batch).map_err(StoreError::database("write the block index to"))?;
        database.sync()?;
        sled::pin().flush();
        if last {
            return Ok(());
        }
    }
}

/// Steps 4 and 5.
fn merge(
    database: &Database,
    pages: &CoinPages,
    journal: &Journal,
    generation: &Generation,
    to: bitcoin::BlockHash,
) -> Result<(), StoreError> {
    pages.merge(generation)?;
    database.sync()?;
    let mut batch = sled::Batch::default();
    for (number, depths) in (0u32..).zip(pages.depths().chunks(MAX_VALUE_SIZE)) {
        batch.insert(&numbered_key(DIRECTORY_PREFIX, number), depths);
    }
    batch.insert(Head::KEY, Head::At { tip: to }.encode());
    database.index.apply_batch(batch).map_err(StoreError::database("write the head to"))?;
    database.sync()?;
    journal.remove()
}

/// The depths of all pages of coins, as of the last flush.
pub(super) fn read_directory(database: &Database) -> Result<Vec<u8>, StoreError> {
    let mut depths = Vec::new();
    for chunk in database.index.scan_prefix([DIRECTORY_PREFIX]).values() {
        depths.extend_from_slice(&chunk.map_err(StoreError::database("read the directory of coins from"))?);
    }
    // Before the first flush there is one page for all coins.
    Ok(if depths.is_empty() { vec![0] } else { depths })
}

/// Forgets all coins: the next opening is at genesis.
pub(super) fn forget_coins(database: &Database, genesis: bitcoin::BlockHash) -> Result<(), StoreError> {
    let failed = || StoreError::database("clear");
    database.coins.clear().map_err(failed())?;
    let mut batch = sled::Batch::default();
    for key in database.index.scan_prefix([DIRECTORY_PREFIX]).keys() {
        batch.remove(key.map_err(failed())?);
    }
    batch.insert(Head::KEY, Head::At { tip: genesis }.encode());
    database.index.apply_batch(batch).map_err(failed())?;
    database.sync()
}
