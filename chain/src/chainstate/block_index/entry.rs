//! What is known of one block.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};

use crate::header_chain::HeaderFacts;
use crate::pow::Work;
use crate::store::RecordPosition;

/// The place of a block in the index. Children come after their parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlockId(pub(super) u32);

impl BlockId {
    pub(crate) const GENESIS: Self = Self(0);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

bitflags::bitflags! {
    /// What was found out about a block, and what is kept of it (Core: `BlockStatus`, `chain.h`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct BlockStatus: u8 {
        /// The body obeys every rule that does not need coins (Core: `BLOCK_VALID_TRANSACTIONS`).
        const VALID_TRANSACTIONS = 1;
        /// The block was connected, its scripts included (Core: `BLOCK_VALID_SCRIPTS`).
        const VALID_SCRIPTS = 1 << 1;
        /// The body is on disk (Core: `BLOCK_HAVE_DATA`).
        const HAVE_DATA = 1 << 2;
        /// The undo data are on disk (Core: `BLOCK_HAVE_UNDO`).
        const HAVE_UNDO = 1 << 3;
        /// The block, or one below it, is invalid (Core: `BLOCK_FAILED_VALID`).
        const FAILED = 1 << 4;
    }
}

/// One header, and what is known of its block. The hash of the parent is not here: it is the parent's.
#[derive(Debug, Clone)]
pub(crate) struct BlockIndexEntry {
    pub(crate) hash: BlockHash,
    merkle_root: TxMerkleNode,
    version: Version,
    pub(crate) time: u32,
    bits: CompactTarget,
    nonce: u32,
    /// The block below; genesis is its own.
    pub(crate) parent: BlockId,
    /// An ancestor further down.
    pub(super) skip: BlockId,
    pub(crate) height: u32,
    /// Work of the chain up to this block.
    pub(crate) work: Work,
    pub(crate) status: BlockStatus,
    /// Number of transactions; zero while the body never came.
    pub(crate) transactions: u32,
    /// Number of transactions in the chain up to this block; zero while some body below never came. Not stored.
    pub(crate) chain_transactions: u64,
    /// Order in which blocks of equal work became complete: the lowest wins (Core: `nSequenceId`). Not stored.
    pub(crate) sequence: i32,
    /// Where the body is, if it is kept.
    pub(crate) body: RecordPosition,
    /// Where the undo data are, if they are kept, in the undo file of the same number.
    pub(crate) undo: UndoPosition,
}

/// A record in the undo file that belongs to the block file of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct UndoPosition {
    pub(super) offset: u32,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

impl From<RecordPosition> for UndoPosition {
    fn from(RecordPosition { offset, length, checksum, .. }: RecordPosition) -> Self {
        Self { offset, length, checksum }
    }
}

impl BlockIndexEntry {
    pub(super) fn new(header: &Header, hash: BlockHash, work: Work) -> Self {
        Self {
            hash,
            merkle_root: header.merkle_root,
            version: header.version,
            time: header.time,
            bits: header.bits,
            nonce: header.nonce,
            parent: BlockId::GENESIS,
            skip: BlockId::GENESIS,
            height: 0,
            work,
            status: BlockStatus::empty(),
            transactions: 0,
            chain_transactions: 0,
            sequence: 0,
            body: RecordPosition { file: 0, offset: 0, length: 0, checksum: 0 },
            undo: UndoPosition::default(),
        }
    }

    /// What later headers are judged by.
    pub(crate) fn facts(&self) -> HeaderFacts {
        HeaderFacts { hash: self.hash, time: self.time, bits: self.bits, version: self.version }
    }

    /// The header, given the hash of the parent.
    pub(super) fn header_on(&self, prev_blockhash: BlockHash) -> Header {
        Header {
            version: self.version,
            prev_blockhash,
            merkle_root: self.merkle_root,
            time: self.time,
            bits: self.bits,
            nonce: self.nonce,
        }
    }

    /// Whether this is the first block, on top of none.
    pub(crate) fn is_genesis(&self) -> bool {
        self.height == 0
    }
}

impl super::BlockIndex {
    /// The header of a block.
    pub(crate) fn header(&self, id: BlockId) -> Header {
        let entry = &self[id];
        let parent = if entry.is_genesis() { BlockHash::all_zeros() } else { self[entry.parent].hash };
        entry.header_on(parent)
    }
}
