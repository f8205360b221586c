//! What of a directory counts.
//!
//! The manifest is a file of TOML that is replaced as a whole. Its last line is a CRC-32 of all lines before it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bitcoin::BlockHash;
use bitcoin::hex::{DisplayHex, FromHex};
use toml::{Table, Value};

use super::locator::Locator;
use super::record::Salt;
use super::{INDEX_SCHEMA_VERSION, IndexError};
use crate::chainstate::BlockReference;
use crate::store::sync_directory;

const FILE_NAME: &str = "manifest.toml";
const CHECKSUM: &str = "checksum = ";

/// What of a directory counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) salt: Salt,
    /// The block up to which the runs are complete, and some before it.
    pub(super) locator: Locator,
    /// The runs, the oldest first.
    pub(super) runs: Vec<RunEntry>,
}

/// A run that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunEntry {
    pub(super) number: u64,
    pub(super) records: u64,
}

impl Manifest {
    /// Reads the manifest of a directory; nothing if there is none.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, IndexError> {
        let path = directory.join(FILE_NAME);
        match fs::read(&path) {
            Ok(bytes) => Self::parse(&path, &bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(IndexError::io("read", &path)(error)),
        }
    }

    /// Puts it in place of the one before, and returns when that is durable. What it names has to be durable already.
    pub(super) fn write(&self, directory: &Path) -> Result<(), IndexError> {
        let (path, temporary) = (directory.join(FILE_NAME), temporary_path(directory));
        File::create(&temporary)
            .and_then(|mut file| {
                file.write_all(self.to_text().as_bytes())?;
                file.sync_all()
            })
            .map_err(IndexError::io("write", &temporary))?;
        // Runs have to have their names before they are named here.
        sync_directory(directory)?;
        fs::rename(&temporary, &path).map_err(IndexError::io("write", &path))?;
        Ok(sync_directory(directory)?)
    }

    fn to_text(&self) -> String {
        let lines = |lines: Vec<String>| lines.concat();
        let runs = lines(self.runs.iter().map(|run| format!("    [{}, {}],\n", run.number, run.records)).collect());
        let blocks = self.locator.blocks().iter().map(|block| format!("    [{}, \"{}\"],\n", block.height, block.hash));
        let text = format!(
            "# An index of transactions by Cairn. Delete this directory to build it anew; changing a file makes it useless.\n\
             schema = {INDEX_SCHEMA_VERSION}\nsalt = \"{}\"\n# Number of the file, transactions in it.\nruns = [\n{runs}]\n\
             # Blocks by height and hash; up to the last one the index is complete.\nblocks = [\n{}]\n",
            self.salt.0.as_hex(),
            lines(blocks.collect())
        );
        let checksum = crc32fast::hash(text.as_bytes());
        format!("{text}{CHECKSUM}\"{checksum:08x}\"\n")
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, IndexError> {
        let damaged = |detail: String| IndexError::Damaged { path: path.to_owned(), detail };
        let text = str::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
        let table: Table = text.parse().map_err(|error: toml::de::Error| damaged(error.message().to_owned()))?;
        // The version comes first: of what another one means by the rest nothing is known.
        let got =
            table.get("schema").and_then(whole).ok_or_else(|| damaged("expected a number 'schema'".to_owned()))?;
        if got != u64::from(INDEX_SCHEMA_VERSION) {
            return Err(IndexError::SchemaVersion { path: path.to_owned(), expected: INDEX_SCHEMA_VERSION, got });
        }
        let summed = text.rfind(CHECKSUM).map_or(text, |end| &text[..end]);
        let expected = format!("{:08x}", crc32fast::hash(summed.as_bytes()));
        let got = table.get("checksum").and_then(Value::as_str).unwrap_or("none");
        if got != expected {
            return Err(damaged(format!("expected checksum {expected}, got {got}")));
        }
        // Only another program could have written what is wrong from here on.
        let salt = table.get("salt").and_then(Value::as_str).and_then(|hex| <[u8; 16]>::from_hex(hex).ok());
        let salt = salt.ok_or_else(|| damaged("expected a 'salt' of 32 hexadecimal digits".to_owned()))?;
        let runs = entries(&table, "runs", run_entry).ok_or_else(|| damaged("expected 'runs'".to_owned()))?;
        let blocks = entries(&table, "blocks", block_entry).and_then(Locator::new);
        let locator = blocks.ok_or_else(|| damaged("expected 'blocks' of growing height".to_owned()))?;
        Ok(Self { salt: Salt(salt), locator, runs })
    }
}

/// Where a manifest is written before it takes its place.
pub(super) fn temporary_path(directory: &Path) -> PathBuf {
    directory.join("manifest.toml.new")
}

fn whole(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|number| u64::try_from(number).ok())
}

/// A list of pairs.
fn entries<T>(table: &Table, key: &str, read: fn(&Value, &Value) -> Option<T>) -> Option<Vec<T>> {
    let read_pair = |pair: &Value| match pair.as_array()?.as_slice() {
        [first, second] => read(first, second),
        _ => None,
    };
    table.get(key)?.as_array()?.iter().map(read_pair).collect()
}

fn run_entry(number: &Value, records: &Value) -> Option<RunEntry> {
    Some(RunEntry { number: whole(number)?, records: whole(records)? })
}

fn block_entry(height: &Value, hash: &Value) -> Option<BlockReference> {
    let hash: BlockHash = hash.as_str()?.parse().ok()?;
    Some(BlockReference { height: u32::try_from(whole(height)?).ok()?, hash })
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;

    use super::*;

    fn manifest(blocks: u32) -> Manifest {
        let block = |height| BlockReference { height, hash: BlockHash::from_byte_array([9; 32]) };
        let runs = (0..u64::from(blocks)).map(|number| RunEntry { number, records: 10 + number }).collect();
        Manifest { salt: Salt([3; 16]), locator: Locator::new((0..blocks).map(block).collect()).unwrap(), runs }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(directory.path()).unwrap(), None);
        for blocks in [0, 1, 5] {
            manifest(blocks).write(directory.path()).unwrap();
            assert_eq!(Manifest::read(directory.path()).unwrap().unwrap(), manifest(blocks));
        }
        assert!(!temporary_path(directory.path()).exists());
    }

    #[test]
    fn a_damaged_one_is_refused() {
        let path = Path::new("txindex/manifest.toml");
        let text = manifest(2).to_text();
        for offset in 0..text.len() - 1 {
            for bit in [1, 0x80] {
                let mut damaged = text.clone().into_bytes();
                damaged[offset] ^= bit;
                let error = Manifest::parse(path, &damaged).unwrap_err();
                assert!(matches!(error, IndexError::Damaged { .. } | IndexError::SchemaVersion { .. }), "{error}");
            }
            assert!(Manifest::parse(path, &text.as_bytes()[..offset]).is_err(), "{offset}");
        }
        let error = Manifest::parse(path, b"schema = 1\nchecksum = \"00000000\"\n").unwrap_err().to_string();
        let expected = "expected checksum bdabe1e0, got 00000000; delete txindex to build the index anew";
        assert_eq!(error, format!("txindex/manifest.toml is damaged: {expected}"));
    }

    #[test]
    fn one_of_another_version_is_refused() {
        let error = Manifest::parse(Path::new("txindex/manifest.toml"), b"schema = 2\nother = true").unwrap_err();
        let expected = "txindex/manifest.toml has storage format 2, this version reads and writes 1; use the version that wrote \
                        it, or delete txindex to build the index anew";
        assert_eq!(error.to_string(), expected);
    }
}
