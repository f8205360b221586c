//! A file of sorted records, and the search in it.
//!
//! Pages of records, all but the last one full, then a trailer: eight bytes that say what it is, the number of the run, how many
//! records there are (eight bytes each, little-endian) and a CRC-32 of all that. A run never changes, so any number of threads
//! read it at the same time.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::IndexError;
use super::TransactionPosition;
use super::page::{PAGE_SIZE, Page, PageBytes, PageNumber, RECORDS_PER_PAGE, page_bytes};
use super::record::Record;
use crate::store::{MIN_DISK_SPACE, StoreError, free_space};

/// Opens the trailer: what the file is, and the version of its format.
const MAGIC: &[u8; 8] = b"txrun\0\0\x01";
const TRAILER_SIZE: usize = 8 + 8 + 8 + 4;
/// Pages that are written, or read in order, at a time.
const PAGES_AT_ONCE: usize = 32;
/// Pages that a search guesses before it halves what is left. Keys are spread evenly, so it never needs that many.
const MAX_GUESSES: u32 = 8;

/// A file of sorted records.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    path: PathBuf,
    number: u64,
    records: u64,
}

/// The file of a run.
pub(super) fn run_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:08}.run"))
}

/// Whether a file is, or was to become, a run.
pub(super) fn is_run(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "run")
}

impl Run {
    /// Opens a run that the manifest names.
    pub(super) fn open(directory: &Path, number: u64, records: u64) -> Result<Self, IndexError> {
        let path = run_path(directory, number);
        let damaged = |detail: String| IndexError::Damaged { path: path.clone(), detail };
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => damaged("the file is missing".to_owned()),
            _ => IndexError::io("open", &path)(error),
        })?;
        let got = file.metadata().map_err(IndexError::io("read", &path))?.len();
        let expected = size_of_run(records);
        if records == 0 || got != expected {
            return Err(damaged(format!("expected {expected} bytes for {records} records, got {got}")));
        }
        let mut trailer = [0; TRAILER_SIZE];
        file.read_exact_at(&mut trailer, pages_of(records) * PAGE_SIZE as u64)
            .map_err(IndexError::io("read", &path))?;
        let expected = trailer_bytes(number, records);
        if trailer != expected {
            return Err(damaged(format!("expected trailer {expected:02x?}, got {trailer:02x?}")));
        }
        Ok(Self { file, path, number, records })
    }

    /// Its number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many records it holds; at least one.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Removes the file. Whoever has it open reads on.
    pub(super) fn remove(&self) -> Result<(), IndexError> {
        fs::remove_file(&self.path).map_err(IndexError::io("remove", &self.path))
    }

    /// Adds the positions under this key.
    pub(super) fn find(&self, key: u64, found: &mut Vec<TransactionPosition>) -> Result<(), IndexError> {
        let mut bytes = [0; PAGE_SIZE];
        let mut number = self.first_page_for(key, &mut bytes)?;
        while number < pages_of(self.records) {
            let page = self.read_page(number, &mut bytes)?;
            found.extend(page.find(key).map(|record| record.position));
            // Records of one key may go on in the next page.
            if page.last_key() > key {
                break;
            }
            number += 1;
        }
        Ok(())
    }

    /// The first page whose last key is not below `key`; the number of pages if there is none.
    ///
    /// What is left to search is the pages from `low` to before `high`, whose keys lie between `low_key` and `high_key`. Since
    /// keys are spread evenly, where `key` lies between those tells where its page lies.
    fn first_page_for(&self, key: u64, bytes: &mut PageBytes) -> Result<u64, IndexError> {
        let (mut low, mut high) = (0, pages_of(self.records));
        let (mut low_key, mut high_key) = (0, u64::MAX);
        let mut guesses = 0;
        while low < high {
            let middle =
                if guesses < MAX_GUESSES { guess(key, low..high, low_key, high_key) } else { low.midpoint(high) };
            guesses += 1;
            let page = self.read_page(middle, bytes)?;
            if page.last_key() < key {
                (low, low_key) = (middle + 1, page.last_key());
            } else if page.first_key() < key {
                return Ok(middle);
            } else {
                (high, high_key) = (middle, page.first_key());
            }
        }
        Ok(low)
    }

    fn read_page<'a>(&self, number: u64, bytes: &'a mut PageBytes) -> Result<Page<'a>, IndexError> {
        self.file.read_exact_at(bytes, number * PAGE_SIZE as u64).map_err(IndexError::io("read", &self.path))?;
        self.check(number, bytes)
    }

    fn check<'a>(&self, number: u64, bytes: &'a PageBytes) -> Result<Page<'a>, IndexError> {
        let left = self.records.saturating_sub(number * RECORDS_PER_PAGE as u64);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(RECORDS_PER_PAGE);
        let page = Page::read(PageNumber { run: self.number, page: number }, bytes, count);
        page.map_err(|detail| IndexError::Damaged { path: self.path.clone(), detail })
    }

    /// Reads all records in order, a few pages at a time.
    pub(super) fn reader(&self) -> RunReader<'_> {
        RunReader { run: self, next_page: 0, records: Vec::new().into_iter() }
    }
}

