//! Blocks and undo data in append-only files (Core: `node/blockstorage.cpp`, `flatfile.cpp`).
//!
//! Blocks stand in `blk00000.dat`, `blk00001.dat` and so on, the undo data of a file's blocks in the `rev` file of the same
//! number. A record is the network's magic (4 bytes), the payload's length in bytes (4 bytes, little-endian) and the payload.
//! That is Core's framing, so tools that read Core's block files read these; Core writes a hash behind undo data, where here
//! the checksum of every record stands in the index.
//!
//! The files know nothing of what they hold: the index tells at opening how far they were recorded, and what a crash left
//! behind that is cut off. So a record may be named by the index only after [`BlockFiles::sync`].
//!
//! | file | holds |
//! |---|---|
//! | `file_name` | which file is which |
//! | `reader` | reading records, from any thread |
//! | `writer` | open files, their durability, and what a failed write means |

mod file_name;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

pub use self::file_name::BlockFileKind;
use self::file_name::FileName;
pub use self::reader::BlockFileReader;
pub use self::writer::UnsyncedFiles;
use self::writer::Writer;
use super::StoreError;

/// The most bytes of a block file, unless one record alone is larger (Core: `MAX_BLOCKFILE_SIZE`, `node/blockstorage.h`).
pub const MAX_BLOCK_FILE_SIZE: u32 = 0x800_0000;

/// Bytes in front of a payload: magic and length (Core: `STORAGE_HEADER_BYTES`, `node/blockstorage.h`).
pub(super) const STORAGE_HEADER_BYTES: u32 = 8;

/// Bytes that have to stay free on the disk (Core: `CheckDiskSpace`, `util/fs_helpers.cpp`).
pub(crate) const MIN_DISK_SPACE: u64 = 50 << 20;

/// Bytes that are free on the disk of a directory, for users that are not root.
pub(crate) fn free_space(path: &Path) -> Result<u64, StoreError> {
    let disk = rustix::fs::statvfs(path).map_err(|code| StoreError::io("ask for free space in", path)(code.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that are written before the free space is asked for again (Core: `BLOCKFILE_CHUNK_SIZE`, `node/blockstorage.h`,
/// which it allocates at once).
const SPACE_CHECK_INTERVAL: u64 = 16 << 20;

/// Where a record is, and what is to be found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPosition {
    /// Number of the file.
    pub file: u32,
    /// Where the payload starts, behind its frame: bytes from the start of the file.
    pub offset: u32,
    /// Length of the payload, in bytes.
    pub length: u32,
    /// CRC-32 of the payload, as in Ethernet and gzip.
    pub checksum: u32,
}

impl RecordPosition {
    /// The position of a record with this payload.
    pub(crate) fn of(file: u32, offset: u32, payload: &[u8]) -> Self {
        let length = u32::try_from(payload.len()).expect("a record's length is 32 bits");
        Self { file, offset, length, checksum: crc32fast::hash(payload) }
    }

    /// Where the record ends, in bytes from the start of the file: at least so large the file has to be.
    #[must_use]
    pub fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.length)
    }
}

/// How far a block file and its undo file are filled (Core: `CBlockFileInfo`, `node/blockstorage.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockFileInfo {
    /// Number of both files.
    pub number: u32,
    /// Where the last block ends, in bytes.
    pub size: u32,
    /// Where the last undo data ends, in bytes.
    pub undo_size: u32,
}

impl BlockFileInfo {
    fn size_of(&mut self, kind: BlockFileKind) -> &mut u32 {
        match kind {
            BlockFileKind::Blocks => &mut self.size,
            BlockFileKind::Undo => &mut self.undo_size,
        }
    }
}

/// A file that is missing, or shorter than what was durably recorded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedFile {
    /// Number of the file.
    pub number: u32,
    /// What it holds.
    pub kind: BlockFileKind,
    /// The file.
    pub path: PathBuf,
    /// The bytes it has to have.
    pub expected: u64,
    /// The bytes it has: none when it is missing.
    pub got: u64,
}

