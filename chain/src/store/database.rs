//! The sled database: two trees, and what makes them durable.

use std::fs::File;
use std::path::Path;

use super::StoreError;

/// sled allocates and writes its log in segments. A value above a quarter of one would become a file of its own, which sled
/// never syncs and silently skips when it is missing; ours stay far below.
const SEGMENT_SIZE: usize = 8 << 20;
/// The most bytes a value may have.
pub(crate) const MAX_VALUE_SIZE: usize = 64 << 10;

/// The database of a data directory.
#[derive(Debug)]
pub(crate) struct Database {
    db: sled::Db,
    /// The file sled writes, for a sync that sled does not do.
    file: File,
    /// The block index and what else is small: see [`super::block_index`].
    pub(crate) index: sled::Tree,
    /// Pages of coins: see [`super::coin_pages`].
    pub(crate) coins: sled::Tree,
}

impl Database {
    /// Opens or makes the database in `directory`, with `cache` bytes of page cache.
    pub(crate) fn open(directory: &Path, cache: u64) -> Result<Self, StoreError> {
        let failed = || StoreError::database("open");
        let db = sled::Config::new()
            .path(directory)
            .cache_capacity(cache)
            .segment_size(SEGMENT_SIZE)
            // Nothing is made durable but by `sync`: half of an update must not be.
            .flush_every_ms(None)
            .open()
            .map_err(failed())?;
        let (index, coins) = (db.open_tree("index").map_err(failed())?, db.open_tree("coins").map_err(failed())?);
        let path = directory.join("db");
        let file = File::options().read(true).write(true).open(&path).map_err(StoreError::io("open", &path))?;
        sync_directory(directory)?;
        Ok(Self { db, file, index, coins })
    }

    /// Returns when everything written before is durable.
    ///
    /// sled's own flush ends in `sync_file_range`, which leaves the drive's cache and the file's size alone, so a power cut
    /// would not respect it.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(StoreError::database("flush"))?;
        self.file
            .sync_all()
            .map_err(|source| StoreError::Database { action: "sync", source: sled::Error::Io(source) })
    }

    /// Size on disk, in bytes.
    pub(crate) fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.db.size_on_disk().map_err(StoreError::database("measure"))
    }
}

/// Makes the entries of a directory durable: files that were made, renamed or removed.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(StoreError::io("sync", path))
}
