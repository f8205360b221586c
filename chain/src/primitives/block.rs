//! A block with its bytes.

use bitcoin::BlockHash;
use bitcoin::block::Header;

use super::layout::{self, Fields, TransactionLayout};
use super::{HEADER_SIZE, TransactionRef, WITNESS_SCALE_FACTOR, decode_header, hash_header};
use crate::serialize::{DecodeError, Reader, compact_size};

/// Size of the smallest transaction, in bytes: version, no inputs, no outputs, lock time.
const MIN_TRANSACTION_SIZE: usize = 10;

/// A decoded block: its bytes, its hashes, and where its fields lie. No rule was checked yet.
///
/// All inputs and all outputs stand in one array each, so a block is four buffers however many transactions it has.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    bytes: Vec<u8>,
    header: Header,
    hash: BlockHash,
    transactions: Vec<TransactionLayout>,
    fields: Fields,
}

impl Block {
    /// Decodes exactly one block: header, count, transactions.
    ///
    /// Memory beyond `bytes` itself is at most twelve bytes for each byte of input, reached by transactions that have
    /// neither inputs nor outputs; real blocks take about one byte for each two.
    ///
    /// # Errors
    ///
    /// When Core's deserializer would refuse the bytes, or when some are left over.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        Self::try_decode(bytes).map_err(|(error, _)| error)
    }

    /// The same, and gives the bytes back when they are no block.
    ///
    /// # Errors
    ///
    /// As [`Block::decode`].
    pub fn try_decode(bytes: Vec<u8>) -> Result<Self, (DecodeError, Vec<u8>)> {
        match Self::read(&bytes) {
            Ok((header, hash, transactions, fields)) => Ok(Self { bytes, header, hash, transactions, fields }),
            Err(error) => Err((error, bytes)),
        }
    }

    fn read(bytes: &[u8]) -> Result<(Header, BlockHash, Vec<TransactionLayout>, Fields), DecodeError> {
        let mut reader = Reader::new(bytes)?;
        let header: &[u8; HEADER_SIZE] = reader.take(HEADER_SIZE)?.try_into().expect("as many bytes as asked for");
        let hash = hash_header(header);
        let header = decode_header(header);
        let count = reader.compact_size()?;
        // What the count claims, but no more than could follow.
        let mut transactions = Vec::with_capacity(count.min(reader.remaining() / MIN_TRANSACTION_SIZE));
        let mut fields = Fields::default();
        for _ in 0..count {
            transactions.push(layout::read_transaction(bytes, &mut reader, &mut fields)?);
        }
        reader.finish()?;
        Ok((header, hash, transactions, fields))
    }

    /// The serialized block, with witnesses.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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

    /// The transactions in order.
    #[must_use]
    pub fn transactions(&self) -> impl ExactSizeIterator<Item = TransactionRef<'_>> + Clone {
        self.transactions.iter().map(|layout| TransactionRef::new(&self.bytes, layout, &self.fields))
    }

    /// The transaction at `index`, if there is one; the coinbase of a valid block has index 0.
    #[must_use]
    pub fn transaction(&self, index: usize) -> Option<TransactionRef<'_>> {
        self.transactions.get(index).map(|layout| TransactionRef::new(&self.bytes, layout, &self.fields))
    }

    /// Size in bytes, witnesses included.
    #[must_use]
    pub fn total_size(&self) -> usize {
        self.bytes.len()
    }

    /// Size in bytes without witnesses.
    #[must_use]
    pub fn stripped_size(&self) -> usize {
        let (_, count_size) = compact_size(self.transactions.len());
        HEADER_SIZE + count_size + self.transactions().map(TransactionRef::stripped_size).sum::<usize>()
    }

    /// Weight units: three times the stripped size plus the total size (BIP141).
    #[must_use]
    pub fn weight(&self) -> usize {
        self.stripped_size() * (WITNESS_SCALE_FACTOR - 1) + self.total_size()
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Block")
            .field("hash", &self.hash)
            .field("transactions", &self.transactions.len())
            .field("total_size", &self.total_size())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::consensus::encode;
    use proptest::prelude::*;

    fn genesis() -> Vec<u8> {
        encode::serialize(&bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin))
    }

    #[test]
    fn genesis_decodes() {
        let block = Block::decode(genesis()).unwrap();
        assert_eq!(block.hash().to_string(), "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
        assert_eq!(block.header().block_hash(), block.hash());
        assert_eq!((block.total_size(), block.stripped_size(), block.weight()), (285, 285, 1140));
        let coinbase = block.transaction(0).unwrap();
        assert!(coinbase.is_coinbase());
        assert_eq!(coinbase.txid().to_string(), "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
        assert_eq!(coinbase.to_owned().as_ref().bytes(), coinbase.bytes());
    }

    #[test]
    fn a_claimed_count_costs_nothing() {
        let mut bytes = genesis()[..HEADER_SIZE].to_vec();
        bytes.extend([254, 0, 0, 0, 2]); // 2^25 transactions, and no bytes for the first
        assert_eq!(Block::decode(bytes), Err(DecodeError::EndOfData { wanted: 4, offset: 85, left: 0 }));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = Block::decode(bytes);
        }

        #[test]
        fn arbitrary_transaction_bytes_after_a_header_never_panic(tail in prop::collection::vec(0u8..4, 0..300)) {
            let mut bytes = genesis()[..HEADER_SIZE].to_vec();
            bytes.extend(tail);
            if let Ok(block) = Block::decode(bytes.clone()) {
                prop_assert_eq!(block.bytes(), &bytes[..]);
                prop_assert!(block.stripped_size() <= block.total_size());
            }
        }
    }
}
