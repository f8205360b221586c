//! One wallet is one SQLite file: its descriptors, its sealed secret, what it showed and what it knows of the chain.
//!
//! Every change is one transaction, synced before it counts, so that a wallet that is killed is as it was before or after. The file
//! is locked while it is open: two commands that spend the same coins would be worse than one that waits. Whoever waits does so for a
//! lock of the file itself: of SQLite's own, each of several could get a part, and none the whole.
//!
//! | file | holds |
//! |---|---|
//! | `error` | what can be wrong with a file |
//! | `labels` | notes to addresses and transactions |

mod error;
mod labels;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use bdk_wallet::chain::{ConfirmationBlockTime, local_chain, tx_graph};
use bdk_wallet::rusqlite::{self, Connection, OpenFlags, OptionalExtension, named_params};
use bdk_wallet::{ChangeSet, WalletPersister};
use bitcoin::BlockHash;
use bitcoin::bip32::Fingerprint;

pub use error::StoreError;
pub use labels::Labelled;

use crate::secret::Sealed;

type Graph = tx_graph::ChangeSet<ConfirmationBlockTime>;

/// `PRAGMA application_id` of our files: "CRNW".
const APPLICATION_ID: i32 = 0x4352_4e57;
/// `PRAGMA user_version`: the schema below.
const SCHEMA_VERSION: i32 = 1;
const SCHEMA: &str = "
    CREATE TABLE wallet (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        network TEXT NOT NULL,
        genesis TEXT NOT NULL,
        descriptor TEXT NOT NULL,
        birthday INTEGER NOT NULL,
        gap_limit INTEGER NOT NULL,
        fingerprints TEXT NOT NULL
    ) STRICT;
    CREATE TABLE secret (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        has_passphrase INTEGER NOT NULL,
        memory INTEGER NOT NULL, passes INTEGER NOT NULL, lanes INTEGER NOT NULL,
        salt BLOB NOT NULL, nonce BLOB NOT NULL, ciphertext BLOB NOT NULL
    ) STRICT;
    CREATE TABLE label (kind TEXT NOT NULL, reference TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, reference)) STRICT;
";
/// Largest gap limit: each command derives that many addresses ahead.
pub(crate) const MAX_GAP_LIMIT: u32 = 100_000;
/// How long a command waits for another one that has the wallet open.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How often it looks whether that has ended.
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// What a wallet is, and stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its network's name.
    pub network: String,
    /// The first block of its network.
    pub genesis: BlockHash,
    /// Its descriptors as one (BIP389).
    pub descriptor: String,
    /// Height of the first block that may concern it.
    pub birthday: u32,
    /// Addresses in a row without a payment after which no more are looked for.
    pub gap_limit: u32,
    /// Master keys that it signs with.
    pub fingerprints: Vec<Fingerprint>,
}

/// A wallet's file, locked.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Let go after the connection is closed: closing any handle of the file lets go of SQLite's locks, too.
    _lock: File,
    path: PathBuf,
}

impl Store {
    /// Creates a wallet's file, whole or not at all.
    ///
    /// `fill` puts in what BDK keeps.
    ///
    /// # Errors
    ///
    /// When there is one already, or it cannot be written.
    pub(crate) fn create<E: From<StoreError>>(
        path: &Path,
        record: &Record,
        secret: Option<(&Sealed, bool)>,
        fill: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let error = |source| StoreError::Io { path: path.to_owned(), source };
        let directory = path.parent().expect("a wallet's file is in a folder");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(error)?;
        if path.exists() {
            return Err(StoreError::Exists { path: path.to_owned() }.into());
        }
        // It gets its name when everything is in it.
        let unfinished = path.with_extension(format!("{}.new", std::process::id()));
        let _ = fs::remove_file(&unfinished);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(error)?;
        let mut store = Self::connect(&unfinished)?;
        let filled = store.initialise(record, secret).map_err(E::from).and_then(|()| fill(&mut store));
        drop(store);
        let named = filled.and_then(|()| {
            // A hard link, unlike a renaming, never takes another wallet's place.
            fs::hard_link(&unfinished, path).map_err(|source| match source.kind() {
                std::io::ErrorKind::AlreadyExists => StoreError::Exists { path: path.to_owned() },
                _ => error(source),
            })?;
            File::open(directory).and_then(|directory| directory.sync_all()).map_err(error)?;
            Ok(())
        });
        let _ = fs::remove_file(&unfinished);
        named
    }

