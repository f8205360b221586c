//! Where a devnet keeps its data: for as long as it runs, or under a name.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::DevnetError;
use super::clock::SharedClock;
use super::plan::{Plan, check_name};
use crate::whole_file::write_json;

/// The file of what a named devnet is made of.
const PLAN_FILE: &str = "plan.json";
/// The file of a node's key, in the folder of its chain.
const KEY_FILE: &str = "node_key";
/// What names of temporary folders begin with.
pub(crate) const TEMPORARY_PREFIX: &str = "cairn-devnet-";

/// How long it may take to take away a folder in which something still writes.
const REMOVAL_LIMIT: Duration = Duration::from_secs(2);
/// Time between two attempts.
const REMOVAL_INTERVAL: Duration = Duration::from_millis(20);

/// The folder of a devnet's data.
#[derive(Debug)]
pub(crate) struct StateDirectory {
    path: PathBuf,
    /// There if the data go with the devnet.
    temporary: Option<TempDir>,
}

/// What a named devnet is when it is started again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedState {
    /// What it is made of.
    pub(crate) plan: Plan,
    /// Seconds that its clock is ahead: its newest blocks are of that time.
    pub(crate) seconds_ahead: u64,
    /// Whether its first start came to its end. If not, it may still become another one.
    pub(crate) has_started: bool,
}

impl StateDirectory {
    /// A folder that goes when this is dropped.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn temporary() -> Result<Self, DevnetError> {
        // Made for its owner alone.
        let made = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempdir();
        let temporary = made.map_err(DevnetError::file("make a folder in", std::env::temp_dir()))?;
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    /// The folder of the devnet with a name, which stays.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn named(devnets: &Path, name: &str) -> Result<Self, DevnetError> {
        check_name("a devnet's name", name)?;
        let path = devnets.join(name);
        make_private(&path)?;
        Ok(Self { path, temporary: None })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes with the devnet.
    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The folder of a node's data.
    pub(crate) fn node(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the log of a node is.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.node(name).join("node.log")
    }

    /// What the devnet was when it ran last; nothing if it never did.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is something else.
    pub(crate) fn saved(&self) -> Result<Option<SavedState>, DevnetError> {
        let path = self.path.join(PLAN_FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(DevnetError::file("read", &path))?,
        };
        let saved: SavedState =
            serde_json::from_slice(&bytes).map_err(|error| DevnetError::file("read", &path)(error.into()))?;
        saved.plan.check()?;
        Ok(Some(saved))
    }

    /// Keeps what the devnet is, if it has a name.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn save(&self, plan: &Plan, clock: SharedClock) -> Result<(), DevnetError> {
        self.write(&SavedState { plan: plan.clone(), seconds_ahead: clock.ahead, has_started: true })
    }

    /// Keeps what a devnet with a name is to be, before anything of it is there, and clears away what an earlier start left that
    /// came to no end.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or the rest cannot be cleared away.
    pub(crate) fn begin(&self, plan: &Plan, clock: SharedClock) -> Result<(), DevnetError> {
        let earlier = self.saved()?.map(|saved| saved.plan.nodes).unwrap_or_default();
        for node in plan.nodes.iter().chain(&earlier) {
            let folder = self.node(&node.name);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(DevnetError::file("clear away", folder)(error));
                }
                _ => {}
            }
        }
        self.write(&SavedState { plan: plan.clone(), seconds_ahead: clock.ahead, has_started: false })
    }

    fn write(&self, saved: &SavedState) -> Result<(), DevnetError> {
        if self.is_temporary() {
            return Ok(());
        }
        let path = self.path.join(PLAN_FILE);
        write_json(&path, saved).map_err(DevnetError::file("write", &path))
    }

    /// Makes the folder of a node, with the key that follows from seed and name.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn prepare_node(&self, name: &str, network: &str, seed: u64) -> Result<(), DevnetError> {
        let folder = self.node(name).join(network);
        make_private(&folder)?;
        let path = folder.join(KEY_FILE);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match opened {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            opened => opened
                .and_then(|mut file| file.write_all(&node_key(seed, name)))
                .map_err(DevnetError::file("write", &path)),
        }
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        // Nodes of a start that failed are killed at this moment, and may still write.
        let deadline = Instant::now() + REMOVAL_LIMIT;
        while self.is_temporary() && self.path.exists() && Instant::now() < deadline {
            if fs::remove_dir_all(&self.path).is_err() {
                thread::sleep(REMOVAL_INTERVAL);
            }
        }
    }
}

/// The secret key of a node: anybody can compute it, which is why nodes of a devnet listen on the loopback interface alone.
fn node_key(seed: u64, name: &str) -> [u8; 32] {
    let hash = Sha256::new().chain_update(b"cairn devnet node key").chain_update(seed.to_le_bytes()).chain_update(name);
    hash.finalize().into()
}

/// Makes a folder, and those above it, that only its owner may enter.
pub(crate) fn make_private(path: &Path) -> Result<(), DevnetError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(DevnetError::file("make", path))
}

#[cfg(test)]
mod tests {
    use super::super::plan::{DEFAULT_BLOCK_TIME, Rules};
    use super::super::{MiningMode, Topology};
    use super::*;

    #[test]
    fn keys_repeat_with_seed_and_name() {
        assert_eq!(node_key(1, "alice"), node_key(1, "alice"));
        assert_ne!(node_key(1, "alice"), node_key(2, "alice"));
        assert_ne!(node_key(1, "alice"), node_key(1, "bob"));
        let directory = StateDirectory::temporary().unwrap();
        directory.prepare_node("alice", "devnet", 1).unwrap();
        directory.prepare_node("alice", "devnet", 2).unwrap();
        let key = directory.node("alice").join("devnet").join(KEY_FILE);
        assert_eq!(fs::read(&key).unwrap(), node_key(1, "alice"), "the key of a node that was there stays");
        // The network refuses keys that others may read.
        cairn_net::load_or_create_identity(&key).unwrap();
    }

    #[test]
    fn a_first_start_that_came_to_no_end_leaves_nothing_to_the_next() {
        let devnets = tempfile::tempdir().unwrap();
        let directory = StateDirectory::named(devnets.path(), "demo").unwrap();
        let plan = |count| {
            let mining = MiningMode { block_time: DEFAULT_BLOCK_TIME, on_transactions: false };
            Plan::new(1, Rules::Regtest, Topology::Mesh, mining, count).unwrap()
        };
        let clock = SharedClock { ahead: 0 };
        directory.begin(&plan(3), clock).unwrap();
        assert!(!directory.saved().unwrap().unwrap().has_started);
        for name in ["alice", "carol"] {
            directory.prepare_node(name, "regtest", 1).unwrap();
        }
        directory.begin(&plan(2), clock).unwrap();
        assert!(!directory.node("alice").exists() && !directory.node("carol").exists());
        directory.save(&plan(2), clock).unwrap();
        let saved = directory.saved().unwrap().unwrap();
        assert!(saved.has_started && saved.plan == plan(2));
    }

    #[test]
    fn a_temporary_folder_goes_and_a_named_one_stays() {
        let devnets = tempfile::tempdir().unwrap();
        let (temporary, named) =
            (StateDirectory::temporary().unwrap(), StateDirectory::named(devnets.path(), "demo").unwrap());
        let path = temporary.path().to_owned();
        assert!(path.exists());
        drop((temporary, named));
        assert!(!path.exists() && devnets.path().join("demo").exists());
        assert!(StateDirectory::named(devnets.path(), "../demo").is_err());
    }
}
