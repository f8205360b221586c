//! Transactions by wtxid.

use std::time::Duration;

use bitcoin::Wtxid;

use super::Exchange;
use super::frame::{FOUND_OVERHEAD, Frame, FrameError, Reader, decode_found_list, encode_found_list, encode_hashes};

/// The most transactions that one request asks for (Core: `MAX_PEER_TX_REQUEST_IN_FLIGHT`, `node/txdownloadman.h`).
pub const MAX_TRANSACTIONS_TO_REQUEST: usize = 100;

/// The largest transaction that is relayed, in bytes: one without witnesses has no more weight than this (Core:
/// `MAX_STANDARD_TX_WEIGHT`, `policy/policy.h`), and a byte of a witness weighs one unit.
pub const MAX_TRANSACTION_SIZE: usize = 400_000;

/// The most bytes of transactions in one response: as many as the largest message of Core's holds (Core:
/// `MAX_PROTOCOL_MESSAGE_LENGTH`, `net.h`).
pub const MAX_TRANSACTIONS_RESPONSE_BYTES: usize = 4_000_000;

/// Asks for transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionsRequest {
    /// Their wtxids: at least one, at most [`MAX_TRANSACTIONS_TO_REQUEST`].
    pub wtxids: Vec<Wtxid>,
}

impl Frame for TransactionsRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_hashes(&self.wtxids, out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let wtxids = reader.hashes("transactions", MAX_TRANSACTIONS_TO_REQUEST)?;
        reader.finish()?;
        if wtxids.is_empty() {
            return Err(FrameError::Empty { what: "transactions" });
        }
        Ok(Self { wtxids })
    }
}

/// What was found of the transactions that were asked for, in the order of the request.
///
/// It may end before the request does, because of [`MAX_TRANSACTIONS_RESPONSE_BYTES`]: what is missing at the end was not
/// looked for, and may be asked for again. It holds at least one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransactionsResponse {
    /// Each transaction's bytes, or `None` when it is not there (any more).
    pub transactions: Vec<Option<Vec<u8>>>,
}

impl TransactionsResponse {
    /// Adds the answer for the next wtxid, unless the response is full; then it is given back.
    ///
    /// # Errors
    ///
    /// The answer, when it does not fit. The first always fits.
    pub fn push(&mut self, transaction: Option<Vec<u8>>) -> Result<(), Option<Vec<u8>>> {
        let size: usize = self.transactions.iter().flatten().map(Vec::len).sum();
        if size + transaction.as_ref().map_or(0, Vec::len) > MAX_TRANSACTIONS_RESPONSE_BYTES {
            return Err(transaction);
        }
        self.transactions.push(transaction);
        Ok(())
    }
}

impl Frame for TransactionsResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_found_list(&self.transactions, out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let transactions = decode_found_list(bytes, "transactions", MAX_TRANSACTIONS_TO_REQUEST, MAX_TRANSACTION_SIZE)?;
        Ok(Self { transactions })
    }
}

/// The protocol `tx`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transactions;

impl Exchange for Transactions {
    type Request = TransactionsRequest;
    type Response = TransactionsResponse;

    const NAME: &'static str = "tx";
    const VERSION: u32 = 1;
    const MAX_REQUEST_SIZE: usize = 2 + MAX_TRANSACTIONS_TO_REQUEST * 32;
    const MAX_RESPONSE_SIZE: usize = 2 + MAX_TRANSACTIONS_TO_REQUEST * FOUND_OVERHEAD + MAX_TRANSACTIONS_RESPONSE_BYTES;
    /// As long as Core waits for a transaction (Core: `GETDATA_TX_INTERVAL`, `node/txdownloadman.h`).
    const TIMEOUT: Duration = Duration::from_secs(60);
    const MAX_IN_FLIGHT: usize = 1;
}
