//! The right to add and to take away files of devnets, which one process has at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::DevnetError;

/// The file that is locked (flock(2)). The system unlocks it when its process ends, however that happens.
const FILE: &str = ".lock";
/// How long others may have it: longer than it takes to clear away what one left.
const LIMIT: Duration = Duration::from_secs(30);
/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// The right, until this is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    path: PathBuf,
    /// Locked for as long as it is open.
    _file: File,
}

impl FolderLock {
    /// Waits for the right in a folder that is there.
    ///
    /// # Errors
    ///
    /// When the file cannot be locked, or another process has it for too long.
    pub(crate) fn take(folder: &Path) -> Result<Self, DevnetError> {
        let path = folder.join(FILE);
        let deadline = Instant::now() + LIMIT;
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
            let file = file.map_err(DevnetError::file("open", &path))?;
            match file.try_lock() {
                // Whoever had it may have taken the file away, and somebody else made another.
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, _file: file }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    let late = io::Error::new(ErrorKind::TimedOut, "another process has had it for 30 s");
                    return Err(DevnetError::file("lock", path)(late));
                }
                Err(TryLockError::Error(error)) => return Err(DevnetError::file("lock", path)(error)),
            }
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Who waits for it sees that it is gone, and makes another.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether an open file is the one that has this path.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(found)) => id(open) == id(found),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_at_a_time_has_it_and_no_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _lock = FolderLock::take(folder.path()).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    thread::sleep(Duration::from_millis(2));
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
