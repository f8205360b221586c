//! What the child asked of the disk, and faults of the disk: see `disk_recorder.c`.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// Bytes in front of a record's own.
const HEAD: usize = 32;

/// The library to load into the child, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/crash/disk_recorder.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let partial = TempDir::new_in(folder).unwrap();
        let library = partial.path().join("disk_recorder.so");
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        assert!(compiler.expect("a C compiler is needed").success());
        let finished = folder.join("disk_recorder.so");
        std::fs::rename(&library, &finished).unwrap();
        finished
    })
}

fn environment(root: &Path, variables: &[(&str, &str)]) -> HashMap<String, String> {
    let common = [("LD_PRELOAD", library().to_str().unwrap()), ("RECORDER_ROOT", root.to_str().unwrap())];
    common.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The environment for a child whose disk fails: `kind` as in `disk_recorder.c`, at the operation with this number.
pub(crate) fn with_fault(root: &Path, kind: &str, at: usize) -> HashMap<String, String> {
    environment(root, &[("RECORDER_FAULT", kind), ("RECORDER_AT", &at.to_string())])
}

/// The environment for a child whose operations are added to `log`; after `stop_after` of them it is killed.
pub(crate) fn recording(root: &Path, log: &Path, marks: &Path, stop_after: Option<usize>) -> HashMap<String, String> {
    let stop_after = stop_after.unwrap_or(0).to_string();
    environment(
        root,
        &[
            ("RECORDER_LOG", log.to_str().unwrap()),
            ("RECORDER_MARKS", marks.to_str().unwrap()),
            ("RECORDER_STOP", &stop_after),
        ],
    )
}

/// Something the child asked of the disk. Paths are relative to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Make {
        path: String,
        inode: u64,
    },
    MakeDirectory {
        path: String,
    },
    Remove {
        path: String,
    },
    Rename {
        from: String,
        to: String,
    },
    SyncDirectory {
        path: String,
    },
    /// The bytes lie in this range of the log.
    Write {
        inode: u64,
        offset: u64,
        bytes: Range<usize>,
    },
    Resize {
        inode: u64,
        size: u64,
    },
    Sync {
        inode: u64,
    },
    Mark(String),
}

/// The records of a log.
pub(crate) fn parse(log: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut start = 0;
    while start < log.len() {
        let field = |index: usize| u64::from_ne_bytes(log[start + 8 * index..][..8].try_into().unwrap());
        let (kind, inode, offset) = (u8::try_from(field(0)).unwrap(), field(1), field(2));
        let bytes = start + HEAD..start + HEAD + usize::try_from(field(3)).unwrap();
        start = bytes.end;
        let text = || String::from_utf8(log[bytes.clone()].to_vec()).unwrap();
        records.push(match kind {
            b'C' => Record::Make { path: text(), inode },
            b'K' => Record::MakeDirectory { path: text() },
            b'U' => Record::Remove { path: text() },
            b'R' => {
                let both = text();
                let (from, to) = both.split_once('\0').unwrap();
                Record::Rename { from: from.to_owned(), to: to.to_owned() }
            }
            b'D' => Record::SyncDirectory { path: text() },
            b'W' => Record::Write { inode, offset, bytes },
            b'T' => Record::Resize { inode, size: offset },
            b'S' => Record::Sync { inode },
            b'M' => Record::Mark(text()),
            other => panic!("a record of kind {other}"),
        });
    }
    records
}