impl From<DamagedFile> for StoreError {
    fn from(file: DamagedFile) -> Self {
        let DamagedFile { path, expected, got, .. } = file;
        let detail = format!("{}: expected at least {expected} bytes, got {got}", path.display());
        Self::Damaged { what: "a block file", detail }
    }
}

/// The block and undo files of a data directory, for the one thread that appends to them.
///
/// What was appended can be read at once, and is durable after [`BlockFiles::sync`]. After a write or a sync that failed,
/// what the disk holds is unknown: every further append and sync fails with an error of the same kind, and only opening the
/// files anew helps.
#[derive(Debug)]
pub struct BlockFiles {
    magic: [u8; 4],
    maximum_file_size: u32,
    files: BTreeMap<u32, BlockFileInfo>,
    /// The file that the next block goes to, if it fits.
    current: u32,
    /// Bytes that may be written before the free space has to be asked for.
    unchecked_bytes: u64,
    #[cfg(test)]
    pretends_full: bool,
    writer: Writer,
    reader: BlockFileReader,
}

impl BlockFiles {
    /// Opens the files in `directory`, which is made if it is missing.
    ///
    /// `known` is what the index durably recorded. **Everything else is what a crash left and goes away**: bytes behind the
    /// known ones, and block and undo files with numbers that `known` does not have, be they behind the last one or those
    /// of pruned files. Whoever has lost the index has to make one of the files with a
    /// [`BlockFileScanner`](super::BlockFileScanner) before. New files get at most `maximum_file_size` bytes, or one record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when a file is missing or shorter than known, before anything is changed:
    /// [`BlockFiles::find_damaged`] names all of them, and an index that forgets their records can be opened. Otherwise when
    /// the disk fails.
    pub fn open(
        directory: &Path,
        magic: [u8; 4],
        maximum_file_size: u32,
        known: impl IntoIterator<Item = BlockFileInfo>,
    ) -> Result<Self, StoreError> {
        let mut files: BTreeMap<u32, BlockFileInfo> = known.into_iter().map(|info| (info.number, info)).collect();
        if let Some(damaged) = Self::find_damaged(directory, files.values().copied())?.into_iter().next() {
            return Err(damaged.into());
        }
        let mut writer = Writer::open(directory)?;
        for name in FileName::list(directory)? {
            match files.get_mut(&name.number) {
                None => writer.remove(name)?,
                Some(info) => cut_off(&name.path(directory), u64::from(*info.size_of(name.kind)))?,
            }
        }
        Ok(Self {
            magic,
            maximum_file_size,
            current: files.last_key_value().map_or(0, |(number, _)| *number),
            files,
            unchecked_bytes: 0,
            #[cfg(test)]
            pretends_full: false,
            writer,
            reader: BlockFileReader::new(directory, magic),
        })
    }

