//! The changes of a flush, written down before they are merged.
//!
//! Merging a generation of coins changes thousands of pages one by one, and a crash may stop it anywhere. So the generation is
//! written to one file first. Once the head says that this journal holds the way to the new tip, the flush counts: whoever opens
//! the directory reads the journal and merges again, which changes nothing where it was merged already.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crc32fast::Hasher;

use super::codec::{StoredReader, write_coin, write_outpoint};
use super::{StoreError, sync_directory};
use crate::coins::{CoinHasher, CoinSalt, Generation};
use crate::script::MAX_SCRIPT_SIZE;

const WHAT: &str = "the journal of coins";
/// Opens the file: what it is, and the version of its format.
const MAGIC: &[u8; 8] = b"coins\0\0\x01";
/// Says that a coin was spent; a coin that was added follows [`ADDED`].
const SPENT: u8 = 0;
const ADDED: u8 = 1;
/// A change is at most this long: outpoint, kind, coin.
const MAX_CHANGE_SIZE: usize = 32 + 5 + 1 + 10 + 10 + 10 + MAX_SCRIPT_SIZE;
const BUFFER_SIZE: usize = 1 << 20;

/// What the head remembers of a journal, so that no other one is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JournalSeal {
    /// Size of the file, in bytes.
    pub(crate) size: u64,
    /// CRC-32 of the file.
    pub(crate) checksum: u32,
}

/// The journal file of a data directory.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    path: PathBuf,
    directory: PathBuf,
}

impl Journal {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { path: directory.join("coins.journal"), directory: directory.to_owned() }
    }

    /// Writes a generation in place of what was there, and returns when it is durable.
    pub(crate) fn write(&self, generation: &Generation) -> Result<JournalSeal, StoreError> {
        self.try_write(generation).map_err(StoreError::io("write", &self.path)).and_then(|seal| {
            sync_directory(&self.directory)?;
            Ok(seal)
        })
    }

    fn try_write(&self, generation: &Generation) -> io::Result<JournalSeal> {
        let mut file = BufWriter::with_capacity(BUFFER_SIZE, File::create(&self.path)?);
        let mut checksum = Hasher::new();
        let mut size = 0;
        let mut put = |bytes: &[u8]| {
            checksum.update(bytes);
            size += bytes.len() as u64;
            file.write_all(bytes)
        };
        put(MAGIC)?;
        let mut bytes = Vec::with_capacity(256);
        for change in generation.changes() {
            bytes.clear();
            write_outpoint(&mut bytes, &change.outpoint);
            match &change.coin {
                None => bytes.push(SPENT),
                Some(coin) => {
                    bytes.push(ADDED);
                    write_coin(&mut bytes, coin);
                }
            }
            put(&bytes)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(JournalSeal { size, checksum: checksum.finalize() })
    }

    /// Reads the generation that was sealed.
    pub(crate) fn read(&self, seal: JournalSeal, salt: CoinSalt) -> Result<Generation, StoreError> {
        let failed = || StoreError::io("read", &self.path);
        let file = File::open(&self.path).map_err(failed())?;
        let got = file.metadata().map_err(failed())?.len();
        let damaged = |detail| StoreError::Damaged { what: WHAT, detail };
        if got != seal.size {
            return Err(damaged(format!("expected {} bytes, got {got}", seal.size)));
        }
        let got = checksum_of(&file).map_err(failed())?;
        if got != seal.checksum {
            return Err(damaged(format!("expected checksum {:08x}, got {got:08x}", seal.checksum)));
        }
        let mut changes = ChangeReader::new(File::open(&self.path).map_err(failed())?);
        changes.fill().map_err(failed())?;
        changes.check_magic()?;
        let hasher = CoinHasher::new(salt);
        let mut generation = Generation::default();
        while changes.fill().map_err(failed())? {
            changes.read_into(&mut generation, &hasher)?;
        }
        Ok(generation)
    }

    /// Removes the file; its seal must not be the head's any more.
    pub(crate) fn remove(&self) -> Result<(), StoreError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", &self.path)(error)),
            _ => Ok(()),
        }
    }
}

