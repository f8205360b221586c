//! Every header that was accepted, and what is known of its block (Core: `CBlockIndex`, `chain.h`, and `m_block_index`,
//! `node/blockstorage.h`).
//!
//! Entries stand in one array in the order in which they arrived, a parent before its children, and are never removed. A table
//! of places finds them by hash; each knows its parent and one far ancestor, so any ancestor is found in a number of steps that
//! grows with the logarithm of the height.

mod ancestry;
mod entry;
mod records;

use std::collections::BTreeSet;

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget};
use hashbrown::HashTable;

use crate::pow::Work;
use crate::store::{RecordPosition, StoreError};
pub(crate) use ancestry::{ActiveChain, ChainView};
pub(crate) use entry::{BlockId, BlockIndexEntry, BlockStatus};
pub(crate) use records::{CHUNK_PREFIX, RECORDS_PER_CHUNK, chunk_key, chunk_number};

/// All entries.
#[derive(Debug)]
pub(crate) struct BlockIndex {
    entries: Vec<BlockIndexEntry>,
    table: HashTable<u32>,
    /// Chunks of records with entries that changed since they were written.
    dirty: BTreeSet<u32>,
    /// The valid header with the most work, the first of them (Core: `m_best_header`).
    best_header: BlockId,
    /// The target that was turned into work last: most blocks have the one of the block before.
    last_work: (CompactTarget, Work),
}

impl BlockIndex {
    /// An index of nothing but genesis.
    pub(crate) fn new(genesis: &Header, hash: BlockHash) -> Self {
        let mut index = Self {
            entries: Vec::new(),
            table: HashTable::new(),
            dirty: BTreeSet::new(),
            best_header: BlockId::GENESIS,
            last_work: (CompactTarget::from_consensus(0), Work::ZERO),
        };
        index.push(genesis, hash, None);
        index
    }

    /// Number of entries.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, a parent before its children.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (BlockId, &BlockIndexEntry)> {
        (0..).map(BlockId).zip(&self.entries)
    }

    /// The place of a block.
    pub(crate) fn find(&self, hash: &BlockHash) -> Option<BlockId> {
        self.table.find(table_hash(hash), |&place| self.entries[place as usize].hash == *hash).copied().map(BlockId)
    }

    /// Adds a header on top of `parent`.
    pub(crate) fn insert(&mut self, header: &Header, hash: BlockHash, parent: BlockId) -> BlockId {
        let id = self.push(header, hash, Some(parent));
        self.mark_dirty(id);
        if self[id].work > self[self.best_header].work {
            self.best_header = id;
        }
        id
    }

    fn push(&mut self, header: &Header, hash: BlockHash, parent: Option<BlockId>) -> BlockId {
        let id = BlockId(u32::try_from(self.entries.len()).expect("fewer than 2^32 headers"));
        if self.last_work.0 != header.bits {
            self.last_work = (header.bits, Work::from_compact(header.bits));
        }
        let mut entry = BlockIndexEntry::new(header, hash, self.last_work.1);
        if let Some(parent) = parent {
            let below = &self[parent];
            entry.height = below.height + 1;
            entry.work += below.work;
            entry.parent = parent;
            entry.skip = self.ancestor(parent, ancestry::skip_height(entry.height));
        }
        self.entries.push(entry);
        self.table.insert_unique(table_hash(&hash), id.0, |&place| table_hash(&self.entries[place as usize].hash));
        id
    }

    /// The entry, to be changed and written again.
    pub(crate) fn entry_mut(&mut self, id: BlockId) -> &mut BlockIndexEntry {
        self.mark_dirty(id);
        &mut self.entries[id.index()]
    }

    /// The entry, to change what is not written.
    pub(crate) fn volatile_mut(&mut self, id: BlockId) -> &mut BlockIndexEntry {
        &mut self.entries[id.index()]
    }

    fn mark_dirty(&mut self, id: BlockId) {
        self.dirty.insert(id.0 / RECORDS_PER_CHUNK);
    }

    /// The valid header with the most work.
    pub(crate) fn best_header(&self) -> BlockId {
        self.best_header
    }

    /// Looks for the valid header with the most work again.
    pub(crate) fn recompute_best_header(&mut self) {
        let valid = self.iter().filter(|(_, entry)| !entry.status.contains(BlockStatus::FAILED));
        let best =
            valid.fold(BlockId::GENESIS, |best, (id, entry)| if entry.work > self[best].work { id } else { best });
        self.best_header = best;
    }

    /// Marks a block and everything on top of it as invalid, and returns what was marked (Core: `SetBlockFailureFlags`).
    pub(crate) fn mark_failed(&mut self, id: BlockId) -> Vec<BlockId> {
        let mut marked = Vec::new();
        // What is on top of a block came after it.
        for place in id.0..u32::try_from(self.entries.len()).expect("fewer than 2^32 headers") {
            let this = BlockId(place);
            let entry = &self[this];
            let failed = entry.status.contains(BlockStatus::FAILED);
            let on_failed = || entry.height > 0 && self[entry.parent].status.contains(BlockStatus::FAILED);
            if !failed && (this == id || on_failed()) {
                self.entry_mut(this).status.insert(BlockStatus::FAILED);
                marked.push(this);
            }
        }
        if self[self.best_header].status.contains(BlockStatus::FAILED) {
            self.recompute_best_header();
        }
        marked
    }

    /// Takes the mark of invalidity from a block, from all blocks on top of it and from all below it (Core:
    /// `ResetBlockFailureFlags`).
    pub(crate) fn unmark_failed(&mut self, id: BlockId) {
        let height = self[id].height;
        let related: Vec<BlockId> = self
            .iter()
            .filter(|(_, entry)| entry.status.contains(BlockStatus::FAILED))
            .filter(|(other, entry)| {
                self.ancestor(*other, entry.height.min(height)) == self.ancestor(id, entry.height.min(height))
            })
            .map(|(other, _)| other)
            .collect();
        for other in related {
            self.entry_mut(other).status.remove(BlockStatus::FAILED);
        }
        self.recompute_best_header();
    }

    /// The stored form of everything that changed since the last call, and the keys to store it under.
    pub(crate) fn take_dirty(&mut self) -> Vec<([u8; 5], Vec<u8>)> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().map(|chunk| (records::chunk_key(chunk), self.encode_chunk(chunk))).collect()
    }

    /// Where the body of a block is.
    pub(crate) fn body(&self, id: BlockId) -> Option<RecordPosition> {
        let entry = &self[id];
        entry.status.contains(BlockStatus::HAVE_DATA).then_some(entry.body)
    }

    /// Where the undo data of a block are.
    pub(crate) fn undo(&self, id: BlockId) -> Option<RecordPosition> {
        let entry = &self[id];
        let undo = entry.undo;
        entry.status.contains(BlockStatus::HAVE_UNDO).then_some(RecordPosition {
            file: entry.body.file,
            offset: undo.offset,
            length: undo.length,
            checksum: undo.checksum,
        })
    }
}

impl std::ops::Index<BlockId> for BlockIndex {
    type Output = BlockIndexEntry;

    fn index(&self, id: BlockId) -> &BlockIndexEntry {
        &self.entries[id.index()]
    }
}

/// Hashes of blocks are hard to make and their first bytes random, so those will do.
fn table_hash(hash: &BlockHash) -> u64 {
    let first = hash.as_byte_array()[..8].try_into().expect("eight of 32 bytes");
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests;
