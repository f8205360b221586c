//! Reads the file, one entry after the other.

use std::fs::File;
use std::io::{self, Read};
use std::iter::FusedIterator;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitcoin::Txid;
use bitcoin::hashes::Hash;

use super::stream::Stream;
use super::{
    MempoolFileEntry, MempoolFileError, MempoolFileTransaction, ObfuscationKey, VERSION_WITH_KEY, VERSION_WITHOUT_KEY,
};
use crate::primitives::{DecodeError, Transaction};
use crate::serialize::Reader;
use crate::store::StoreError;
use crate::validation::MAX_BLOCK_WEIGHT;

/// The first try to decode a transaction looks at so many bytes; whenever they are too few, at twice as many.
const FIRST_TRY: usize = 1 << 12;
/// No transaction that fits into a block has more bytes.
const MAX_TRANSACTION_SIZE: usize = MAX_BLOCK_WEIGHT;
/// A compact size has at most so many bytes.
const MAX_COMPACT_SIZE: usize = 9;

/// What follows in the file.
#[derive(Debug, Clone, Copy)]
enum Section {
    /// So many transactions.
    Transactions(u64),
    /// So many deltas.
    Deltas(u64),
    /// So many unbroadcast transactions.
    Unbroadcast(u64),
    /// Nothing; whatever else the file holds is not looked at, as Core does not.
    End,
}

/// Reads the entries of a file in their order.
///
/// It holds one transaction and a buffer in memory, whatever the file claims. After an error it ends; what it gave before is
/// whole.
#[derive(Debug)]
pub struct MempoolFileReader<R = File> {
    stream: Stream<R>,
    /// For messages.
    path: PathBuf,
    section: Section,
    transactions_claimed: u64,
}

impl MempoolFileReader {
    /// Opens a file and reads what comes before its first entry.
    ///
    /// # Errors
    ///
    /// When there is none ([`MempoolFileError::is_not_found`]), when it cannot be read, or is of no format that is known.
    pub fn open(path: &Path) -> Result<Self, MempoolFileError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        Self::new(file, path)
    }
}

impl<R: Read> MempoolFileReader<R> {
    /// Reads from `input`; `path` is for messages.
    pub(super) fn new(input: R, path: &Path) -> Result<Self, MempoolFileError> {
        let mut reader =
            Self { stream: Stream::new(input), path: path.to_owned(), section: Section::End, transactions_claimed: 0 };
        match u64::from_le_bytes(reader.array("the version")?) {
            VERSION_WITHOUT_KEY => {}
            VERSION_WITH_KEY => {
                let [size] = reader.array("the key")?;
                if size != 8 {
                    return Err(MempoolFileError::KeySize { got: size });
                }
                let key = reader.array("the key")?;
                reader.stream.set_key(ObfuscationKey(key));
            }
            got => return Err(MempoolFileError::Version { got }),
        }
        reader.transactions_claimed = u64::from_le_bytes(reader.array("the number of transactions")?);
        reader.section = Section::Transactions(reader.transactions_claimed);
        Ok(reader)
    }

    /// How many transactions the file says it holds: for progress only, because a damaged one may say anything.
    #[must_use]
    pub fn transactions_claimed(&self) -> u64 {
        self.transactions_claimed
    }

    fn read_entry(&mut self) -> Result<Option<MempoolFileEntry>, MempoolFileError> {
        loop {
            match self.section {
                Section::Transactions(0) => self.section = Section::Deltas(self.count("deltas")?),
                Section::Deltas(0) => self.section = Section::Unbroadcast(self.count("unbroadcast transactions")?),
                Section::Unbroadcast(0) | Section::End => return Ok(None),
                Section::Transactions(left) => {
                    self.section = Section::Transactions(left - 1);
                    return self.transaction().map(MempoolFileEntry::Transaction).map(Some);
                }
                Section::Deltas(left) => {
                    self.section = Section::Deltas(left - 1);
                    let txid = self.txid("a delta")?;
                    let fee_delta = i64::from_le_bytes(self.array("a delta")?);
                    return Ok(Some(MempoolFileEntry::Delta { txid, fee_delta }));
                }
                Section::Unbroadcast(left) => {
                    self.section = Section::Unbroadcast(left - 1);
                    let txid = self.txid("an unbroadcast transaction")?;
                    return Ok(Some(MempoolFileEntry::Unbroadcast { txid }));
                }
            }
        }
    }

