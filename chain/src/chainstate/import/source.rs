//! Where imported blocks come from.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::store::{BlockFileScanner, ScannedBlock};

/// Files in the framing of Core's `blk*.dat`, one after the other, or a stream of the same.
///
/// Files that Core obfuscated are read with the key that lies beside them in `xor.dat`.
pub struct BlockSource {
    magic: [u8; 4],
    waiting: VecDeque<PathBuf>,
    current: Option<Input>,
    /// Bytes of all files.
    total: Option<u64>,
    /// Bytes of the files that are finished.
    finished: u64,
    skipped: u64,
}

struct Input {
    scanner: BlockFileScanner<Counted>,
    file: Option<ObfuscatedFile>,
}

/// A file that blocks can be read from again.
#[derive(Debug, Clone)]
struct ObfuscatedFile {
    path: PathBuf,
    key: [u8; 8],
}

/// A reader that counts.
struct Counted {
    input: Box<dyn Read + Send>,
    bytes: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Where a block is that has to wait for its parent.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In a file, to be read again.
    File { path: PathBuf, key: [u8; 8], offset: u64, length: usize },
    /// Nowhere else.
    Stream,
}

impl BlockSource {
    /// Files, in this order.
    ///
    /// # Errors
    ///
    /// When one of them is not there or cannot be looked at.
    pub fn files(paths: Vec<PathBuf>, magic: [u8; 4]) -> io::Result<Self> {
        let mut total = 0;
        for path in &paths {
            let size = path
                .metadata()
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
            total += size.len();
        }
        Ok(Self { magic, waiting: paths.into(), current: None, total: Some(total), finished: 0, skipped: 0 })
    }

    /// A stream, such as standard input.
    pub fn stream(input: impl Read + Send + 'static, magic: [u8; 4]) -> Self {
        let scanner = BlockFileScanner::new(Counted { input: Box::new(input), bytes: 0 }, magic);
        let current = Some(Input { scanner, file: None });
        Self { magic, waiting: VecDeque::new(), current, total: None, finished: 0, skipped: 0 }
    }

    /// Bytes of all files; nothing for a stream.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.finished + self.current.as_ref().map_or(0, |input| input.scanner.input().bytes)
    }

    /// Bytes so far that belong to no block.
    #[must_use]
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped + self.current.as_ref().map_or(0, |input| input.scanner.skipped_bytes())
    }

    /// The next record that looks like a block.
    pub(super) fn next_record(&mut self) -> io::Result<Option<(ScannedBlock, Place)>> {
        loop {
            let Some(input) = &mut self.current else {
                let Some(path) = self.waiting.pop_front() else { return Ok(None) };
                let input = Input::open(path.clone(), self.magic);
                self.current = Some(input.map_err(|error| named(&path, &error))?);
                continue;
            };
            let failed = |file: &Option<ObfuscatedFile>, error: io::Error| match file {
                Some(file) => named(&file.path, &error),
                None => error,
            };
            if let Some(record) = input.scanner.next_record().map_err(|error| failed(&input.file, error))? {
                let place = match &input.file {
                    Some(ObfuscatedFile { path, key }) => {
                        Place::File { path: path.clone(), key: *key, offset: record.offset, length: record.bytes.len() }
                    }
                    None => Place::Stream,
                };
                return Ok(Some((record, place)));
            }
            self.skipped += input.scanner.skipped_bytes();
            self.finished += input.scanner.input().bytes;
            self.current = None;
        }
    }

    /// Whether the next frame stands right behind the last record.
    pub(super) fn is_followed_by_frame(&self) -> bool {
        self.current.as_ref().is_some_and(|input| input.scanner.is_followed_by_frame())
    }

    /// Whether blocks come from a stream, which may keep its reader waiting.
    pub(super) fn is_stream(&self) -> bool {
        self.total.is_none()
    }

    /// Takes the last record back because it was no block.
    pub(super) fn rescan_last(&mut self) {
        if let Some(input) = &mut self.current {
            input.scanner.rescan_last();
        }
    }
}

impl Input {
    fn open(path: PathBuf, magic: [u8; 4]) -> io::Result<Self> {
        let key = obfuscation_key(&path)?;
        let input: Box<dyn Read + Send> = Box::new(File::open(&path)?);
        let scanner = BlockFileScanner::new(Counted { input, bytes: 0 }, magic).with_obfuscation(key);
        Ok(Self { scanner, file: Some(ObfuscatedFile { path, key }) })
    }
}

/// The key in the `xor.dat` beside a file, zero where there is none (Core: `InitBlocksdirXorKey`, `node/blockstorage.cpp`).
fn obfuscation_key(path: &Path) -> io::Result<[u8; 8]> {
    match std::fs::read(path.with_file_name("xor.dat")) {
        Ok(bytes) => bytes.try_into().map_err(|bytes: Vec<u8>| {
            io::Error::new(io::ErrorKind::InvalidData, format!("xor.dat: expected 8 bytes, got {}", bytes.len()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok([0; 8]),
        Err(error) => Err(error),
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Reads a block from its file again.
pub(super) fn read_again(path: &Path, key: [u8; 8], offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let read = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let mut bytes = read().map_err(|error: io::Error| named(path, &error))?;
    for (position, byte) in (offset..).zip(&mut bytes) {
        *byte ^= key[usize::try_from(position % 8).expect("a remainder below 8")];
    }
    Ok(bytes)
}
