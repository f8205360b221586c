//! A password in a file, new at each start, for programs that may read it (Core: `GenerateAuthCookie`, `rpc/request.cpp`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use bitcoin::hex::DisplayHex;
use tracing::warn;

use super::super::options::RpcServerError;
use super::Secret;

/// The user of the cookie (Core: `COOKIEAUTH_USER`).
pub(super) const COOKIE_USER: &str = "__cookie__";
/// Random bytes in a cookie (Core: `COOKIE_SIZE`).
const COOKIE_BYTES: usize = 32;

/// A cookie on disk, removed when this is dropped.
#[derive(Debug)]
pub(super) struct Cookie {
    path: PathBuf,
}

impl Cookie {
    /// Writes a new cookie, whole or not at all, readable by the user who runs the node.
    pub(super) fn write(path: &Path) -> Result<(Self, Secret), RpcServerError> {
        let mut random = [0; COOKIE_BYTES];
        getrandom::fill(&mut random).map_err(RpcServerError::Random)?;
        let password = Secret::new(random.to_lower_hex_string());
        write_atomically(path, &format!("{COOKIE_USER}:{}", password.reveal()))
            .map_err(|source| RpcServerError::Cookie { path: path.to_owned(), source })?;
        Ok((Self { path: path.to_owned() }, password))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Cookie {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            warn!(path = %self.path.display(), %error, "cannot remove the RPC cookie");
        }
    }
}

fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    // A file left by a crash might be readable by others, and stays so when it is written to.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_private(&temporary)?.write_all(text.as_bytes())?;
    fs::rename(&temporary, path)
}

/// Creates a file that nobody else can read, and fails if there is one.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
