//! Many blocks from files and streams.
//!
//! Blocks are read ahead, decoded and checked on other threads, and then accepted and connected in order, as in
//! [`activate`](super::activate), without waiting for the scripts of one before the coins of the next are applied. Blocks that
//! are here already are passed over unread, so an import that was interrupted goes on where it was.

mod source;
mod waiting;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;

use super::activate::InvalidBlocks;
use super::block_index::BlockStatus;
use super::prepare::{BATCH_BYTES, Batch, Prepared, PreparedBatch, RawBlock, prepare};
use super::{Acceptance, Chainstate, ChainstateError};
use crate::params::ChainParams;
use crate::primitives::{HEADER_SIZE, decode_header};
use crate::store::BlockFileScanner;
use crate::validation::{BlockError, CheckedBlock, HeaderError, check_header};
pub use source::BlockSource;
use source::Place;
use waiting::WaitingBlocks;

/// Bytes of blocks that are read ahead.
const MAX_BYTES_AHEAD: usize = 16 << 20;
/// Time between two flushes, so that an interruption loses little.
const FLUSH_INTERVAL: Duration = Duration::from_secs(300);

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportProgress {
    /// Bytes read, without blocks that were only read ahead.
    pub bytes_read: u64,
    /// Bytes of all files; nothing for a stream.
    pub total_bytes: Option<u64>,
    /// Height of the tip, blocks whose scripts are being verified included.
    pub height: u32,
    /// Blocks accepted by this import.
    pub blocks: u64,
    /// Transactions in them.
    pub transactions: u64,
}

/// What became of the blocks of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportSummary {
    /// Blocks that were new and obey the rules, as far as they were connected.
    pub accepted: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Blocks that were here already.
    pub known: u64,
    /// Blocks that break a rule.
    pub rejected: u64,
    /// The first of them, and its reason.
    pub first_rejection: Option<(BlockHash, String)>,
    /// Blocks whose parent never came.
    pub without_parent: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Bytes that belong to no block.
    pub skipped_bytes: u64,
}

/// One import.
struct Import<'a> {
    chainstate: &'a mut Chainstate,
    source: &'a mut BlockSource,
    ahead: VecDeque<PreparedBatch<Place>>,
    bytes_ahead: usize,
    at_end: bool,
    waiting: WaitingBlocks,
    invalid: InvalidBlocks,
    summary: ImportSummary,
    last_flush: Instant,
}

impl Chainstate {
    /// Takes all blocks of a source, and makes everything durable at the end. No events are kept of it. `progress` is told every few blocks; when it
    /// asks to stop, what came so far is made durable too.
    ///
    /// # Errors
    ///
    /// When the source cannot be read, `progress` asks to stop, the disk is nearly full, or for a fault; only after a fault
    /// what came so far may be lost. Blocks that break rules are no error: the summary counts them.
    pub fn import(
        &mut self,
        source: &mut BlockSource,
        progress: &mut dyn FnMut(ImportProgress) -> ControlFlow<()>,
    ) -> Result<ImportSummary, ChainstateError> {
        self.guarded(|chainstate| {
            let result = chainstate.import_unflushed(source, progress);
            // What was verified so far is kept, whatever stopped the import, unless a fault did.
            chainstate.flush_behind(result)
        })
    }

    fn import_unflushed(
        &mut self,
        source: &mut BlockSource,
        progress: &mut dyn FnMut(ImportProgress) -> ControlFlow<()>,
    ) -> Result<ImportSummary, ChainstateError> {
        self.activate_and_settle(None)?;
        let mut import = Import::new(self, source);
        match import.run(progress) {
            // Waiting for what is in flight would fail again, on a disk that is only nearly full too.
            Err(error) if error.is_fault() || matches!(error, ChainstateError::Store(_)) => Err(error),
            result => {
                import.finish()?;
                result.map(|()| import.summary)
            }
        }
    }
}

impl<'a> Import<'a> {
    fn new(chainstate: &'a mut Chainstate, source: &'a mut BlockSource) -> Self {
        Self {
            chainstate,
            source,
            ahead: VecDeque::new(),
            bytes_ahead: 0,
            at_end: false,
            waiting: WaitingBlocks::default(),
            invalid: Vec::new(),
            summary: ImportSummary::default(),
            last_flush: Instant::now(),
        }
    }