fn checksum_of(file: &File) -> io::Result<u32> {
    let mut checksum = Hasher::new();
    let mut buffer = vec![0; BUFFER_SIZE];
    let mut file = file;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(checksum.finalize()),
            count => checksum.update(&buffer[..count]),
        }
    }
}

/// Reads changes through a buffer that always holds a whole one.
struct ChangeReader {
    file: BufReader<File>,
    buffer: Vec<u8>,
    position: usize,
}

impl ChangeReader {
    fn new(file: File) -> Self {
        Self { file: BufReader::new(file), buffer: Vec::new(), position: 0 }
    }

    /// Reads ahead; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.buffer.len() - self.position < MAX_CHANGE_SIZE {
            self.buffer.drain(..self.position);
            self.position = 0;
            self.file.by_ref().take(BUFFER_SIZE as u64).read_to_end(&mut self.buffer)?;
        }
        Ok(self.position < self.buffer.len())
    }

    fn check_magic(&mut self) -> Result<(), StoreError> {
        let mut reader = StoredReader::new(&self.buffer, WHAT);
        let got = reader.take(MAGIC.len())?;
        if got != MAGIC {
            return Err(reader.damaged(format!("expected it to start with {MAGIC:?}, got {got:?}")));
        }
        self.position = MAGIC.len();
        Ok(())
    }

    fn read_into(&mut self, generation: &mut Generation, hasher: &CoinHasher) -> Result<(), StoreError> {
        let mut reader = StoredReader::new(&self.buffer[self.position..], WHAT);
        let outpoint = reader.outpoint()?;
        match reader.u8()? {
            SPENT => generation.mark_spent(hasher, outpoint),
            ADDED => generation.add(hasher, outpoint, reader.coin()?, false),
            got => return Err(reader.damaged(format!("expected a change of kind 0 or 1, got {got}"))),
        }
        self.position = self.buffer.len() - reader.left().len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
    use bitcoin::{Amount, OutPoint, Txid};

    use crate::coins::{Coin, CoinScript};

    const SALT: CoinSalt = CoinSalt([4; 16]);

    fn generation(count: u32) -> Generation {
        let hasher = CoinHasher::new(SALT);
        let mut generation = Generation::default();
        for number in 0..count {
            let outpoint = OutPoint { txid: Txid::from_byte_array([7; 32]), vout: number };
            if number % 3 == 0 {
                generation.mark_spent(&hasher, outpoint);
            } else {
                let script = vec![0x51; usize::try_from(number % 10_001).unwrap()];
                let coin = Coin {
                    amount: Amount::from_sat(number.into()),
                    script_pubkey: CoinScript::from(&script[..]),
                    height: number,
                    is_coinbase: number % 2 == 0,
                };
                generation.add(&hasher, outpoint, coin, true);
            }
        }
        generation
    }

    fn changes(generation: &Generation) -> Vec<(OutPoint, Option<Coin>)> {
        let mut changes: Vec<_> = generation.changes().map(|change| (change.outpoint, change.coin.clone())).collect();
        changes.sort_by_key(|(outpoint, _)| *outpoint);
        changes
    }

    #[test]
    fn a_generation_survives() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path());
        for count in [0, 1, 3_000] {
            let seal = journal.write(&generation(count)).unwrap();
            let read = journal.read(seal, SALT).unwrap();
            assert_eq!(changes(&read), changes(&generation(count)));
        }
        journal.remove().unwrap();
        journal.remove().unwrap();
    }

    #[test]
    fn another_or_a_damaged_journal_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path());
        let seal = journal.write(&generation(100)).unwrap();
        let bytes = fs::read(&journal.path).unwrap();
        for damage in [0, 8, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[damage] ^= 1;
            fs::write(&journal.path, damaged).unwrap();
            assert!(matches!(journal.read(seal, SALT), Err(StoreError::Damaged { .. })));
        }
        fs::write(&journal.path, &bytes[1..]).unwrap();
        assert!(matches!(journal.read(seal, SALT), Err(StoreError::Damaged { .. })));
        journal.remove().unwrap();
        assert!(matches!(journal.read(seal, SALT), Err(StoreError::Io { .. })));
    }
}
