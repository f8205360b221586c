//! What a power cut leaves on a disk.
//!
//! Durable is what was synced: the contents of a file by a sync of the file, its name by a sync of the directory. Of the rest
//! anything may survive: each 4 KiB piece of a file as it was at some moment since, whatever became of the others, and any
//! change of a name.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::recorder::Record;
use cairn_tests::random::Random;

/// Bytes that get to the disk together.
const PIECE: u64 = 4096;

/// What survives of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survival {
    /// Nothing.
    Nothing,
    /// Each change of a name with this chance in percent; each piece of a file as it is now with this chance, or as it was.
    Some(usize),
    /// Changes of names in their order up to some moment, as in a journal; pieces of files as before.
    JournalledNames(usize),
    /// Everything: the cut came when all was written back.
    Everything,
}

#[derive(Default)]
struct File {
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

enum Change {
    /// Bytes of the log.
    Write {
        offset: u64,
        bytes: Range<usize>,
    },
    Resize(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(usize),
    Directory,
}

#[derive(Clone)]
enum NameChange {
    Put { path: String, node: Node },
    Remove { path: String },
    Rename { from: String, to: String, node: Node },
}

impl NameChange {
    fn directory(&self) -> &str {
        let (Self::Put { path, .. } | Self::Remove { path } | Self::Rename { to: path, .. }) = self;
        parent(path)
    }

    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            Self::Put { path, node } => drop(names.insert(path.clone(), *node)),
            Self::Remove { path } => drop(names.remove(path)),
            Self::Rename { from, to, node } => {
                names.remove(from);
                names.insert(to.clone(), *node);
                let inside = format!("{from}/");
                let moved: Vec<_> = names.keys().filter(|path| path.starts_with(&inside)).cloned().collect();
                for path in moved {
                    let node = names.remove(&path).unwrap();
                    names.insert(path.replacen(from, to, 1), node);
                }
            }
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A directory on a disk, as far as records were applied.
pub(crate) struct Disk<'a> {
    log: &'a [u8],
    files: Vec<File>,
    by_inode: HashMap<u64, usize>,
    /// Names as the process sees them.
    names: BTreeMap<String, Node>,
    durable_names: BTreeMap<String, Node>,
    unsynced_names: Vec<NameChange>,
}

impl<'a> Disk<'a> {
    /// An empty directory.
    pub(crate) fn new(log: &'a [u8]) -> Self {
        Self {
            log,
            files: Vec::new(),
            by_inode: HashMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
        }
    }

    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Make { path, inode } => {
                let file = self.files.len();
                self.files.push(File::default());
                // The number of a file that is gone may be used again.
                self.by_inode.insert(*inode, file);
                self.change_name(NameChange::Put { path: path.clone(), node: Node::File(file) });
            }
            Record::MakeDirectory { path } => {
                self.change_name(NameChange::Put { path: path.clone(), node: Node::Directory });
            }
            Record::Remove { path } => self.change_name(NameChange::Remove { path: path.clone() }),
            Record::Rename { from, to } => {
                assert_eq!(parent(from), parent(to), "a rename from one directory to another");
                let unsynced = self.unsynced_names.iter().find(|change| change.directory() == from);
                assert!(unsynced.is_none(), "{from} is renamed with something unsynced in it");
                let (from, to, node) = (from.clone(), to.clone(), self.names[from]);
                self.change_name(NameChange::Rename { from, to, node });
            }
            Record::SyncDirectory { path } => {
                for change in self.unsynced_names.extract_if(.., |change| change.directory() == path) {
                    change.apply(&mut self.durable_names);
                }
            }
            Record::Write { inode, offset, bytes } => {
                let change = Change::Write { offset: *offset, bytes: bytes.clone() };
                self.file(*inode).unsynced.push(change);
            }
            Record::Resize { inode, size } => self.file(*inode).unsynced.push(Change::Resize(*size)),
            Record::Sync { inode } => {
                let log = self.log;
                let file = self.file(*inode);
                let changes = std::mem::take(&mut file.unsynced);
                for change in &changes {
                    change.apply(&mut file.durable, log);
                }
            }
            Record::Mark(_) => {}
        }
    }

    fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    fn file(&mut self, inode: u64) -> &mut File {
        let file = self.by_inode[&inode];
        &mut self.files[file]
    }

