//! Which file is which.

use std::fs;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockFileKind {
    /// Blocks: `blk?????.dat`.
    Blocks,
    /// Undo data: `rev?????.dat`.
    Undo,
}

impl BlockFileKind {
    pub(super) const ALL: [Self; 2] = [Self::Blocks, Self::Undo];

    fn prefix(self) -> &'static str {
        match self {
            Self::Blocks => "blk",
            Self::Undo => "rev",
        }
    }
}

/// A block or undo file of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) kind: BlockFileKind,
    pub(super) number: u32,
}

impl FileName {
    /// The path in `directory` (Core: `FlatFileSeq::FileName`, `flatfile.cpp`).
    pub(super) fn path(self, directory: &Path) -> PathBuf {
        directory.join(self.to_file_name())
    }

    /// All block and undo files that are in `directory`; files of other names are none of ours.
    pub(super) fn list(directory: &Path) -> Result<Vec<Self>, StoreError> {
        let entries = fs::read_dir(directory).map_err(StoreError::io("list", directory))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", directory))?;
            names.extend(entry.file_name().to_str().and_then(Self::parse));
        }
        Ok(names)
    }

    fn to_file_name(self) -> String {
        format!("{}{:05}.dat", self.kind.prefix(), self.number)
    }

    fn parse(text: &str) -> Option<Self> {
        let parsed = BlockFileKind::ALL.into_iter().find_map(|kind| {
            let number = text.strip_prefix(kind.prefix())?.strip_suffix(".dat")?.parse().ok()?;
            Some(Self { kind, number })
        })?;
        // `blk+1.dat` and `blk1.dat` are numbers too, but not names that we give.
        (parsed.to_file_name() == text).then_some(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_core_and_no_others() {
        for (text, kind, number) in [
            ("blk00000.dat", BlockFileKind::Blocks, 0),
            ("rev00012.dat", BlockFileKind::Undo, 12),
            ("blk123456.dat", BlockFileKind::Blocks, 123_456),
            ("rev4294967295.dat", BlockFileKind::Undo, u32::MAX),
        ] {
            assert_eq!(FileName { kind, number }.to_file_name(), text);
            assert_eq!(FileName::parse(text), Some(FileName { kind, number }));
        }
        for other in
            ["xor.dat", "blk1.dat", "blk+0001.dat", "blk000001.dat", "blk00001.dat~", "rev4294967296.dat", "blk.dat"]
        {
            assert_eq!(FileName::parse(other), None, "{other}");
        }
    }
}
