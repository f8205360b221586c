//! The program of this process, to be started again for nodes.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::DevnetError;

/// What Linux keeps open for as long as this process runs, also when the file was replaced or is gone (proc(5)).
const RUNNING: &str = "/proc/self/exe";
/// What the path of a file that is gone ends in.
const GONE: &str = " (deleted)";

/// The program, and what it calls itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OwnProgram {
    /// What to start.
    pub(crate) path: PathBuf,
    /// Its first argument, which is what `ps` shows.
    pub(crate) name: OsString,
}

/// The very program that runs here, even if its file was replaced since: all nodes of a devnet are the same.
///
/// # Errors
///
/// When there is nothing that could be started.
pub(crate) fn own_program() -> Result<OwnProgram, DevnetError> {
    let path = std::env::current_exe().map_err(DevnetError::file("find", "the program of this process"))?;
    let program = choose(&path, Path::new(RUNNING));
    fs::metadata(&program.path).map_err(DevnetError::file("find", &program.path))?;
    Ok(program)
}

/// The path, under which the process has a name that people know; what runs, if there is something else by now.
fn choose(path: &Path, running: &Path) -> OwnProgram {
    let name = path.to_string_lossy().trim_end_matches(GONE).into();
    let id = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    let is_same = id(running).is_none() || id(path) == id(running);
    OwnProgram { path: if is_same { path } else { running }.to_owned(), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_started_even_if_its_file_is_another_by_now() {
        let folder = tempfile::tempdir().unwrap();
        let (path, running) = (folder.path().join("cairn"), folder.path().join("running"));
        fs::write(&path, "one").unwrap();
        fs::hard_link(&path, &running).unwrap();
        assert_eq!(choose(&path, &running), OwnProgram { path: path.clone(), name: path.clone().into() });
        fs::remove_file(&path).unwrap();
        let gone = PathBuf::from(format!("{}{GONE}", path.display()));
        assert_eq!(choose(&gone, &running), OwnProgram { path: running.clone(), name: path.clone().into() });
        fs::write(&path, "another").unwrap();
        assert_eq!(choose(&path, &running).path, running);
        assert_eq!(choose(&path, &folder.path().join("no-proc")).path, path, "where there is no such file");
        assert!(own_program().unwrap().path.exists());
    }
}
