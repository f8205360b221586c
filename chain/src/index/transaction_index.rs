//! The index, and the way to read it from any thread.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bitcoin::Txid;

use super::locator::Locator;
use super::manifest::{Manifest, RunEntry, temporary_path};
use super::merge::merge_from;
use super::record::{Record, Salt};
use super::run::{Run, RunWriter, is_run, run_path};
use super::{IndexError, MergedRun, RunMerge, TransactionPosition};
use crate::chainstate::BlockReference;
use crate::primitives::{Block, TransactionRef};
use crate::store::{StoreError, sync_directory, sync_parent};

/// Transactions that are kept in memory, sixteen bytes each, before they become a run.
const BUFFER_RECORDS: usize = 64 << 10;

/// Where the transactions of the chain are, by their ids (Core: `TxIndex`, `index/txindex.h`).
///
/// One owner gives it blocks; any number of [readers](Self::reader) look transactions up meanwhile, and see each block as soon as
/// it was given. What was not [flushed](Self::flush) is lost when this is dropped, and has to be given again.
///
/// After an error nothing is wrong on disk, and what was asked for may be tried again.
#[derive(Debug)]
pub struct TransactionIndex {
    directory: PathBuf,
    shared: Arc<Shared>,
    /// The block that was given last, and some before it.
    locator: Locator,
    /// The same as the manifest has it.
    flushed: Locator,
    next_number: u64,
    buffer_records: usize,
}

/// Looks transactions up. Clones look in the same index.
#[derive(Debug, Clone)]
pub struct TransactionIndexReader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    salt: Salt,
    contents: RwLock<Contents>,
}

