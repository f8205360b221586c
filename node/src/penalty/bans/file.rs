//! The list of bans on disk: a file in the folder of the network's data, written as a whole whenever the list changes.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Ban, BanList};
use crate::whole_file::write_json;

/// The file (Core: `banlist.json`, `banman.h`).
const FILE_NAME: &str = "banlist.json";

/// Why the list cannot be read or written.
#[derive(Debug, Error)]
pub(crate) enum BanListError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a list of bans.
    #[error("{} is not a list of bans: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    banned: String,
    #[serde(flatten)]
    ban: Ban,
}

/// Where the list is kept.
#[derive(Debug, Clone)]
pub(crate) struct BanFile(PathBuf);

impl BanFile {
    /// The file in a folder.
    pub(crate) fn new(directory: &Path) -> Self {
        Self(directory.join(FILE_NAME))
    }

    /// Reads the list; one that was never written is empty.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read, or is no list of bans.
    pub(crate) fn read(&self) -> Result<BanList, BanListError> {
        let path = || self.0.clone();
        let bytes = match std::fs::read(&self.0) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BanList::default()),
            Err(source) => return Err(BanListError::Read { path: path(), source }),
        };
        let wrong = |source| BanListError::Format { path: path(), source };
        let lines: Vec<Line> = serde_json::from_slice(&bytes).map_err(wrong)?;
        let read = |line: Line| {
            let banned = line.banned.parse().map_err(|error| wrong(serde::de::Error::custom(error)))?;
            Ok((banned, line.ban))
        };
        lines.into_iter().map(read).collect()
    }

    /// Writes the bans that have not ended.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn write(&self, list: &BanList, now: u64) -> Result<(), BanListError> {
        let line = |(banned, ban): (&_, &Ban)| Line { banned: ToString::to_string(banned), ban: ban.clone() };
        let lines: Vec<_> = list.list(now).map(line).collect();
        write_json(&self.0, &lines).map_err(|source| BanListError::Write { path: self.0.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use cairn_net::{Banned, PeerId};

    use super::super::tests::ban;
    use super::*;

    #[test]
    fn bans_outlive_the_node() {
        let directory = tempfile::tempdir().unwrap();
        let file = BanFile::new(directory.path());
        assert_eq!(file.read().unwrap(), BanList::default());
        let bans = [(Banned::Peer(PeerId::random()), ban(10, 100)), ("192.0.2.0/24".parse().unwrap(), ban(10, 50))];
        let list: BanList = bans.clone().into_iter().collect();
        file.write(&list, 20).unwrap();
        assert_eq!(file.read().unwrap(), list);
        file.write(&list, 50).unwrap();
        assert_eq!(file.read().unwrap(), bans.into_iter().take(1).collect());
    }

    #[test]
    fn a_file_that_is_no_list_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = BanFile::new(directory.path());
        for text in ["{}", r#"[{"banned":"nobody","created":1,"until":2,"reason":""}]"#] {
            std::fs::write(directory.path().join(FILE_NAME), text).unwrap();
            assert!(matches!(file.read(), Err(BanListError::Format { .. })), "{text}");
        }
    }
}
