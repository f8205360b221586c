//! Where a node can be reached, in a file for other programs.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::NodeError;
use crate::whole_file::write_json;

/// The file's name in the folder of the network's data.
const FILE_NAME: &str = "endpoints.json";

/// Where a node can be reached: the addresses as they are, where "any free port" was asked for too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    /// The process.
    pub(crate) pid: u32,
    /// Where JSON-RPC is served.
    pub(crate) rpc: Vec<SocketAddr>,
    /// Where metrics and health are served.
    pub(crate) metrics: Vec<SocketAddr>,
    /// Multiaddresses that take connections of peers.
    pub(crate) p2p: Vec<String>,
}

impl Endpoints {
    /// What the node that uses this folder wrote, or one that was killed; nothing if there is no such file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is another's.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        match fs::read(directory.join(FILE_NAME)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The file of a node that runs. It goes when this does.
#[derive(Debug)]
pub(crate) struct EndpointsFile(PathBuf);

impl EndpointsFile {
    /// Takes away what a node left that was killed.
    pub(super) fn clear(directory: &Path) {
        // Only a program that looks too early could be misled.
        let _ = fs::remove_file(directory.join(FILE_NAME));
    }

    /// Writes the file anew, when there is more to say.
    pub(super) fn rewrite(&self, endpoints: &Endpoints) -> Result<(), NodeError> {
        write(&self.0, endpoints)
    }

    /// Writes the file.
    pub(super) fn write(directory: &Path, endpoints: &Endpoints) -> Result<Self, NodeError> {
        let path = directory.join(FILE_NAME);
        write(&path, endpoints)?;
        Ok(Self(path))
    }
}

fn write(path: &Path, endpoints: &Endpoints) -> Result<(), NodeError> {
    write_json(path, endpoints).map_err(|source| NodeError::File { path: path.to_owned(), source })
}

impl Drop for EndpointsFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