    /// Opens a wallet's file, and locks it.
    ///
    /// # Errors
    ///
    /// When there is none, it is damaged, another version's, or another command has it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let store = Self::connect(path)?;
        store.check().map_err(|error| error.of(path))?;
        Ok(store)
    }

    /// Waits for the lock, and opens the database.
    fn connect(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        Ok(Self { connection: connect(path)?, _lock: lock, path: path.to_owned() })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn initialise(&mut self, record: &Record, secret: Option<(&Sealed, bool)>) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        let fingerprints: Vec<_> = record.fingerprints.iter().map(ToString::to_string).collect();
        transaction.execute(
            "INSERT INTO wallet VALUES (0, :network, :genesis, :descriptor, :birthday, :gap_limit, :fingerprints)",
            named_params! {
                ":network": record.network, ":genesis": record.genesis.to_string(), ":descriptor": record.descriptor,
                ":birthday": record.birthday, ":gap_limit": record.gap_limit, ":fingerprints": fingerprints.join(" "),
            },
        )?;
        if let Some((sealed, has_passphrase)) = secret {
            transaction.execute(
                "INSERT INTO secret VALUES (0, :has_passphrase, :memory, :passes, :lanes, :salt, :nonce, :ciphertext)",
                named_params! {
                    ":has_passphrase": has_passphrase, ":memory": sealed.memory, ":passes": sealed.passes,
                    ":lanes": sealed.lanes, ":salt": sealed.salt, ":nonce": sealed.nonce,
                    ":ciphertext": sealed.ciphertext,
                },
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Whether it is a wallet's file, and whole.
    fn check(&self) -> Result<(), StoreError> {
        let pragma = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        if pragma("application_id")? != APPLICATION_ID {
            return Err(StoreError::Damaged { path: self.path.clone(), problem: "it is no wallet of ours".to_owned() });
        }
        let version = pragma("user_version")?;
        if version != SCHEMA_VERSION {
            return Err(StoreError::OtherVersion { path: self.path.clone(), got: version, expected: SCHEMA_VERSION });
        }
        let found: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(StoreError::Damaged { path: self.path.clone(), problem: found });
        }
        Ok(())
    }

    /// What the wallet is.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn record(&self) -> Result<Record, StoreError> {
        let damaged = |problem: &str| StoreError::Damaged { path: self.path.clone(), problem: problem.to_owned() };
        let read = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get::<_, String>("network")?,
                row.get::<_, String>("genesis")?,
                row.get::<_, String>("descriptor")?,
                row.get::<_, u32>("birthday")?,
                row.get::<_, u32>("gap_limit")?,
                row.get::<_, String>("fingerprints")?,
            ))
        };
        let row = self.connection.query_row("SELECT * FROM wallet", [], read).optional()?;
        let (network, genesis, descriptor, birthday, gap_limit, fingerprints) =
            row.ok_or_else(|| damaged("it says of no network"))?;
        if gap_limit > MAX_GAP_LIMIT {
            return Err(damaged("its gap limit is beyond all sense"));
        }
        Ok(Record {
            network,
            genesis: genesis.parse().map_err(|_| damaged("its genesis is no hash"))?,
            descriptor,
            birthday,
            gap_limit,
            fingerprints: fingerprints
                .split_whitespace()
                .map(|text| Fingerprint::from_str(text).map_err(|_| damaged("a fingerprint is none")))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The sealed secret, and whether a passphrase has to be typed for it. Nothing in a wallet that only watches.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn secret(&self) -> Result<Option<(Sealed, bool)>, StoreError> {
        let read = |row: &rusqlite::Row<'_>| {
            let sealed = Sealed {
                memory: row.get("memory")?,
                passes: row.get("passes")?,
                lanes: row.get("lanes")?,
                salt: row.get("salt")?,
                nonce: row.get("nonce")?,
                ciphertext: row.get("ciphertext")?,
            };
            Ok((sealed, row.get("has_passphrase")?))
        };
        Ok(self.connection.query_row("SELECT * FROM secret", [], read).optional()?)
    }

    /// Forgets everything about the chain and keeps what the wallet showed, and its labels.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn forget_chain(&mut self, birthday: u32) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        // Those that refer to others come first. The first block stays: it says which chain it is.
        for table in [Graph::ANCHORS_TABLE_NAME, Graph::TXOUTS_TABLE_NAME, Graph::TXS_TABLE_NAME] {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        let blocks = local_chain::ChangeSet::BLOCKS_TABLE_NAME;
        transaction.execute(&format!("DELETE FROM {blocks} WHERE block_height > 0"), [])?;
        transaction.execute("UPDATE wallet SET birthday = ?1", [birthday])?;
        transaction.commit()?;
        Ok(())
    }

    /// Writes a copy of the whole file, which must not be there yet.
    ///
    /// # Errors
    ///
    /// When it is there, or cannot be written.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let error = |source| StoreError::Io { path: to.to_owned(), source };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(to) {
            Ok(_) => {}
            Err(source) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Exists { path: to.to_owned() });
            }
            Err(source) => return Err(error(source)),
        }
        // An empty file is an empty database to SQLite, so it may be written to.
        self.connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        File::open(to).and_then(|file| file.sync_all()).map_err(error)
    }
}

/// Locks the file, as soon as no other command has it.
fn lock(path: &Path) -> Result<File, StoreError> {
    let error = |source| StoreError::Io { path: path.to_owned(), source };
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(error)?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_INTERVAL),
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
    }
}

/// Opens the database, which nobody else has now.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(LOCK_TIMEOUT)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        // The secret is sealed; what is deleted says where coins were.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        Ok(connection)
    };
    open().map_err(|error| StoreError::from(error).of(path))
}

impl WalletPersister for Store {
    type Error = StoreError;

    fn initialize(store: &mut Self) -> Result<ChangeSet, StoreError> {
        let transaction = store.connection.transaction()?;
        ChangeSet::init_sqlite_tables(&transaction)?;
        let changes = ChangeSet::from_sqlite(&transaction)?;
        transaction.commit()?;
        Ok(changes)
    }

    fn persist(store: &mut Self, changes: &ChangeSet) -> Result<(), StoreError> {
        let transaction = store.connection.transaction()?;
        changes.persist_to_sqlite(&transaction)?;
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
