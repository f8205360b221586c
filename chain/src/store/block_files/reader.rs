//! Reading records, from any thread.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file_name::{BlockFileKind, FileName};
use super::{RecordPosition, STORAGE_HEADER_BYTES, frame};
use crate::store::StoreError;

/// Files that stay open for reading. Opening one costs as much as reading a small block.
const MAX_OPEN_FILES: usize = 32;

/// Reads blocks and undo data. Clones read from the same open files, at the same time.
#[derive(Debug, Clone)]
pub struct BlockFileReader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    magic: [u8; 4],
    /// The file that was read last is at the end.
    open_files: Mutex<Vec<(FileName, Arc<File>)>>,
}

impl BlockFileReader {
    pub(super) fn new(directory: &Path, magic: [u8; 4]) -> Self {
        let shared = Shared { directory: directory.to_owned(), magic, open_files: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// A block that was appended (Core: `BlockManager::ReadRawBlock`).
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when not the frame and bytes are found that were appended; otherwise when the file cannot be
    /// read, such as one that was removed.
    pub fn read_block(&self, position: RecordPosition) -> Result<Vec<u8>, StoreError> {
        self.read(BlockFileKind::Blocks, position)
    }

    /// Undo data that was appended.
    ///
    /// # Errors
    ///
    /// As for [`BlockFileReader::read_block`].
    pub fn read_undo(&self, position: RecordPosition) -> Result<Vec<u8>, StoreError> {
        self.read(BlockFileKind::Undo, position)
    }

    /// Closes a file that was deleted: the disk gives its space back only when nobody has it open.
    pub(super) fn close(&self, name: FileName) {
        self.open_files().retain(|(open, _)| *open != name);
    }

    fn read(&self, kind: BlockFileKind, position: RecordPosition) -> Result<Vec<u8>, StoreError> {
        let name = FileName { kind, number: position.file };
        let damaged = |detail: String| {
            let path = name.path(self.directory());
            let what = match kind {
                BlockFileKind::Blocks => "a block record",
                BlockFileKind::Undo => "an undo record",
            };
            StoreError::Damaged { what, detail: format!("{} at byte {}: {detail}", path.display(), position.offset) }
        };
        let read_exact = |file: &File, bytes: &mut [u8], offset: u32| {
            file.read_exact_at(bytes, u64::from(offset)).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => damaged("the file ends before the record does".to_owned()),
                _ => StoreError::io("read", &name.path(self.directory()))(error),
            })
        };

        let start = position.offset.checked_sub(STORAGE_HEADER_BYTES);
        let start = start.ok_or_else(|| damaged("no room for a frame before it".to_owned()))?;
        let file = self.file(name)?;
        // Two reads, so that a position that leads astray is noticed before memory is set aside for its length.
        let mut got = [0; 8];
        read_exact(&file, &mut got, start)?;
        let expected = frame(self.shared.magic, position.length);
        if got != expected {
            return Err(damaged(format!("expected frame {expected:02x?}, got {got:02x?}")));
        }
        let length = usize::try_from(position.length).map_err(|_| damaged("longer than memory".to_owned()))?;
        let mut bytes = vec![0; length];
        read_exact(&file, &mut bytes, position.offset)?;
        let checksum = crc32fast::hash(&bytes);
        if checksum != position.checksum {
            return Err(damaged(format!("expected checksum {:08x}, got {checksum:08x}", position.checksum)));
        }
        Ok(bytes)
    }

    /// The file, which is opened if it is not open.
    fn file(&self, name: FileName) -> Result<Arc<File>, StoreError> {
        // Opening happens under the lock: otherwise a file that is deleted meanwhile might be kept open for ever.
        let mut open_files = self.open_files();
        let entry = match open_files.iter().position(|(open, _)| *open == name) {
            Some(index) => open_files.remove(index),
            None => {
                let path = name.path(self.directory());
                let file = File::open(&path).map_err(StoreError::io("open", &path))?;
                if open_files.len() == MAX_OPEN_FILES {
                    open_files.remove(0);
                }
                (name, Arc::new(file))
            }
        };
        let file = Arc::clone(&entry.1);
        open_files.push(entry);
        Ok(file)
    }

    fn open_files(&self) -> MutexGuard<'_, Vec<(FileName, Arc<File>)>> {
        // A thread that panicked left at worst one file less open.
        self.shared.open_files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn open_file_count(&self) -> usize {
        self.open_files().len()
    }
}
