//! The sled database: two trees, and what makes them durable.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::StoreError;

/// sled allocates and writes its log in segments, and holds some of them in memory. It keeps up to seventeen values together, and
/// what exceeds a quarter of a segment becomes a file of its own, which sled never syncs and silently skips when it is missing.
const SEGMENT_SIZE: usize = 2 << 20;
/// The most bytes a value may have, so that no such file is ever made.
pub(crate) const MAX_VALUE_SIZE: usize = SEGMENT_SIZE / 4 / 18;

/// How long to wait for sled's threads to let go of a database that was dropped.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_POLL: Duration = Duration::from_millis(1);

/// The database of a data directory.
#[derive(Debug)]
pub(crate) struct Database {
    directory: PathBuf,
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
        let is_new = !directory.exists();
        // sled never syncs the file of its settings, and does not open when half of it is there. So a new database gets its
        // name when all of it is durable.
        let unfinished = directory.with_extension("new");
        let path = if is_new { &unfinished } else { directory };
        if is_new {
            remove_database(path)?
        } else {
            put_in_order(path)?
        }
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(cache)
            .segment_size(SEGMENT_SIZE)
            // Nothing is made durable but by `sync`: half of an update must not be.
            .flush_every_ms(None)
            .open()
            .map_err(failed())?;
        let (index, coins) = (db.open_tree("index").map_err(failed())?, db.open_tree("coins").map_err(failed())?);
        if is_new {
            db.flush().map_err(failed())?;
            sync_files(path)?;
            fs::rename(path, directory).map_err(StoreError::io("make", directory))?;
        }
        // Even when it had its name: whoever gave it may have been killed before that was durable.
        sync_parent(directory)?;
        let path = directory.join("db");
        let file = File::options().read(true).write(true).open(&path).map_err(StoreError::io("open", &path))?;
        sync_directory(directory)?;
        Ok(Self { directory: directory.to_owned(), db, file, index, coins })
    }

    /// Returns when everything written before is durable.
    ///
    /// sled's own flush ends in `sync_file_range`, which leaves the drive's cache and the file's size alone, so a power cut
    /// would not respect it.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        // First what is written already: the flush may write where the only durable copy of it was.
        self.sync_written()?;
        self.db.flush().map_err(StoreError::database("flush"))?;
        self.sync_written()
    }

    fn sync_written(&self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(|source| StoreError::Database { action: "sync", source: sled::Error::Io(source) })
    }

    /// Another handle of the file sled writes, for [`CoinPages`](super::CoinPages) to sync while it merges.
    pub(crate) fn file(&self) -> Result<File, StoreError> {
        self.file.try_clone().map_err(|source| StoreError::Database { action: "open", source: sled::Error::Io(source) })
    }

    /// Size on disk, in bytes.
    pub(crate) fn size_on_disk(&self) -> Result<u64, StoreError> {
        // sled would look where the directory was made.
        files(&self.directory)?.iter().try_fold(0, |size, path| {
            let metadata = path.metadata().map_err(StoreError::io("measure", path))?;
            Ok(size + metadata.len())
        })
    }
}

/// The key of a value that is one of many: what they are, and its number (4 bytes big-endian).
pub(crate) fn numbered_key(prefix: u8, number: u32) -> [u8; 5] {
    let mut key = [prefix; 5];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// Removes the files of a database, if there are any.
pub(crate) fn remove_database(directory: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", directory)(error)),
        _ => Ok(()),
    }
}

/// Prepares what a killed process left for sled to open.
fn put_in_order(directory: &Path) -> Result<(), StoreError> {
    wait_for_lock(&directory.join("db"))?;
    for path in files(directory)? {
        // Half of a snapshot: sled would take it for a whole one, the newest, and not open.
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
    }
    // sled will write a snapshot, durable, of all that it finds, so what it finds has to be durable before.
    sync_files(directory)
}

/// Waits until sled's lock is free. A database of this process that was dropped just now may hold it a little longer, as long
/// as sled's threads finish their work; other processes are kept out by the lock of the data directory.
fn wait_for_lock(path: &Path) -> Result<(), StoreError> {
    let deadline = Instant::now() + MAX_LOCK_WAIT;
    let file = File::options().read(true).write(true).open(path).map_err(StoreError::io("open", path))?;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
            // sled takes it itself, and says if it cannot.
            Ok(()) | Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path)(error)),
        }
    }
}

/// Makes the files of a directory durable.
fn sync_files(directory: &Path) -> Result<(), StoreError> {
    for path in files(directory)? {
        File::open(&path).and_then(|file| file.sync_all()).map_err(StoreError::io("sync", &path))?;
    }
    sync_directory(directory)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = || StoreError::io("list", directory);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        if entry.file_type().map_err(failed())?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Makes the entries of a directory durable: files that were made, renamed or removed.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(StoreError::io("sync", path))
}

/// Makes the name of a file or directory durable.
pub(crate) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_directory(parent.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(directory: &Path) -> Database {
        Database::open(directory, 1 << 20).unwrap()
    }

    #[test]
    fn half_a_snapshot_is_no_hindrance() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("database");
        let database = open(&directory);
        database.index.insert("key", "value").unwrap();
        assert!(database.size_on_disk().unwrap() > 0);
        database.sync().unwrap();
        drop(database);
        fs::write(directory.join("snap.7FFFFFFFFFFFFFFF.generating"), [1; 20]).unwrap();
        assert_eq!(open(&directory).index.get("key").unwrap().unwrap(), "value");
    }

    #[test]
    fn a_database_that_was_dropped_opens_at_once() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("database");
        for number in 0..30u32 {
            let database = open(&directory);
            database.index.insert(number.to_be_bytes(), vec![1; 1000]).unwrap();
            database.sync().unwrap();
        }
        assert_eq!(open(&directory).index.len(), 30);
    }

    #[test]
    fn half_a_database_is_made_again() {
        let temporary = tempfile::tempdir().unwrap();
        let unfinished = temporary.path().join("database.new");
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join("conf"), [0; 63]).unwrap();
        drop(open(&temporary.path().join("database")));
        assert!(!unfinished.exists());
    }
}
