//! The index as it is stored: chunks of records, so that an entry costs sled next to nothing.
//!
//! A chunk is a format byte and up to [`RECORDS_PER_CHUNK`] records of [`RECORD_SIZE`] bytes, in the order of the index:
//!
//! | bytes | field |
//! |---|---|
//! | 80 | header, as Bitcoin serializes it |
//! | 1 | status |
//! | 4 | transactions |
//! | 4, 4, 4, 4 | body: number of the file, offset, length, CRC-32 |
//! | 4, 4, 4 | undo data: offset, length, CRC-32, in the file of the same number |
//!
//! All integers are little-endian.

use bitcoin::BlockHash;
use bitcoin::block::Header;

use super::entry::UndoPosition;
use super::{BlockId, BlockIndex, BlockStatus, RecordPosition, StoreError};
use crate::primitives::{HEADER_SIZE, decode_header, hash_header, header_bytes};
use crate::store::codec::StoredReader;
use crate::store::numbered_key;

/// Records of a chunk: few enough that changing one rewrites little, many enough that all are read fast.
pub(crate) const RECORDS_PER_CHUNK: u32 = 64;
/// First byte of the key of a chunk; its number follows (4 bytes big-endian).
pub(crate) const CHUNK_PREFIX: u8 = b'b';

const FORMAT: u8 = 1;
const RECORD_SIZE: usize = HEADER_SIZE + 1 + 4 + 16 + 12;
const WHAT: &str = "the block index";

/// The key of a chunk.
pub(crate) fn chunk_key(chunk: u32) -> [u8; 5] {
    numbered_key(CHUNK_PREFIX, chunk)
}

/// The number of the chunk with a key.
pub(crate) fn chunk_number(key: &[u8]) -> Result<u32, StoreError> {
    let mut reader = StoredReader::new(key, WHAT);
    reader.u8()?;
    Ok(u32::from_be_bytes(reader.array()?))
}

impl BlockIndex {
    /// The stored form of a chunk.
    pub(super) fn encode_chunk(&self, chunk: u32) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        let first = (chunk * RECORDS_PER_CHUNK) as usize;
        let last = (first + RECORDS_PER_CHUNK as usize).min(self.entries.len());
        for (id, entry) in (chunk * RECORDS_PER_CHUNK..).map(BlockId).zip(&self.entries[first..last]) {
            bytes.extend_from_slice(&header_bytes(&self.header(id)));
            bytes.push(entry.status.bits());
            let RecordPosition { file, offset, length, checksum } = entry.body;
            let UndoPosition { offset: undo_offset, length: undo_length, checksum: undo_checksum } = entry.undo;
            for field in [entry.transactions, file, offset, length, checksum, undo_offset, undo_length, undo_checksum] {
                bytes.extend_from_slice(&field.to_le_bytes());
            }
        }
        bytes
    }

    /// Reads the next chunk of an index, which is made with the first; `capacity` entries are expected in all.
    pub(crate) fn read_chunk(
        index: &mut Option<Self>,
        chunk: &[u8],
        genesis: BlockHash,
        capacity: usize,
    ) -> Result<(), StoreError> {
        let mut reader = StoredReader::new(chunk, WHAT);
        let format = reader.u8()?;
        if format != FORMAT {
            return Err(reader.damaged(format!("expected format {FORMAT}, got {format}")));
        }
        while !reader.is_empty() {
            let bytes: [u8; HEADER_SIZE] = reader.array()?;
            let (header, hash) = (decode_header(&bytes), hash_header(&bytes));
            let id = match index {
                Some(index) => index.push_stored(&header, hash, &reader)?,
                None if hash == genesis => {
                    let index = index.insert(Self::new(&header, hash));
                    index.entries.reserve_exact(capacity);
                    BlockId::GENESIS
                }
                None => return Err(reader.damaged(format!("expected to begin with {genesis}, got {hash}"))),
            };
            let index = index.as_mut().expect("made before the first record was read");
            index.read_record(id, &mut reader)?;
        }
        Ok(())
    }

    fn push_stored(
        &mut self,
        header: &Header,
        hash: BlockHash,
        reader: &StoredReader<'_>,
    ) -> Result<BlockId, StoreError> {
        let last = BlockId(u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 headers"));
        let parent =
            if self[last].hash == header.prev_blockhash { Some(last) } else { self.find(&header.prev_blockhash) };
        let parent = parent.ok_or_else(|| reader.damaged(format!("{hash} comes before its parent")))?;
        Ok(self.push(header, hash, Some(parent)))
    }

    fn read_record(&mut self, id: BlockId, reader: &mut StoredReader<'_>) -> Result<(), StoreError> {
        let status = reader.u8()?;
        let status =
            BlockStatus::from_bits(status).ok_or_else(|| reader.damaged(format!("a status of {status:#x}")))?;
        let transactions = reader.u32()?;
        let body = RecordPosition {
            file: reader.u32()?,
            offset: reader.u32()?,
            length: reader.u32()?,
            checksum: reader.u32()?,
        };
        let undo = UndoPosition { offset: reader.u32()?, length: reader.u32()?, checksum: reader.u32()? };
        let parent = self[id].parent;
        let below =
            if self[id].is_genesis() { Some(0) } else { Some(self[parent].chain_transactions).filter(|&n| n > 0) };
        let on_failed = !self[id].is_genesis() && self[parent].status.contains(BlockStatus::FAILED);
        let entry = self.volatile_mut(id);
        entry.status = status;
        // A crash may have come between the records of a block and those of the blocks on top of it.
        entry.status.set(BlockStatus::FAILED, status.contains(BlockStatus::FAILED) || on_failed);
        entry.transactions = transactions;
        entry.chain_transactions = match below {
            Some(below) if transactions > 0 => below + u64::from(transactions),
            _ => 0,
        };
        entry.body = body;
        entry.undo = undo;
        Ok(())
    }
}

const _: () = assert!(RECORD_SIZE * (RECORDS_PER_CHUNK as usize) < crate::store::MAX_VALUE_SIZE);