    fn run(&mut self, progress: &mut dyn FnMut(ImportProgress) -> ControlFlow<()>) -> Result<(), ChainstateError> {
        loop {
            self.read_ahead()?;
            let Some(batch) = self.ahead.pop_front() else { return Ok(()) };
            self.bytes_ahead -= batch.bytes();
            for (prepared, place) in batch.wait(&self.chainstate.queue) {
                self.take(prepared, place)?;
            }
            if self.last_flush.elapsed() > FLUSH_INTERVAL {
                let invalid = self.chainstate.activate_and_settle(None)?;
                self.invalid.extend(invalid);
                self.count_invalid();
                self.chainstate.start_flush()?;
                self.last_flush = Instant::now();
            }
            // Nobody can take events meanwhile, and a long chain has many.
            self.chainstate.events.clear();
            if progress(self.progress()).is_break() {
                return Err(ChainstateError::Interrupted);
            }
        }
    }

    fn progress(&self) -> ImportProgress {
        ImportProgress {
            bytes_read: self.source.bytes_read().saturating_sub(self.bytes_ahead as u64),
            total_bytes: self.source.total_bytes(),
            height: self.chainstate.active.height(),
            blocks: self.summary.accepted,
            transactions: self.summary.transactions,
        }
    }

    /// Waits for what is in flight, and counts.
    fn finish(&mut self) -> Result<(), ChainstateError> {
        let invalid = self.chainstate.activate_and_settle(None)?;
        self.invalid.extend(invalid);
        self.count_invalid();
        self.summary.without_parent = self.waiting.len();
        self.summary.bytes_read = self.source.bytes_read();
        self.summary.skipped_bytes = self.source.skipped_bytes();
        Ok(())
    }

    /// Reads blocks and has them prepared, until enough are ahead. From a stream that is one batch: it may be slow, and what
    /// came is not to wait for what did not.
    fn read_ahead(&mut self) -> Result<(), ChainstateError> {
        let enough = if self.source.is_stream() { BATCH_BYTES } else { MAX_BYTES_AHEAD };
        let mut batch = Batch::new();
        while !self.at_end && self.bytes_ahead < enough {
            match self.source.next_record().map_err(read_failed)? {
                None => self.at_end = true,
                Some((record, place)) => match self.hash_of_block(&record.bytes) {
                    None => self.source.rescan_last(),
                    Some(hash) if self.is_wanted(hash) => {
                        self.bytes_ahead += record.bytes.len();
                        batch.push(RawBlock { bytes: record.bytes, tag: place });
                    }
                    Some(_) => {}
                },
            }
            if batch.is_full() {
                let full = std::mem::replace(&mut batch, Batch::new());
                self.ahead.push_back(full.prepare(&self.chainstate.queue, &self.chainstate.params));
            }
        }
        if !batch.is_empty() {
            self.ahead.push_back(batch.prepare(&self.chainstate.queue, &self.chainstate.params));
        }
        Ok(())
    }

    /// The hash of a record that may be a block. One without proof of work is garbage that happened to look like a frame. One
    /// with no frame behind it is the last before a gap, or it broke off and claims a part of the next block, which is lost unless
    /// the record is taken back: so that one is checked at once. In a clean file it is only the last.
    fn hash_of_block(&mut self, bytes: &[u8]) -> Option<BlockHash> {
        let params = &self.chainstate.params;
        let hash = hash_with_work(bytes, params)?;
        if self.source.is_followed_by_frame() {
            return Some(hash);
        }
        match prepare(bytes.to_vec(), params) {
            Prepared::Checked(_) => Some(hash),
            Prepared::Undecodable(_) => None,
            // When only the last bytes are those of the next block, it can still be decoded.
            Prepared::Invalid(hash, error) => {
                self.reject(hash, &error);
                None
            }
        }
    }

