//! A block without the transactions that the receiver is likely to have.

use bitcoin::BlockHash;
use bitcoin::block::Header;

use super::{CompactBlockError, SHORT_ID_SIZE, ShortId, ShortIdKey};
use crate::primitives::{
    Block, HEADER_SIZE, TransactionRef, decode_header, hash_header, header_bytes, take_transaction,
};
use crate::serialize::{Reader, append_compact_size};

/// The most transactions of a block that has a compact form: the indexes by which the missing ones are asked for have 16 bits
/// (Core: `indexes overflowed 16 bits`, `blockencodings.h`). A valid block has far fewer, for each weighs 240 units or more.
pub const MAX_COMPACT_BLOCK_TRANSACTIONS: usize = 65_535;

/// Size of a transaction that is carried, at least, in bytes: its index; version, no inputs, no outputs, lock time.
const MIN_PREFILLED_SIZE: usize = 11;

/// A block by the short ids of its transactions, with some of them in full (Core: `CBlockHeaderAndShortTxIDs`,
/// `blockencodings.h`).
///
/// Every place of the block has either a short id or a transaction. Nothing else about it was checked, not even the header's
/// work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactBlock {
    pub(super) header: Header,
    pub(super) hash: BlockHash,
    /// What makes the key of the short ids another one for each sender.
    pub(super) nonce: u64,
    /// Of all transactions that are not carried, in the order of the block.
    pub(super) short_ids: Vec<ShortId>,
    /// In the order of the block.
    pub(super) prefilled: Vec<PrefilledTransaction>,
}

/// A transaction that a compact block carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefilledTransaction {
    /// Its place in the block, from 0.
    pub index: u16,
    /// The serialized transaction, with its witness.
    pub bytes: Vec<u8>,
}

impl CompactBlock {
    /// The compact form of a block: its coinbase in full, everything else by its short id (Core:
    /// `CBlockHeaderAndShortTxIDs`).
    ///
    /// `nonce` should be random: whoever can foresee it can make transactions whose short ids are equal.
    ///
    /// # Errors
    ///
    /// When the block has no transactions, or more than [`MAX_COMPACT_BLOCK_TRANSACTIONS`]. No valid block has.
    pub fn new(block: &Block, nonce: u64) -> Result<Self, CompactBlockError> {
        check_count(block.transactions().len())?;
        let key = ShortIdKey::new(block.header(), nonce);
        let coinbase = block.transaction(0).filter(|tx| tx.is_coinbase());
        let prefilled = coinbase.map(|tx| PrefilledTransaction { index: 0, bytes: tx.bytes().to_vec() });
        let prefilled: Vec<_> = prefilled.into_iter().collect();
        let named = block.transactions().skip(prefilled.len());
        let short_ids = named.map(TransactionRef::wtxid).map(|wtxid| key.short_id(&wtxid)).collect();
        Ok(Self { header: *block.header(), hash: block.hash(), nonce, short_ids, prefilled })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Hash of the header.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.hash
    }

    /// What the key of the short ids is made of, beside the header.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// The short ids of the transactions that are not carried, in the order of the block.
    #[must_use]
    pub fn short_ids(&self) -> &[ShortId] {
        &self.short_ids
    }

    /// The transactions that are carried, in the order of the block.
    #[must_use]
    pub fn prefilled(&self) -> &[PrefilledTransaction] {
        &self.prefilled
    }

    /// Number of transactions of the block (Core: `BlockTxCount`).
    #[must_use]
    pub fn transaction_count(&self) -> usize {
        self.short_ids.len() + self.prefilled.len()
    }