#[derive(Debug, Clone)]
struct Contents {
    /// Records that are in no run, in the order in which they came.
    buffer: Vec<Record>,
    /// The oldest first.
    runs: Arc<[Arc<Run>]>,
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TransactionIndexReader {
    /// Where a transaction may be, the last block first. Whoever asks has to see whether it is there: blocks may have left the
    /// chain, and two transactions may, though hardly ever, have the same key.
    ///
    /// # Errors
    ///
    /// When a file is damaged or cannot be read.
    pub fn find(&self, txid: &Txid) -> Result<Vec<TransactionPosition>, IndexError> {
        let key = self.shared.salt.key(txid);
        let (mut found, runs): (Vec<_>, _) = {
            let contents = self.shared.read();
            let buffered = contents.buffer.iter().filter(|record| record.key == key);
            (buffered.map(|record| record.position).collect(), Arc::clone(&contents.runs))
        };
        for run in runs.iter().rev() {
            run.find(key, &mut found)?;
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        Ok(found)
    }
}

impl TransactionIndex {
    /// Opens the index in a directory that this process alone uses, or makes both.
    ///
    /// # Errors
    ///
    /// When the index is damaged or was written by another version (it is then left as it is), or when the directory cannot be
    /// read or written.
    pub fn open(directory: &Path) -> Result<Self, IndexError> {
        fs::create_dir_all(directory).map_err(IndexError::io("make", directory))?;
        let manifest = match Manifest::read(directory)? {
            Some(manifest) => manifest,
            None => create(directory)?,
        };
        let open = |entry: &RunEntry| Run::open(directory, entry.number, entry.records).map(Arc::new);
        let runs: Arc<[_]> = manifest.runs.iter().map(open).collect::<Result<_, _>>()?;
        // Only now: of a directory that is damaged nothing is removed.
        remove_leftovers(directory, &manifest)?;
        let last_number = manifest.runs.iter().map(|run| run.number).max();
        Ok(Self {
            directory: directory.to_owned(),
            shared: Arc::new(Shared {
                salt: manifest.salt,
                contents: RwLock::new(Contents { buffer: Vec::new(), runs }),
            }),
            flushed: manifest.locator.clone(),
            locator: manifest.locator,
            next_number: last_number.map_or(0, |number| number.saturating_add(1)),
            buffer_records: BUFFER_RECORDS,
        })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Somebody who looks transactions up.
    #[must_use]
    pub fn reader(&self) -> TransactionIndexReader {
        TransactionIndexReader { shared: Arc::clone(&self.shared) }
    }

    /// The block that was given last; nothing before the first one.
    #[must_use]
    pub fn best_block(&self) -> Option<BlockReference> {
        self.locator.best()
    }

    /// The block that was given last and some before it, the last one first: the first of them that is on the active chain is
    /// where to go on.
    #[must_use]
    pub fn locator(&self) -> Vec<BlockReference> {
        self.locator.blocks().iter().rev().copied().collect()
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.shared.read().runs.len()
    }

    /// Goes back to a block of the [locator](Self::locator), which the next block follows. Entries of blocks after it stay.
    ///
    /// # Errors
    ///
    /// When it is none of them.
    pub fn rewind(&mut self, to: BlockReference) -> Result<(), IndexError> {
        if self.locator.rewind(to) { Ok(()) } else { Err(IndexError::NotRemembered { got: to }) }
    }

    /// Adds the transactions of the block after the best one. Those of genesis are left out: nobody can spend them (Core:
    /// `TxIndex::CustomAppend`).
    ///
    /// # Errors
    ///
    /// [`IndexError::OutOfOrder`] when it does not follow; otherwise when there was no more room in memory, and what was there could
    /// not be written.
    pub fn append(&mut self, block: &Block, height: u32) -> Result<(), IndexError> {
        self.check_follows(block, height)?;
        if self.shared.read().buffer.len() >= self.buffer_records {
            self.flush()?;
        }
        if height > 0 {
            let salt = self.shared.salt;
            let record = |tx: TransactionRef<'_>| Record {
                key: salt.key(&tx.txid()),
                position: TransactionPosition { height, offset: tx.offset() },
            };
            let records: Vec<Record> = block.transactions().map(record).collect();
            self.shared.write().buffer.extend(records);
        }
        self.locator.push(BlockReference { height, hash: block.hash() });
        Ok(())
    }

    fn check_follows(&self, block: &Block, height: u32) -> Result<(), IndexError> {
        let expected = self.best_block();
        let previous = block.header().prev_blockhash;
        let follows = match expected {
            Some(best) => height.checked_sub(1) == Some(best.height) && previous == best.hash,
            None => height == 0,
        };
        if follows {
            Ok(())
        } else {
            Err(IndexError::OutOfOrder { expected, got: BlockReference { height, hash: previous } })
        }
    }

    /// Makes durable what was given so far.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails.
    pub fn flush(&mut self) -> Result<(), IndexError> {
        if self.locator == self.flushed {
            return Ok(());
        }
        let Contents { mut buffer, runs } = self.shared.read().clone();
        let mut runs = runs.to_vec();
        buffer.sort_unstable();
        buffer.dedup();
        if !buffer.is_empty() {
            let number = self.take_number();
            let mut writer = RunWriter::create(&self.directory, number, buffer.len() as u64)?;
            buffer.into_iter().try_for_each(|record| writer.push(record))?;
            runs.push(Arc::new(writer.finish()?));
        }
        self.write_manifest(&runs, &self.locator)?;
        self.flushed = self.locator.clone();
        *self.shared.write() = Contents { buffer: Vec::new(), runs: runs.into() };
        Ok(())
    }

    /// Runs that should become one; nothing while there are few.
    pub fn plan_merge(&mut self) -> Option<RunMerge> {
        let runs = Arc::clone(&self.shared.read().runs);
        let sizes: Vec<u64> = runs.iter().map(|run| run.records()).collect();
        let inputs = runs[merge_from(&sizes)?..].to_vec();
        Some(RunMerge { directory: self.directory.clone(), number: self.take_number(), inputs })
    }

    /// Puts a run in place of those it was merged from.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails.
    pub fn finish_merge(&mut self, merged: MergedRun) -> Result<(), IndexError> {
        let MergedRun { run, inputs } = merged;
        let mut runs = self.shared.read().runs.to_vec();
        let are_all_there = inputs.iter().all(|input| contains(&runs, input));
        let first = runs.iter().position(|run| contains(&inputs, run)).filter(|_| are_all_there);
        let Some(first) = first else {
            // Another merge took them.
            return run.remove();
        };
        runs.retain(|run| !contains(&inputs, run));
        runs.insert(first, Arc::new(run));
        self.write_manifest(&runs, &self.flushed)?;
        self.shared.write().runs = runs.into();
        inputs.iter().try_for_each(|run| run.remove())
    }

    fn write_manifest(&self, runs: &[Arc<Run>], locator: &Locator) -> Result<(), IndexError> {
        let runs = runs.iter().map(|run| RunEntry { number: run.number(), records: run.records() }).collect();
        Manifest { salt: self.shared.salt, locator: locator.clone(), runs }.write(&self.directory)
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        number
    }

    /// An index that flushes after fewer transactions.
    #[cfg(test)]
    pub(super) fn with_buffer(mut self, records: usize) -> Self {
        self.buffer_records = records;
        self
    }
}

/// Whether a run is among others: it, and not only one of the same number.
fn contains(runs: &[Arc<Run>], run: &Arc<Run>) -> bool {
    runs.iter().any(|known| Arc::ptr_eq(known, run))
}

/// An index of nothing.
fn create(directory: &Path) -> Result<Manifest, IndexError> {
    let manifest = Manifest { salt: Salt::random(), locator: Locator::default(), runs: Vec::new() };
    manifest.write(directory)?;
    // The folder of all indexes may be as new.
    directory.ancestors().take(2).try_for_each(sync_parent)?;
    Ok(manifest)
}

/// Removes what a crash left: runs that do not count, and half a manifest.
fn remove_leftovers(directory: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    let failed = || StoreError::io("list", directory);
    let named: Vec<PathBuf> = manifest.runs.iter().map(|run| run_path(directory, run.number)).collect();
    for entry in fs::read_dir(directory).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if (is_run(&path) && !named.contains(&path)) || path == temporary_path(directory) {
            fs::remove_file(&path).map_err(IndexError::io("remove", &path))?;
        }
    }
    Ok(sync_directory(directory)?)
}

#[cfg(test)]
mod tests;
