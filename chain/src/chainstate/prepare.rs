//! Blocks decoded and checked ahead, on other threads.

use std::sync::{Arc, Mutex, PoisonError};

use bitcoin::BlockHash;

use super::check_queue::CheckQueue;
use crate::params::ChainParams;
use crate::primitives::Block;
use crate::validation::{BlockError, CheckedBlock, check_block};

/// Bytes of blocks that are prepared together: enough that tiny blocks do not cost a hand-over each.
pub(super) const BATCH_BYTES: usize = 256 << 10;

/// A serialized block, and what its sender needs to know it again.
#[derive(Debug)]
pub(super) struct RawBlock<T> {
    pub(super) bytes: Vec<u8>,
    pub(super) tag: T,
}

/// What became of a serialized block.
pub(super) enum Prepared {
    /// It obeys the rules that need nothing else.
    Checked(CheckedBlock),
    /// The block of that hash does not.
    Invalid(BlockHash, BlockError),
    /// It is no block.
    Undecodable(Vec<u8>),
}

/// What became of the blocks of a batch, once all are prepared.
type Outcome<T> = Option<Vec<(Prepared, T)>>;

/// Blocks that are prepared together, in their order.
pub(super) struct PreparedBatch<T> {
    done: Arc<Mutex<Outcome<T>>>,
    bytes: usize,
}

/// Blocks on their way to being prepared.
pub(super) struct Batch<T> {
    blocks: Vec<RawBlock<T>>,
    bytes: usize,
}

impl<T: Send + 'static> Batch<T> {
    pub(super) fn new() -> Self {
        Self { blocks: Vec::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, block: RawBlock<T>) {
        self.bytes += block.bytes.len();
        self.blocks.push(block);
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Hands the batch to the queue.
    pub(super) fn prepare(self, queue: &CheckQueue, params: &Arc<ChainParams>) -> PreparedBatch<T> {
        let done = Arc::new(Mutex::new(None));
        let (result, params) = (Arc::clone(&done), Arc::clone(params));
        queue.push(move || {
            let blocks = self.blocks.into_iter().map(|raw| (prepare(raw.bytes, &params), raw.tag)).collect();
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(blocks);
        });
        PreparedBatch { done, bytes: self.bytes }
    }
}

impl<T> PreparedBatch<T> {
    /// Bytes of all blocks.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The blocks, when all are prepared, working on the queue until then.
    pub(super) fn wait(self, queue: &CheckQueue) -> Vec<(Prepared, T)> {
        let mut prepared = None;
        queue.work_until(|| {
            prepared = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
            prepared.is_some()
        });
        prepared.expect("the work goes on until it is there")
    }
}

/// Decodes and checks one block.
pub(super) fn prepare(bytes: Vec<u8>, params: &ChainParams) -> Prepared {
    match Block::try_decode(bytes) {
        Err((_, bytes)) => Prepared::Undecodable(bytes),
        Ok(block) => {
            let hash = block.hash();
            match check_block(Arc::new(block), &params.consensus) {
                Ok(checked) => Prepared::Checked(checked),
                Err(error) => Prepared::Invalid(hash, error),
            }
        }
    }
}