    /// Writes what a power cut would leave now into `directory`.
    pub(crate) fn cut(&self, survival: Survival, random: &mut Random, directory: &Path) {
        let mut names = self.durable_names.clone();
        let journalled = random.below(self.unsynced_names.len() + 1);
        for (index, change) in self.unsynced_names.iter().enumerate() {
            let survives = match survival {
                Survival::Nothing => false,
                Survival::Some(percent) => random.chance(percent),
                Survival::JournalledNames(_) => index < journalled,
                Survival::Everything => true,
            };
            if survives {
                change.apply(&mut names);
            }
        }
        // In order, so a directory comes before what is in it.
        for (path, node) in names {
            let target = directory.join(&path);
            // A name whose directory did not survive is lost with it.
            if !target.parent().unwrap().is_dir() {
                continue;
            }
            match node {
                Node::Directory => fs::create_dir(&target).unwrap(),
                Node::File(file) => {
                    let bytes = self.files[file].after_cut(survival, random, self.log);
                    fs::write(&target, bytes).unwrap();
                }
            }
        }
    }
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>, log: &[u8]) {
        match self {
            Self::Write { offset, bytes } => put(contents, *offset, &log[bytes.clone()]),
            Self::Resize(size) => contents.resize(usize::try_from(*size).unwrap(), 0),
        }
    }
}

fn put(contents: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let start = usize::try_from(offset).unwrap();
    let end = start + bytes.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    contents[start..end].copy_from_slice(bytes);
}

impl File {
    fn after_cut(&self, survival: Survival, random: &mut Random, log: &[u8]) -> Vec<u8> {
        let percent = match survival {
            Survival::Nothing => 0,
            Survival::Some(percent) | Survival::JournalledNames(percent) => percent,
            Survival::Everything => 100,
        };
        let mut contents = self.durable.clone();
        let mut reached = HashMap::new();
        for (index, change) in self.unsynced.iter().enumerate() {
            match change {
                Change::Resize(size) => {
                    if random.chance(percent) {
                        contents.resize(usize::try_from(*size).unwrap(), 0);
                    }
                }
                Change::Write { offset, bytes } => {
                    let mut rest = &log[bytes.clone()];
                    let mut offset = *offset;
                    while !rest.is_empty() {
                        let border = usize::try_from(PIECE - offset % PIECE).unwrap();
                        let (piece, behind) = rest.split_at(border.min(rest.len()));
                        let page = reached.entry(offset / PIECE);
                        if index < *page.or_insert_with(|| self.written_back(percent, random)) {
                            put(&mut contents, offset, piece);
                        }
                        offset += piece.len() as u64;
                        rest = behind;
                    }
                    // The size may get there before the bytes, which are then zero.
                    let end = usize::try_from(offset).unwrap();
                    if contents.len() < end && random.chance(percent / 2) {
                        contents.resize(end, 0);
                    }
                }
            }
        }
        contents
    }

    /// How many of the unsynced changes a page had seen when it was written back last.
    fn written_back(&self, percent: usize, random: &mut Random) -> usize {
        match random.below(100) {
            number if number < percent => self.unsynced.len(),
            number if number < (100 + percent) / 2 && percent > 0 => random.below(self.unsynced.len() + 1),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &[u8] = b"onetwo";

    fn survivors(records: &[Record], survival: Survival) -> Vec<(String, Vec<u8>)> {
        let mut disk = Disk::new(LOG);
        records.iter().for_each(|record| disk.apply(record));
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        disk.cut(survival, &mut Random::new(1), directory.path());
        let mut files: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn only_what_was_synced_is_sure_to_survive() {
        let path = || "a".to_owned();
        let file = |name: &str, contents: &[u8]| vec![(name.to_owned(), contents.to_vec())];
        let write = |range| Record::Write { inode: 7, offset: 0, bytes: range };
        let mut records = vec![Record::Make { path: path(), inode: 7 }, write(0..3), Record::Sync { inode: 7 }];
        assert_eq!(survivors(&records, Survival::Nothing), []);
        assert_eq!(survivors(&records, Survival::Everything), file("a", b"one"));
        records.push(Record::SyncDirectory { path: String::new() });
        records.extend([write(3..6), Record::Resize { inode: 7, size: 2 }]);
        records.push(Record::Rename { from: path(), to: "b".to_owned() });
        assert_eq!(survivors(&records, Survival::Nothing), file("a", b"one"));
        assert_eq!(survivors(&records, Survival::Everything), file("b", b"tw"));
        records.push(Record::SyncDirectory { path: String::new() });
        assert_eq!(survivors(&records, Survival::Nothing), file("b", b"one"));
        records.push(Record::Sync { inode: 7 });
        assert_eq!(survivors(&records, Survival::Nothing), file("b", b"tw"));
    }
}
