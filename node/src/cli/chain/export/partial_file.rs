//! A file that is there only when it is whole.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::BUFFER_SIZE;

/// A file under another name: its own, with `.partial` behind it. Dropped before it is finished, it goes away.
pub(super) struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
    writer: BufWriter<File>,
}

impl PartialFile {
    pub(super) fn create(path: &Path) -> Result<Self, Box<dyn Error>> {
        let mut partial = OsString::from(path);
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|error| failed(&partial, &error))?;
        Ok(Self { path: path.to_owned(), partial, writer: BufWriter::with_capacity(BUFFER_SIZE, file) })
    }

    pub(super) fn writer(&mut self) -> &mut dyn Write {
        &mut self.writer
    }

    /// Gives the file its name, after everything is on disk.
    pub(super) fn finish(mut self) -> Result<(), Box<dyn Error>> {
        self.writer
            .flush()
            .and_then(|()| self.writer.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.partial, &self.path))
            .map_err(|error| failed(&self.path, &error).into())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // After it was renamed nothing is there, and otherwise nothing can be done.
        let _ = fs::remove_file(&self.partial);
    }
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
