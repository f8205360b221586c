//! Open files, their durability, and what a failed write means.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::STORAGE_HEADER_BYTES;
use super::file_name::FileName;
use crate::store::{StoreError, sync_directory, sync_parent};

/// Files that stay open for writing. Undo data goes to older files than blocks do, so one of each kind is not enough.
const MAX_OPEN_FILES: usize = 16;

/// Bytes of payload up to which copying frame and payload together is cheaper than a second system call.
const MAX_COPIED: usize = 16 * 1024;

/// Writes files of one directory and knows what of them is not durable yet.
#[derive(Debug)]
pub(super) struct Writer {
    directory: PathBuf,
    /// The file that was written last is at the end.
    open_files: Vec<OpenFile>,
    /// Whether files were made or deleted since the last sync.
    directory_changed: bool,
    /// The first write or sync that failed.
    failure: Option<Failure>,
    /// Frame and payload of a small record.
    record: Vec<u8>,
}

#[derive(Debug)]
struct OpenFile {
    name: FileName,
    path: PathBuf,
    file: File,
    /// Whether it was written since the last sync.
    written: bool,
}

/// What was written, made and deleted and is not durable yet. It can be made so from any thread.
#[derive(Debug)]
pub struct UnsyncedFiles {
    files: Vec<(PathBuf, File)>,
    /// The directory, where files were made or deleted.
    directory: Option<PathBuf>,
}

impl UnsyncedFiles {
    /// Makes it durable.
    ///
    /// # Errors
    ///
    /// When the disk fails. What it holds then is unknown, and the files must be opened anew.
    pub fn sync(self) -> Result<(), StoreError> {
        for (path, file) in self.files {
            file.sync_data().map_err(StoreError::io("sync", &path))?;
        }
        // Last, so that no name becomes durable before what it names.
        self.directory.map_or(Ok(()), |directory| sync_directory(&directory))
    }
}

/// A failed write or sync, to be repeated to whoever tries to go on.
#[derive(Debug)]
struct Failure {
    action: &'static str,
    path: PathBuf,
    kind: io::ErrorKind,
    message: String,
}

impl Writer {
    /// A writer for `directory`, which is made durably if it is missing.
    ///
    /// What is there may be so only in memory, made by a process that was killed before it synced: its name is synced now, and
    /// the names in it with the first record.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(StoreError::io("make", directory))?;
        sync_parent(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            open_files: Vec::new(),
            directory_changed: true,
            failure: None,
            record: Vec::new(),
        })
    }

    /// Fails if a write or sync failed before.
    ///
    /// The kernel reports a page that it could not write back once and then forgets that it is dirty, so that a sync tried
    /// again succeeds without having written anything.
    pub(super) fn check_usable(&self) -> Result<(), StoreError> {
        self.failure.as_ref().map_or(Ok(()), |failure| Err(failure.repeat()))
    }

    /// Writes a record at `offset` in bytes, which is where the file ended so far.
    pub(super) fn write(
        &mut self,
        name: FileName,
        offset: u32,
        frame: [u8; 8],
        payload: &[u8],
    ) -> Result<(), StoreError> {
        self.attempt(|writer| {
            let index = writer.open_file(name)?;
            let OpenFile { path, file, written, .. } = &mut writer.open_files[index];
            *written = true;
            let offset = u64::from(offset);
            let result = if payload.len() <= MAX_COPIED {
                writer.record.clear();
                writer.record.extend(frame);
                writer.record.extend(payload);
                file.write_all_at(&writer.record, offset)
            } else {
                file.write_all_at(&frame, offset)
                    .and_then(|()| file.write_all_at(payload, offset + u64::from(STORAGE_HEADER_BYTES)))
            };
            result.map_err(StoreError::io("write", path))
        })
    }

    /// Hands out what is not durable yet, for whoever calls [`UnsyncedFiles::sync`].
    pub(super) fn take_unsynced(&mut self) -> Result<UnsyncedFiles, StoreError> {
        let mut files = Vec::new();
        self.attempt(|writer| {
            for open in writer.open_files.iter_mut().filter(|open| open.written) {
                let file = open.file.try_clone().map_err(StoreError::io("open", &open.path))?;
                files.push((open.path.clone(), file));
                open.written = false;
            }
            Ok(())
        })?;
        let directory = std::mem::take(&mut self.directory_changed).then(|| self.directory.clone());
        Ok(UnsyncedFiles { files, directory })
    }

    /// Deletes a file, if it is there.
    pub(super) fn remove(&mut self, name: FileName) -> Result<(), StoreError> {
        self.open_files.retain(|open| open.name != name);
        let path = name.path(&self.directory);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => {
                self.directory_changed = true;
                result.map_err(StoreError::io("delete", &path))
            }
        }
    }

    /// Index of the open file of that name. It is opened if it is not open, and made if it is not there.
    fn open_file(&mut self, name: FileName) -> Result<usize, StoreError> {
        let last = match self.open_files.iter().position(|open| open.name == name) {
            Some(index) => self.open_files.remove(index),
            None => {
                if self.open_files.len() == MAX_OPEN_FILES {
                    // Closing before syncing could lose the report of a failed write back.
                    self.open_files[0].sync()?;
                    self.open_files.remove(0);
                }
                let path = name.path(&self.directory);
                let exists = path.exists();
                let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
                let file = file.map_err(StoreError::io("open", &path))?;
                self.directory_changed |= !exists;
                OpenFile { name, path, file, written: false }
            }
        };
        self.open_files.push(last);
        Ok(self.open_files.len() - 1)
    }

    /// Does what may only be done while nothing has failed, and remembers when it fails.
    pub(super) fn attempt(
        &mut self,
        operation: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.check_usable()?;
        operation(self).inspect_err(|error| self.failure = Failure::of(error))
    }

    #[cfg(test)]
    pub(super) fn open_file_count(&self) -> usize {
        self.open_files.len()
    }
}

impl OpenFile {
    /// Makes durable what was written.
    ///
    /// `fdatasync` is enough for files that grow: it leaves out metadata such as times, but not what is needed to find the
    /// data, and the length is (POSIX, "synchronized I/O data integrity completion").
    fn sync(&mut self) -> Result<(), StoreError> {
        if self.written {
            self.file.sync_data().map_err(StoreError::io("sync", &self.path))?;
            self.written = false;
        }
        Ok(())
    }
}

impl Failure {
    fn of(error: &StoreError) -> Option<Self> {
        match error {
            StoreError::Io { action, path, source } => {
                Some(Self { action, path: path.clone(), kind: source.kind(), message: source.to_string() })
            }
            // Nothing else comes from writing.
            _ => None,
        }
    }

    fn repeat(&self) -> StoreError {
        let source = io::Error::new(self.kind, format!("refused because it failed before: {}", self.message));
        StoreError::Io { action: self.action, path: self.path.clone(), source }
    }
}
