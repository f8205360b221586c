//! Transactions of a block by their places in it (BIP152).

use std::time::Duration;

use bitcoin::BlockHash;

use super::frame::{FOUND, Frame, FrameError, MISSING, Reader, encode_count, encode_sized_bytes};
use super::{Exchange, MAX_BLOCK_SIZE};

/// The most transactions of a block that one request asks for: all that a compact block has (Core: `indexes overflowed 16
/// bits`, `blockencodings.h`).
pub const MAX_BLOCK_TRANSACTIONS_TO_REQUEST: usize = 65_535;

/// The most bytes of transactions in one response: as many as a block has.
pub const MAX_BLOCK_TRANSACTIONS_RESPONSE_BYTES: usize = MAX_BLOCK_SIZE;

/// Asks for transactions of a block (Core: `getblocktxn`, `BlockTransactionsRequest`, `blockencodings.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockTransactionsRequest {
    /// Hash of the block.
    pub hash: BlockHash,
    /// Places in the block, from 0, ascending: at least one, at most [`MAX_BLOCK_TRANSACTIONS_TO_REQUEST`].
    pub indexes: Vec<u16>,
}

impl BlockTransactionsRequest {
    /// Checks that it asks for something, and for nothing twice.
    ///
    /// # Errors
    ///
    /// When there are no indexes, too many, or two that do not ascend.
    pub fn check(&self) -> Result<(), FrameError> {
        let got = self.indexes.len();
        if got == 0 {
            return Err(FrameError::Empty { what: "indexes" });
        }
        if got > MAX_BLOCK_TRANSACTIONS_TO_REQUEST {
            return Err(FrameError::TooMany { what: "indexes", got, limit: MAX_BLOCK_TRANSACTIONS_TO_REQUEST });
        }
        match self.indexes.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(FrameError::NotAscending { what: "indexes", got: pair[1], before: pair[0] }),
            None => Ok(()),
        }
    }
}

impl Frame for BlockTransactionsRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(34 + 2 * self.indexes.len());
        out.extend_from_slice(self.hash.as_ref());
        encode_count(self.indexes.len(), out);
        for index in &self.indexes {
            out.extend_from_slice(&index.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let hash = reader.hash()?;
        let count = reader.count("indexes", MAX_BLOCK_TRANSACTIONS_TO_REQUEST, 2)?;
        let indexes = (0..count).map(|_| reader.u16()).collect::<Result<_, _>>()?;
        reader.finish()?;
        let request = Self { hash, indexes };
        request.check()?;
        Ok(request)
    }
}

/// The transactions that were asked for, if the block is there (Core: `blocktxn`, `BlockTransactions`, `blockencodings.h`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockTransactionsResponse {
    /// Each transaction's bytes, with its witness, in the order of the request, all of them; `None` when the block is not
    /// there, lies too far below the tip, or has no transaction at one of the places.
    pub transactions: Option<Vec<Vec<u8>>>,
}

impl Frame for BlockTransactionsResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        let Some(transactions) = &self.transactions else {
            out.push(MISSING);
            return;
        };
        out.reserve(3 + transactions.iter().map(|transaction| 4 + transaction.len()).sum::<usize>());
        out.push(FOUND);
        encode_count(transactions.len(), out);
        for transaction in transactions {
            encode_sized_bytes(transaction, out);
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        if !reader.is_found("block")? {
            reader.finish()?;
            return Ok(Self { transactions: None });
        }
        let count = reader.count("transactions", MAX_BLOCK_TRANSACTIONS_TO_REQUEST, 4)?;
        if count == 0 {
            return Err(FrameError::Empty { what: "transactions" });
        }
        let mut transactions = Vec::with_capacity(count);
        let mut left = MAX_BLOCK_TRANSACTIONS_RESPONSE_BYTES;
        for _ in 0..count {
            let transaction = reader.sized_bytes(left)?;
            left -= transaction.len();
            transactions.push(transaction);
        }
        reader.finish()?;
        Ok(Self { transactions: Some(transactions) })
    }
}

/// The protocol `blocktxs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockTransactions;

impl Exchange for BlockTransactions {
    type Request = BlockTransactionsRequest;
    type Response = BlockTransactionsResponse;

    const NAME: &'static str = "blocktxs";
    const VERSION: u32 = 1;
    const MAX_REQUEST_SIZE: usize = 32 + 2 + 2 * MAX_BLOCK_TRANSACTIONS_TO_REQUEST;
    const MAX_RESPONSE_SIZE: usize =
        1 + 2 + 4 * MAX_BLOCK_TRANSACTIONS_TO_REQUEST + MAX_BLOCK_TRANSACTIONS_RESPONSE_BYTES;
    const TIMEOUT: Duration = Duration::from_secs(10);
    const MAX_IN_FLIGHT: usize = 3;
}
