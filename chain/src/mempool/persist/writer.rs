//! Writes the file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bitcoin::Txid;
use bitcoin::hashes::Hash;

use super::{MempoolFileError, MempoolFileTransaction, ObfuscationKey, VERSION_WITH_KEY, VERSION_WITHOUT_KEY};
use crate::primitives::Transaction;
use crate::serialize::{append_compact_size, append_with_size};
use crate::store::{StoreError, sync_parent};

/// Writes a pool to `path`, in place of what is there, and returns the size of the file in bytes once it is durable (Core:
/// `DumpMempool`).
///
/// Transactions that spend others' outputs should come after these, in the order in which they could enter a pool. Deltas may
/// include those of the transactions, which are left out. Without a key a file of version 1 is written, which older software
/// can read.
///
/// A file of the same name with ".new" behind is written first, so that there is always a whole one; two calls for the same
/// path must not overlap.
///
/// # Errors
///
/// When a file cannot be written; `path` is then as it was, or, if only its directory could not be synced, replaced but maybe
/// not durable.
pub fn write_mempool_file(
    path: &Path,
    key: Option<ObfuscationKey>,
    transactions: &[MempoolFileTransaction],
    deltas: &BTreeMap<Txid, i64>,
    unbroadcast: &BTreeSet<Txid>,
) -> Result<u64, MempoolFileError> {
    let temporary = temporary_path(path);
    let size = File::create(&temporary)
        .and_then(|file| {
            let mut output = Output { file: BufWriter::new(file), key: None, offset: 0 };
            write_header(&mut output, key)?;
            write_entries(&mut output, transactions, deltas, unbroadcast)?;
            output.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            Ok(output.offset)
        })
        .and_then(|size| fs::rename(&temporary, path).map(|()| size))
        .inspect_err(|_| {
            // It would be overwritten the next time; until then it only takes space, which may be what was missing.
            let _ = fs::remove_file(&temporary);
        })
        .map_err(StoreError::io("write", path))?;
    sync_parent(path)?;
    Ok(size)
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    PathBuf::from(name)
}

/// A file that is written from the start.
struct Output<W> {
    file: W,
    key: Option<ObfuscationKey>,
    offset: u64,
}

impl<W: Write> Output<W> {
    fn put(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        if let Some(key) = self.key {
            key.apply(&mut bytes, self.offset);
        }
        self.offset += bytes.len() as u64;
        self.file.write_all(&bytes)
    }
}

fn write_header(output: &mut Output<impl Write>, key: Option<ObfuscationKey>) -> io::Result<()> {
    let Some(key) = key else { return output.put(VERSION_WITHOUT_KEY.to_le_bytes().to_vec()) };
    let mut bytes = VERSION_WITH_KEY.to_le_bytes().to_vec();
    append_with_size(&mut bytes, &key.0);
    output.put(bytes)?;
    output.key = Some(key);
    Ok(())
}

fn write_entries(
    output: &mut Output<impl Write>,
    transactions: &[MempoolFileTransaction],
    deltas: &BTreeMap<Txid, i64>,
    unbroadcast: &BTreeSet<Txid>,
) -> io::Result<()> {
    let mut deltas = deltas.clone();
    output.put((transactions.len() as u64).to_le_bytes().to_vec())?;
    for MempoolFileTransaction { transaction, time, fee_delta } in transactions {
        let transaction = Transaction::as_ref(transaction);
        deltas.remove(&transaction.txid());
        output.put([transaction.bytes(), &time.to_le_bytes(), &fee_delta.to_le_bytes()].concat())?;
    }
    output.put(count(deltas.len()))?;
    for (txid, fee_delta) in &deltas {
        output.put([&txid.as_byte_array()[..], &fee_delta.to_le_bytes()].concat())?;
    }
    output.put(count(unbroadcast.len()))?;
    for txid in unbroadcast {
        output.put(txid.as_byte_array().to_vec())?;
    }
    Ok(())
}

fn count(entries: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    append_compact_size(&mut bytes, entries);
    bytes
}
