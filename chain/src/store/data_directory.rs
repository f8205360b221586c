//! One directory for one network, used by one process.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bitcoin::hex::{DisplayHex, FromHex};

use super::{SCHEMA_VERSION, StoreError, sync_directory, sync_parent};
use crate::coins::CoinSalt;
use crate::params::ChainParams;

/// A data directory that this process alone uses, as long as this lives.
///
/// `directory.toml` says what it is, and is read before anything else is touched.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    salt: CoinSalt,
    /// Holds the lock.
    _lock: File,
}

const WHAT: &str = "directory.toml";

impl DataDirectory {
    /// Opens the directory, or makes it.
    ///
    /// # Errors
    ///
    /// When another process uses it, when it belongs to another network or was written by another version (it is then left as
    /// it is), or when it cannot be read or written.
    pub fn open(path: &Path, params: &ChainParams) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(StoreError::io("make", path))?;
        let lock = lock(path)?;
        let description = path.join(WHAT);
        let salt = match fs::read_to_string(&description) {
            Ok(text) => check(path, &text, params)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, params)?,
            Err(error) => return Err(StoreError::io("read", &description)(error)),
        };
        // Even when all was there: whoever made it may have been killed before it was durable.
        sync_directory(path)?;
        sync_parent(path)?;
        Ok(Self { path: path.to_owned(), salt, _lock: lock })
    }

    /// Whether there is one at `path`: opening would not make it.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        path.join(WHAT).exists()
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret its coins are spread by.
    #[must_use]
    pub fn salt(&self) -> CoinSalt {
        self.salt
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = path.join(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path);
    let file = file.map_err(StoreError::io("open", &lock_path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &lock_path)(error)),
    }
}

/// Reads the description and compares it with what was asked for. The version comes first: of what another one means by the
/// rest nothing is known.
fn check(path: &Path, text: &str, params: &ChainParams) -> Result<CoinSalt, StoreError> {
    let damaged = |detail: String| StoreError::Damaged { what: WHAT, detail };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| damaged(error.message().to_owned()))?;
    let string = |key: &str| {
        table.get(key).and_then(toml::Value::as_str).ok_or_else(|| damaged(format!("expected a text '{key}'")))
    };
    let schema = table.get("schema").and_then(toml::Value::as_integer).and_then(|schema| u32::try_from(schema).ok());
    let got = schema.ok_or_else(|| damaged("expected a number 'schema'".to_owned()))?;
    if got != SCHEMA_VERSION {
        return Err(StoreError::SchemaVersion { path: path.to_owned(), expected: SCHEMA_VERSION, got });
    }
    let (got, expected) = (string("network")?, &params.name);
    if got != expected {
        return Err(StoreError::OtherNetwork {
            path: path.to_owned(),
            expected: expected.clone(),
            got: got.to_owned(),
        });
    }
    let (got, expected) = (string("spec_hash")?, spec_hash(params));
    if got != expected {
        let named = |hash: &str| format!("{} with rules {hash}", params.name);
        return Err(StoreError::OtherNetwork { path: path.to_owned(), expected: named(&expected), got: named(got) });
    }
    let salt = <[u8; 16]>::from_hex(string("coin_salt")?);
    Ok(CoinSalt(salt.map_err(|_| damaged("expected a 'coin_salt' of 32 hexadecimal digits".to_owned()))?))
}

fn create(path: &Path, params: &ChainParams) -> Result<CoinSalt, StoreError> {
    for data in ["blocks", "database"] {
        if path.join(data).exists() {
            let detail = format!("expected it beside '{data}' in {}, got none", path.display());
            return Err(StoreError::Damaged { what: WHAT, detail });
        }
    }
    let salt = CoinSalt::random();
    let text = format!(
        "# What this directory is. Written once, by Cairn; without it the data beside it cannot be read.\n\
         schema = {SCHEMA_VERSION}\nnetwork = {:?}\nspec_hash = \"{}\"\ncoin_salt = \"{}\"\n",
        params.name,
        spec_hash(params),
        salt.0.as_hex()
    );
    // Under another name first: a file that is there is whole.
    let (temporary, description) = (path.join("directory.toml.new"), path.join(WHAT));
    File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, &description))
        .map_err(StoreError::io("write", &description))?;
    Ok(salt)
}

fn spec_hash(params: &ChainParams) -> String {
    params.spec_hash().to_lower_hex_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::RegtestOptions;

    fn listing(path: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_directory_is_made_once_and_locked() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a").join("devnet");
        assert!(!DataDirectory::exists(&path));
        let opened = DataDirectory::open(&path, &ChainParams::devnet()).unwrap();
        let salt = opened.salt();
        let error = DataDirectory::open(&path, &ChainParams::devnet()).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is in use by another process", path.display()));
        drop(opened);
        assert!(DataDirectory::exists(&path));
        assert_eq!(DataDirectory::open(&path, &ChainParams::devnet()).unwrap().salt(), salt);
    }

    #[test]
    fn other_networks_and_versions_are_refused_and_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path();
        drop(DataDirectory::open(path, &ChainParams::regtest(RegtestOptions::default())).unwrap());
        let before = listing(path);
        let refused = |params: &ChainParams| DataDirectory::open(path, params).unwrap_err().to_string();
        assert_eq!(
            refused(&ChainParams::main()),
            format!("{} belongs to network regtest, expected main", path.display())
        );
        let changed = RegtestOptions { activation_heights: vec!["csv@5".parse().unwrap()], ..Default::default() };
        assert!(refused(&ChainParams::regtest(changed)).contains("belongs to network regtest with rules"));
        assert_eq!(listing(path), before);

        for (schema, expected) in [
            ("schema = 0", "has storage format 0, this version reads and writes 1"),
            ("schema = 2", "has storage format 2, this version reads and writes 1"),
            ("", "expected a number 'schema'"),
            ("schema = 1", "expected a text 'network'"),
            ("]", "directory.toml is damaged"),
        ] {
            fs::write(path.join(WHAT), schema).unwrap();
            let before = listing(path);
            let message = refused(&ChainParams::main());
            assert!(message.contains(expected), "{message}");
            assert_eq!(listing(path), before);
        }
        fs::remove_file(path.join(WHAT)).unwrap();
        fs::create_dir(path.join("blocks")).unwrap();
        assert!(refused(&ChainParams::main()).contains("expected it beside 'blocks'"));
    }
}