/// The page of `pages` that holds `key`, if keys are spread evenly from `low_key` to `high_key`.
fn guess(key: u64, pages: Range<u64>, low_key: u64, high_key: u64) -> u64 {
    let (part, whole) = (key.saturating_sub(low_key), high_key.saturating_sub(low_key).max(1));
    let count = pages.end - pages.start;
    let offset = u128::from(count) * u128::from(part) / u128::from(whole);
    let offset = u64::try_from(offset).unwrap_or(u64::MAX);
    pages.start + offset.min(count - 1)
}

fn pages_of(records: u64) -> u64 {
    records.div_ceil(RECORDS_PER_PAGE as u64)
}

fn size_of_run(records: u64) -> u64 {
    pages_of(records).saturating_mul(PAGE_SIZE as u64).saturating_add(TRAILER_SIZE as u64)
}

fn trailer_bytes(number: u64, records: u64) -> [u8; TRAILER_SIZE] {
    let mut bytes = [0; TRAILER_SIZE];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..24].copy_from_slice(&records.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[..24]);
    bytes[24..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Reads the records of a run in order.
#[derive(Debug)]
pub(super) struct RunReader<'a> {
    run: &'a Run,
    next_page: u64,
    records: std::vec::IntoIter<Record>,
}

impl RunReader<'_> {
    /// The next record; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record>, IndexError> {
        if self.records.len() == 0 {
            self.records = self.read_ahead()?.into_iter();
        }
        Ok(self.records.next())
    }

    fn read_ahead(&mut self) -> Result<Vec<Record>, IndexError> {
        let left = pages_of(self.run.records) - self.next_page;
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(PAGES_AT_ONCE);
        let mut bytes = vec![0; count * PAGE_SIZE];
        let offset = self.next_page * PAGE_SIZE as u64;
        self.run.file.read_exact_at(&mut bytes, offset).map_err(IndexError::io("read", &self.run.path))?;
        let mut records = Vec::with_capacity(count * RECORDS_PER_PAGE);
        for page in bytes.as_chunks().0 {
            records.extend(self.run.check(self.next_page, page)?.records());
            self.next_page += 1;
        }
        Ok(records)
    }
}

/// Writes a run, record by record. The file is removed unless it is finished.
#[derive(Debug)]
pub(super) struct RunWriter {
    file: BufWriter<File>,
    unfinished: Unfinished,
    number: u64,
    records: u64,
    pages: u64,
    page: Vec<Record>,
}

/// A file that is removed when this is dropped.
#[derive(Debug)]
struct Unfinished {
    path: PathBuf,
    is_kept: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_kept {
            // Otherwise it is removed when the index is opened again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl RunWriter {
    /// Begins a run of at most so many records.
    ///
    /// # Errors
    ///
    /// [`StoreError::DiskFull`] when the disk has no room for them; otherwise when the file cannot be made.
    pub(super) fn create(directory: &Path, number: u64, max_records: u64) -> Result<Self, IndexError> {
        let (got, expected) = (free_space(directory)?, MIN_DISK_SPACE.saturating_add(size_of_run(max_records)));
        if got < expected {
            return Err(StoreError::DiskFull { path: directory.to_owned(), expected, got }.into());
        }
        let path = run_path(directory, number);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(IndexError::io("make", &path))?;
        Ok(Self {
            file: BufWriter::with_capacity(PAGES_AT_ONCE * PAGE_SIZE, file),
            unfinished: Unfinished { path, is_kept: false },
            number,
            records: 0,
            pages: 0,
            page: Vec::with_capacity(RECORDS_PER_PAGE),
        })
    }

    /// Adds a record, which is greater than the last one.
    pub(super) fn push(&mut self, record: Record) -> Result<(), IndexError> {
        self.page.push(record);
        self.records += 1;
        if self.page.len() == RECORDS_PER_PAGE { self.write_page() } else { Ok(()) }
    }

    fn write_page(&mut self) -> Result<(), IndexError> {
        let number = PageNumber { run: self.number, page: self.pages };
        self.pages += 1;
        let bytes = page_bytes(number, &self.page);
        self.page.clear();
        self.file.write_all(&bytes).map_err(IndexError::io("write", &self.unfinished.path))
    }

    /// Makes the run durable; the entry in its directory is not yet.
    ///
    /// # Panics
    ///
    /// When there is no record.
    pub(super) fn finish(mut self) -> Result<Run, IndexError> {
        assert!(self.records > 0, "a run holds at least one record");
        if !self.page.is_empty() {
            self.write_page()?;
        }
        let Self { mut file, mut unfinished, number, records, .. } = self;
        let path = unfinished.path.clone();
        let file = file
            .write_all(&trailer_bytes(number, records))
            .and_then(|()| file.into_inner().map_err(io::IntoInnerError::into_error))
            .and_then(|file| file.sync_all().map(|()| file))
            .map_err(IndexError::io("write", &path))?;
        unfinished.is_kept = true;
        Ok(Run { file, path, number, records })
    }
}

#[cfg(test)]
mod tests;
