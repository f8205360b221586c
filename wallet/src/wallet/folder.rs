//! The wallets of a data directory, by name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::WalletError;
use crate::store::StoreError;

/// Ending of the files.
const ENDING: &str = "wallet";
/// Longest name, in bytes: names are parts of file names.
const MAX_NAME: usize = 64;
/// The wallet that is meant when there are several and none is named.
const DEFAULT: &str = "default";

/// Where the wallets of a network lie.
#[derive(Debug, Clone)]
pub struct WalletFolder(PathBuf);

impl WalletFolder {
    /// The wallets within a network's data.
    #[must_use]
    pub fn within(network_directory: &Path) -> Self {
        Self(network_directory.join("wallets"))
    }

    /// Where the wallet of that name lies, whether it is there or not.
    ///
    /// # Errors
    ///
    /// When that is no name.
    pub fn path(&self, name: &str) -> Result<PathBuf, WalletError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > MAX_NAME || name.starts_with('.') || !name.chars().all(is_allowed) {
            return Err(WalletError::Name { got: name.to_owned() });
        }
        Ok(self.0.join(format!("{name}.{ENDING}")))
    }

    /// The names of all wallets, sorted.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, WalletError> {
        let error = |source| StoreError::Io { path: self.0.clone(), source };
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(error(source).into()),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(error)?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// The wallet that is meant: the one that is named, else the only one, else the one called `default`.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not clear which.
    pub fn choose(&self, name: Option<&str>) -> Result<(String, PathBuf), WalletError> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => {
                let mut names = self.names()?;
                match names.as_slice() {
                    [] => return Err(WalletError::NoWallet { folder: self.0.clone() }),
                    [_] => names.remove(0),
                    _ if names.iter().any(|name| name == DEFAULT) => DEFAULT.to_owned(),
                    _ => return Err(WalletError::WhichWallet { names: names.join(", ") }),
                }
            }
        };
        let path = self.path(&name)?;
        Ok((name, path))
    }
}