    /// Whether a block is not here yet, and not known as invalid.
    fn is_wanted(&mut self, hash: BlockHash) -> bool {
        let index = &self.chainstate.index;
        let Some(id) = index.find(&hash) else { return true };
        let entry = &index[id];
        if entry.status.contains(BlockStatus::FAILED) {
            self.reject(hash, &HeaderError::DuplicateInvalid.into());
            return false;
        }
        // A block of the active chain may be pruned; one that is still to be connected is wanted again.
        let is_known = entry.status.contains(BlockStatus::HAVE_DATA)
            || self.chainstate.active.contains(id, &self.chainstate.index);
        self.summary.known += u64::from(is_known);
        !is_known
    }

    /// Takes a block, and then all that waited for it.
    fn take(&mut self, prepared: Prepared, place: Place) -> Result<(), ChainstateError> {
        let mut ready = vec![(prepared, place)];
        while let Some((prepared, place)) = ready.pop() {
            match prepared {
                Prepared::Checked(block) => {
                    let hash = block.block().hash();
                    if self.accept(block, place)? {
                        let params = Arc::clone(&self.chainstate.params);
                        let waited = self.waiting.take(&hash).map_err(read_failed)?;
                        ready.extend(waited.into_iter().rev().map(|bytes| (prepare(bytes, &params), Place::Stream)));
                    }
                }
                Prepared::Invalid(hash, error) => self.reject(hash, &error),
                Prepared::Undecodable(bytes) => {
                    // Perhaps a frame whose block never got written, with others behind it.
                    let mut scanner = BlockFileScanner::new(&bytes[..], self.chainstate.params.magic);
                    while let Some(record) = scanner.next_record().map_err(read_failed)? {
                        if hash_with_work(&record.bytes, &self.chainstate.params).is_none() {
                            scanner.rescan_last();
                            continue;
                        }
                        ready.push((prepare(record.bytes, &self.chainstate.params), Place::Stream));
                    }
                }
            }
        }
        Ok(())
    }

    /// Accepts a block and connects it; true when others may stand on it now.
    fn accept(&mut self, block: CheckedBlock, place: Place) -> Result<bool, ChainstateError> {
        let body = Arc::clone(block.block());
        match self.chainstate.accept_block(block, true)? {
            Ok(accepted) => {
                if accepted.acceptance == Acceptance::New {
                    self.summary.accepted += 1;
                    self.summary.transactions += body.transactions().len() as u64;
                } else {
                    self.summary.known += 1;
                }
                self.chainstate.activate_best_chain(accepted.fresh, &mut self.invalid)?;
                self.chainstate.make_room(&mut self.invalid)?;
                self.count_invalid();
                Ok(true)
            }
            Err(BlockError::Header(HeaderError::PreviousNotFound { parent })) => {
                if !self.waiting.insert(parent, body.bytes(), place) {
                    self.summary.without_parent += 1;
                }
                Ok(false)
            }
            Err(error) => {
                self.reject(body.hash(), &error);
                Ok(false)
            }
        }
    }

    fn reject(&mut self, hash: BlockHash, error: &BlockError) {
        self.summary.rejected += 1;
        self.summary.first_rejection.get_or_insert_with(|| (hash, error.reject_reason().into_owned()));
    }

    /// Blocks that were counted as accepted and then turned out invalid.
    fn count_invalid(&mut self) {
        for (hash, error) in std::mem::take(&mut self.invalid) {
            let transactions = self.chainstate.index.find(&hash).map_or(0, |id| self.chainstate.index[id].transactions);
            self.summary.accepted = self.summary.accepted.saturating_sub(1);
            self.summary.transactions = self.summary.transactions.saturating_sub(u64::from(transactions));
            self.reject(hash, &error);
        }
    }
}

/// The hash of a record's header, if it meets the target that the header claims.
fn hash_with_work(record: &[u8], params: &ChainParams) -> Option<BlockHash> {
    let header: &[u8; HEADER_SIZE] = record.first_chunk().expect("the scanner returns records of at least a header");
    check_header(&decode_header(header), &params.consensus).ok().map(|header| header.hash())
}

fn read_failed(error: std::io::Error) -> ChainstateError {
    ChainstateError::Stream { action: "read", source: Arc::new(error) }
}

#[cfg(test)]
mod tests;