    fn transaction(&mut self) -> Result<MempoolFileTransaction, MempoolFileError> {
        let what = "a transaction";
        let transaction = self.decode_transaction()?;
        let time = i64::from_le_bytes(self.array(what)?);
        let fee_delta = i64::from_le_bytes(self.array(what)?);
        Ok(MempoolFileTransaction { transaction: Arc::new(transaction), time, fee_delta })
    }

    /// Where a transaction ends is known when it is decoded, so that is tried with ever more bytes.
    fn decode_transaction(&mut self) -> Result<Transaction, MempoolFileError> {
        let mut size = FIRST_TRY;
        loop {
            let has_more = self.fill(size)?;
            let offset = self.stream.offset();
            let bytes = self.stream.buffered();
            match Transaction::decode_prefix(&bytes[..bytes.len().min(size)]) {
                Ok((transaction, size)) => {
                    self.stream.consume(size);
                    return Ok(transaction);
                }
                Err(DecodeError::EndOfData { .. }) if !has_more => return Err(self.truncated("a transaction")),
                Err(DecodeError::EndOfData { .. }) if size == MAX_TRANSACTION_SIZE => {
                    return Err(MempoolFileError::TransactionTooLarge { offset });
                }
                Err(DecodeError::EndOfData { .. }) => size = (2 * size).min(MAX_TRANSACTION_SIZE),
                Err(source) => return Err(MempoolFileError::Transaction { offset, source }),
            }
        }
    }

    /// A number of entries that follow.
    fn count(&mut self, what: &'static str) -> Result<u64, MempoolFileError> {
        self.fill(MAX_COMPACT_SIZE)?;
        let offset = self.stream.offset();
        let bytes = self.stream.buffered();
        let bytes = &bytes[..bytes.len().min(MAX_COMPACT_SIZE)];
        let mut reader = Reader::new(bytes).expect("a few bytes");
        match reader.compact_size() {
            Ok(count) => {
                let used = bytes.len() - reader.remaining();
                self.stream.consume(used);
                Ok(count as u64)
            }
            Err(DecodeError::EndOfData { .. }) => Err(self.truncated(what)),
            Err(source) => Err(MempoolFileError::Count { what, offset, source }),
        }
    }

    fn txid(&mut self, what: &'static str) -> Result<Txid, MempoolFileError> {
        Ok(Txid::from_byte_array(self.array(what)?))
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], MempoolFileError> {
        let bytes = self.stream.array().map_err(|error| self.failed(error))?;
        bytes.ok_or_else(|| self.truncated(what))
    }

    fn fill(&mut self, wanted: usize) -> Result<bool, MempoolFileError> {
        self.stream.fill(wanted).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> MempoolFileError {
        StoreError::io("read", &self.path)(error).into()
    }

    /// To be called when all that is left is in the buffer.
    fn truncated(&self, what: &'static str) -> MempoolFileError {
        let offset = self.stream.offset() + self.stream.buffered().len() as u64;
        MempoolFileError::Truncated { offset, what }
    }
}

impl<R: Read> Iterator for MempoolFileReader<R> {
    type Item = Result<MempoolFileEntry, MempoolFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.read_entry().transpose();
        if !matches!(entry, Some(Ok(_))) {
            self.section = Section::End;
        }
        entry
    }
}

impl<R: Read> FusedIterator for MempoolFileReader<R> {}
