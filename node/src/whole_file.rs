//! Files that are written as a whole.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Writes a value as JSON, under another name first, so that nobody reads half of it. What a link leads to is written, not the link;
/// what is no file, such as a pipe, is written to and stays what it is.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(value)?;
    if is_no_file(path) {
        return fs::write(path, text);
    }
    let (path, temporary) = places(path);
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}

/// Checks that a file could be written, and leaves what is there as it is.
///
/// # Errors
///
/// When it could not.
pub(crate) fn check_json(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    // A pipe is not opened: that waits until somebody reads.
    if is_no_file(path) {
        return Ok(());
    }
    let (_, temporary) = places(path);
    OpenOptions::new().write(true).create(true).truncate(true).open(&temporary)?;
    fs::remove_file(temporary)
}

fn is_no_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// Where a file is, and where it is until it is whole.
fn places(path: &Path) -> (PathBuf, PathBuf) {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut temporary = path.clone().into_os_string();
    temporary.push(".new");
    (path, temporary.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        write_json(&link, &1).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_pipe_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        check_json(&pipe).unwrap();
        let read = thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        write_json(&pipe, &1).unwrap();
        assert_eq!(read.join().unwrap(), "1");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_json(folder.path()).is_err());
        assert!(check_json(&folder.path().join("none/file")).is_err());
        let file = folder.path().join("file");
        fs::write(&file, "old").unwrap();
        check_json(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        check_json(&folder.path().join("new")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
