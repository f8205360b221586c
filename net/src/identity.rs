//! The key that a node is known by.
//!
//! A peer's name (`PeerId`) is made from its public key, and every connection proves that the peer has the secret one. So a
//! node keeps its key in a file that nobody else may read: whoever has it can pass for the node.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use libp2p::identity::{Keypair, ed25519};
use thiserror::Error;

/// Bytes of an ed25519 secret key, which is all the file holds.
const SECRET_KEY_SIZE: usize = 32;

/// Why a node has no identity.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The file cannot be read.
    #[error("cannot read the node's key {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A new file cannot be written.
    #[error("cannot write the node's key {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is not a node's key: {got} bytes, expected {SECRET_KEY_SIZE}", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// Its size in bytes, or one byte more than a key's when it is larger.
        got: usize,
    },
    /// Others than its owner may read the file.
    #[error("the node's key {} may be read by others (mode {mode:03o}, expected 600): chmod 600 it, or remove it to get a new one", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system gives no random bytes.
    #[error("no random bytes for the node's key: {0}")]
    NoRandomness(getrandom::Error),
}

/// The key in the file `path`, or a new one, which is then there.
///
/// A file is either absent or holds a whole key: the key is written and synced under another name, and then named `path`
/// unless that name is taken by now. Its mode is 0600.
///
/// # Errors
///
/// When the file cannot be read or written, holds no key, or may be read by others.
pub fn load_or_create_identity(path: &Path) -> Result<Keypair, IdentityError> {
    match load(path)? {
        Some(key) => Ok(key),
        None => create(path),
    }
}

fn load(path: &Path) -> Result<Option<Keypair>, IdentityError> {
    let read = |source| IdentityError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(read(error)),
    };
    let mode = file.metadata().map_err(read)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(IdentityError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::with_capacity(SECRET_KEY_SIZE + 1);
    file.take(SECRET_KEY_SIZE as u64 + 1).read_to_end(&mut bytes).map_err(read)?;
    let got = bytes.len();
    let not_a_key = || IdentityError::NotAKey { path: path.to_owned(), got };
    let secret: [u8; SECRET_KEY_SIZE] = bytes.try_into().map_err(|_| not_a_key())?;
    Ok(Some(keypair(secret)))
}

fn create(path: &Path) -> Result<Keypair, IdentityError> {
    let mut secret = [0; SECRET_KEY_SIZE];
    getrandom::fill(&mut secret).map_err(IdentityError::NoRandomness)?;
    let write = |source| IdentityError::Write { path: path.to_owned(), source };
    let temporary = temporary_beside(path)?;
    let written = write_new(&temporary, &secret)
        // Unlike a rename, a link does not replace the key of a process that was faster.
        .and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return load(path)?.ok_or_else(|| write(error));
        }
        result => result.and(removed).map_err(write)?,
    }
    sync_directory_of(path).map_err(write)?;
    Ok(keypair(secret))
}

/// A name of our own in the same directory.
fn temporary_beside(path: &Path) -> Result<PathBuf, IdentityError> {
    let unique = getrandom::u64().map_err(IdentityError::NoRandomness)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{unique:016x}.new"));
    Ok(path.with_file_name(name))
}

fn write_new(path: &Path, secret: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(secret)?;
    file.sync_all()
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

fn keypair(mut secret: [u8; SECRET_KEY_SIZE]) -> Keypair {
    // This also overwrites `secret`.
    let secret = ed25519::SecretKey::try_from_bytes(&mut secret).expect("any 32 bytes are an ed25519 secret key");
    ed25519::Keypair::from(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_key_survives_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity");
        let first = load_or_create_identity(&path).unwrap();
        let second = load_or_create_identity(&path).unwrap();
        assert_eq!(first.public(), second.public());
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "the temporary file stayed");
    }

    #[test]
    fn nodes_differ() {
        let directory = tempfile::tempdir().unwrap();
        let key = |name| load_or_create_identity(&directory.path().join(name)).unwrap().public();
        assert_ne!(key("a"), key("b"));
    }

    #[test]
    fn processes_that_start_together_agree() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let start = || scope.spawn(|| load_or_create_identity(&path).unwrap().public());
            let threads: Vec<_> = (0..8).map(|_| start()).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn other_sizes_are_no_keys() {
        let directory = tempfile::tempdir().unwrap();
        for (size, expected) in [(0, 0), (31, 31), (33, 33), (5000, 33)] {
            let path = directory.path().join(size.to_string());
            write_new(&path, &vec![7; size]).unwrap();
            let error = load_or_create_identity(&path).unwrap_err();
            assert!(matches!(error, IdentityError::NotAKey { got, .. } if got == expected), "{error}");
            assert_eq!(fs::read(&path).unwrap().len(), size, "the file was touched");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity");
        load_or_create_identity(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = load_or_create_identity(&path).unwrap_err().to_string();
        assert!(error.contains("mode 640") && error.contains("identity"), "{error}");
    }

    #[test]
    fn a_missing_directory_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("absent/identity");
        let error = load_or_create_identity(&path).unwrap_err();
        assert!(matches!(&error, IdentityError::Write { path: named, .. } if *named == path), "{error}");
    }
}