    /// The serialized form (BIP152, "`HeaderAndShortIDs`"): header, nonce (8 bytes little-endian), short ids behind their
    /// number, transactions behind theirs; before each transaction the number of places between it and the one before.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let carried: usize = self.prefilled.iter().map(|prefilled| prefilled.bytes.len() + 3).sum();
        let mut bytes = Vec::with_capacity(HEADER_SIZE + 8 + 6 + self.short_ids.len() * SHORT_ID_SIZE + carried);
        bytes.extend(header_bytes(&self.header));
        bytes.extend(self.nonce.to_le_bytes());
        append_compact_size(&mut bytes, self.short_ids.len());
        for id in &self.short_ids {
            bytes.extend(id.0);
        }
        append_compact_size(&mut bytes, self.prefilled.len());
        let mut next = 0;
        for prefilled in &self.prefilled {
            let index = usize::from(prefilled.index);
            append_compact_size(&mut bytes, index - next);
            bytes.extend(&prefilled.bytes);
            next = index + 1;
        }
        bytes
    }

    /// Decodes exactly one compact block.
    ///
    /// Memory is at most five bytes for each byte of input, reached by one transaction of nothing but empty outputs.
    ///
    /// # Errors
    ///
    /// When Core would refuse the bytes, as it reads them or as it starts to put the block together.
    pub fn decode(bytes: &[u8]) -> Result<Self, CompactBlockError> {
        let mut reader = Reader::new(bytes)?;
        let header: &[u8; HEADER_SIZE] = reader.take(HEADER_SIZE)?.try_into().expect("as many bytes as asked for");
        let hash = hash_header(header);
        let header = decode_header(header);
        let nonce = u64::from_le_bytes(reader.take(8)?.try_into().expect("as many bytes as asked for"));
        let short_ids = read_short_ids(&mut reader)?;
        let prefilled = read_prefilled(bytes, &mut reader, short_ids.len())?;
        reader.finish()?;
        check_count(short_ids.len() + prefilled.len())?;
        if header.bits.to_consensus() == 0 {
            return Err(CompactBlockError::NullHeader);
        }
        Ok(Self { header, hash, nonce, short_ids, prefilled })
    }
}

fn read_short_ids(reader: &mut Reader<'_>) -> Result<Vec<ShortId>, CompactBlockError> {
    let count = reader.compact_size()?;
    if count > MAX_COMPACT_BLOCK_TRANSACTIONS {
        return Err(CompactBlockError::TooManyTransactions { got: count });
    }
    let ids = reader.take(count * SHORT_ID_SIZE)?.chunks_exact(SHORT_ID_SIZE);
    Ok(ids.map(|id| ShortId(id.try_into().expect("chunks of this size"))).collect())
}

/// Reads the transactions that are carried beside `short_ids` ids.
fn read_prefilled(
    bytes: &[u8],
    reader: &mut Reader<'_>,
    short_ids: usize,
) -> Result<Vec<PrefilledTransaction>, CompactBlockError> {
    let count = reader.compact_size()?;
    if short_ids + count > MAX_COMPACT_BLOCK_TRANSACTIONS {
        return Err(CompactBlockError::TooManyTransactions { got: short_ids + count });
    }
    // What the count claims, but no more than could follow.
    let mut prefilled = Vec::with_capacity(count.min(reader.remaining() / MIN_PREFILLED_SIZE));
    let mut next = 0;
    for before in 0..count {
        let got = next + reader.compact_size()?;
        // A place further on would have neither an id nor a transaction.
        let limit = short_ids + before;
        let index = u16::try_from(got).ok().filter(|_| got <= limit);
        let index = index.ok_or(CompactBlockError::PrefilledBeyondEnd { got, limit })?;
        prefilled.push(PrefilledTransaction { index, bytes: take_transaction(bytes, reader)?.to_vec() });
        next = got + 1;
    }
    Ok(prefilled)
}

fn check_count(count: usize) -> Result<(), CompactBlockError> {
    match count {
        0 => Err(CompactBlockError::NoTransactions),
        1..=MAX_COMPACT_BLOCK_TRANSACTIONS => Ok(()),
        got => Err(CompactBlockError::TooManyTransactions { got }),
    }
}
