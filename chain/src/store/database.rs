//! The sled database: two trees, and what makes them durable.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::StoreError;

/// sled allocates and writes its log in segments, and holds some of them in memory. It keeps up to seventeen values together, and
/// what exceeds a quarter of a segment becomes a file of its own, which sled never syncs and silently skips when it is missing.
const SEGMENT_SIZE: usize = 2 << 20;
/// The most bytes a value may have, so that no such file is ever made.
pub(crate) const MAX_VALUE_SIZE: usize = SEGMENT_SIZE / 4 / 18;

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
        let path = directory.join("db");
        wait_until_released(&path)?;
        let db = sled::Config::new()
            .path(directory)
            .cache_capacity(cache)
            .segment_size(SEGMENT_SIZE)
            // Nothing is made durable but by `sync`: half of an update must not be.
            .flush_every_ms(None)
            .open()
            .map_err(failed())?;
        let (index, coins) = (db.open_tree("index").map_err(failed())?, db.open_tree("coins").map_err(failed())?);
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

/// How long threads of a database that was dropped may hold its lock.
const RELEASE_TIME: Duration = Duration::from_secs(30);

/// Waits until sled's file is free.
///
/// sled's threads let go of a database some time after it was dropped. Nobody else can have it: the data directory is locked.
fn wait_until_released(path: &Path) -> Result<(), StoreError> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    let deadline = Instant::now() + RELEASE_TIME;
    while matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    file.unlock().map_err(StoreError::io("unlock", path))
}

/// Makes the entries of a directory durable: files that were made, renamed or removed.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(StoreError::io("sync", path))
}