    /// The block files that are in `directory`, by number, as large as they are there, without undo data; none when there is no
    /// such directory.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn list(directory: &Path) -> Result<Vec<BlockFileInfo>, StoreError> {
        let mut files = Vec::new();
        if !directory.is_dir() {
            return Ok(files);
        }
        for name in FileName::list(directory)?.into_iter().filter(|name| name.kind == BlockFileKind::Blocks) {
            let path = name.path(directory);
            let size = u32::try_from(length_on_disk(&path)?).unwrap_or(u32::MAX);
            files.push(BlockFileInfo { number: name.number, size, undo_size: 0 });
        }
        files.sort_by_key(|file| file.number);
        Ok(files)
    }

    /// The files that are missing or shorter than known, by number. Pruned files are not to be named in `known`.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn find_damaged(
        directory: &Path,
        known: impl IntoIterator<Item = BlockFileInfo>,
    ) -> Result<Vec<DamagedFile>, StoreError> {
        let mut damaged = Vec::new();
        for mut info in known {
            for kind in BlockFileKind::ALL {
                let path = FileName { kind, number: info.number }.path(directory);
                let expected = u64::from(*info.size_of(kind));
                let got = length_on_disk(&path)?;
                if got < expected {
                    damaged.push(DamagedFile { number: info.number, kind, path, expected, got });
                }
            }
        }
        Ok(damaged)
    }

    /// Appends a block (Core: `BlockManager::WriteBlock`). It goes to the next file when it would make the current one
    /// larger than the maximum; one that is larger on its own gets a file of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError::DiskFull`] before anything is written; otherwise when the disk fails now or did before.
    pub fn append_block(&mut self, bytes: &[u8]) -> Result<RecordPosition, StoreError> {
        let size = self.files.get(&self.current).map_or(0, |info| info.size);
        let length = u64::try_from(bytes.len()).expect("usize is at most 64 bits on every target Rust has");
        let end = u64::from(size) + u64::from(STORAGE_HEADER_BYTES) + length;
        let number = match size > 0 && end > u64::from(self.maximum_file_size) {
            false => self.current,
            true => self.next_number()?,
        };
        let position = self.append(FileName { kind: BlockFileKind::Blocks, number }, bytes)?;
        self.current = number;
        Ok(position)
    }

    /// Appends undo data of a block in `file` (Core: `BlockManager::WriteBlockUndo`). That need not be the newest file, since
    /// a block may be connected long after it came.
    ///
    /// # Errors
    ///
    /// When there is no such block file; [`StoreError::DiskFull`] before anything is written; otherwise when the disk fails
    /// now or did before.
    pub fn append_undo(&mut self, file: u32, bytes: &[u8]) -> Result<RecordPosition, StoreError> {
        let name = FileName { kind: BlockFileKind::Undo, number: file };
        if !self.files.contains_key(&file) {
            let missing = io::Error::new(io::ErrorKind::NotFound, "its block file is not there");
            return Err(StoreError::io("append to", &name.path(self.directory()))(missing));
        }
        self.append(name, bytes)
    }

    /// A block that was appended (Core: `BlockManager::ReadRawBlock`).
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when not the frame and bytes are found that were appended; otherwise when the file cannot be
    /// read, such as one that was removed.
    pub fn read_block(&self, position: RecordPosition) -> Result<Vec<u8>, StoreError> {
        self.reader.read_block(position)
    }

    /// Undo data that was appended.
    ///
    /// # Errors
    ///
    /// As for [`BlockFiles::read_block`].
    pub fn read_undo(&self, position: RecordPosition) -> Result<Vec<u8>, StoreError> {
        self.reader.read_undo(position)
    }

    /// A handle that reads from any thread, without keeping the appending one from its work.
    #[must_use]
    pub fn reader(&self) -> BlockFileReader {
        self.reader.clone()
    }

    /// Makes durable what was appended and removed.
    ///
    /// # Errors
    ///
    /// When the disk fails now or did before.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        let unsynced = self.take_unsynced()?;
        self.writer.attempt(|_| unsynced.sync())
    }

    /// Hands out what was appended and removed and is not durable yet, so that another thread can wait for the disk.
    ///
    /// # Errors
    ///
    /// When the disk failed before.
    pub fn take_unsynced(&mut self) -> Result<UnsyncedFiles, StoreError> {
        self.writer.take_unsynced()
    }

    /// Deletes block files with their undo files, to prune them (Core: `BlockManager::UnlinkPrunedFiles`). Numbers of files
    /// that are not there are passed over, and new files get new numbers.
    ///
    /// The index should have forgotten them durably before: a file that it does not name goes away at the next opening, but
    /// one that it names must be there.
    ///
    /// # Errors
    ///
    /// When a file cannot be deleted. Those that are left can be removed again.
    pub fn remove_files(&mut self, numbers: impl IntoIterator<Item = u32>) -> Result<(), StoreError> {
        for number in numbers {
            if !self.files.contains_key(&number) {
                continue;
            }
            if number == self.current {
                self.current = self.next_number()?;
            }
            for kind in BlockFileKind::ALL {
                let name = FileName { kind, number };
                self.writer.remove(name)?;
                self.reader.close(name);
            }
            self.files.remove(&number);
        }
        Ok(())
    }

    /// Bytes of all block and undo files (Core: `BlockManager::CalculateCurrentUsage`).
    #[must_use]
    pub fn size_on_disk(&self) -> u64 {
        self.files.values().map(|info| u64::from(info.size) + u64::from(info.undo_size)).sum()
    }

    /// How far each file is filled, by number: what the index should record after [`BlockFiles::sync`].
    pub fn file_sizes(&self) -> impl Iterator<Item = BlockFileInfo> + '_ {
        self.files.values().copied()
    }

    /// Fails unless 50 MiB would stay free after writing `additional_bytes` (Core: `CheckDiskSpace`, `util/fs_helpers.cpp`).
    ///
    /// Appending asks at every new file and once per 16 MiB, so nobody else has to.
    ///
    /// # Errors
    ///
    /// [`StoreError::DiskFull`], or [`StoreError::Io`] when the disk does not answer.
    pub fn check_free_space(&self, additional_bytes: u64) -> Result<(), StoreError> {
        let path = self.directory();
        let got = free_space(path)?;
        #[cfg(test)]
        let got = if self.pretends_full { 0 } else { got };
        let expected = MIN_DISK_SPACE.saturating_add(additional_bytes);
        if got < expected {
            return Err(StoreError::DiskFull { path: path.to_owned(), expected, got });
        }
        Ok(())
    }

    /// Behaves as on a disk that is full after so many bytes more, or no longer does.
    #[cfg(test)]
    pub(crate) fn pretend_full_after(&mut self, bytes: Option<u64>) {
        self.pretends_full = bytes.is_some();
        self.unchecked_bytes = bytes.unwrap_or(0);
    }

    fn directory(&self) -> &Path {
        self.reader.directory()
    }

    /// A number that no file had.
    fn next_number(&self) -> Result<u32, StoreError> {
        self.current.checked_add(1).ok_or_else(|| {
            StoreError::io("add a file to", self.directory())(io::Error::other("file numbers are used up"))
        })
    }

    fn append(&mut self, name: FileName, bytes: &[u8]) -> Result<RecordPosition, StoreError> {
        self.writer.check_usable()?;
        let number = name.number;
        let mut info = self.files.get(&number).copied().unwrap_or(BlockFileInfo { number, size: 0, undo_size: 0 });
        let size = info.size_of(name.kind);
        let start = *size;
        let fit = u32::try_from(bytes.len()).ok().and_then(|length| {
            let offset = start.checked_add(STORAGE_HEADER_BYTES)?;
            Some((offset, length, offset.checked_add(length)?))
        });
        let Some((offset, length, end)) = fit else {
            let too_large = io::Error::new(io::ErrorKind::FileTooLarge, "positions have 32 bits");
            return Err(StoreError::io("append to", &name.path(self.directory()))(too_large));
        };
        self.reserve_space(u64::from(end - start), start == 0)?;
        self.writer.write(name, start, frame(self.magic, length), bytes)?;
        *size = end;
        self.files.insert(number, info);
        Ok(RecordPosition { file: number, offset, length, checksum: crc32fast::hash(bytes) })
    }

    /// Asks for free space where the last answer does not cover `bytes` more.
    fn reserve_space(&mut self, bytes: u64, is_new_file: bool) -> Result<(), StoreError> {
        if is_new_file || bytes > self.unchecked_bytes {
            let interval = bytes.max(SPACE_CHECK_INTERVAL);
            self.check_free_space(interval)?;
            self.unchecked_bytes = interval;
        }
        self.unchecked_bytes -= bytes;
        Ok(())
    }
}

/// What stands in front of a payload of `length` bytes.
fn frame(magic: [u8; 4], length: u32) -> [u8; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (magic, length.to_le_bytes());
    [a, b, c, d, e, f, g, h]
}

/// Bytes of a file: none when it is missing.
fn length_on_disk(path: &Path) -> Result<u64, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(StoreError::io("look at", path)(error)),
    }
}

/// Cuts a file to `length` bytes, if it is longer. That need not be durable: what returns after a crash is cut off again.
fn cut_off(path: &Path, length: u64) -> Result<(), StoreError> {
    if length_on_disk(path)? > length {
        let file = OpenOptions::new().write(true).open(path).map_err(StoreError::io("open", path))?;
        file.set_len(length).map_err(StoreError::io("cut", path))?;
    }
    Ok(())
}
