//! How other commands find a devnet that runs: a file among all data, in the folder `devnets`.
//!
//! Its process holds a lock (flock(2)) on the file, so that a file that nobody holds is that of a devnet that was killed. A socket
//! that does not answer says less: it may lie where the one who asks cannot see it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DevnetError;
use super::accounts::{Account, MNEMONIC, accounts};
use super::chain::Chain;
use super::folder_lock::{FolderLock, is_at};
use super::leftovers;
use super::state_directory::{StateDirectory, make_private};

/// The folder of devnets in the folder of all data. That of the network devnet is called `devnet`.
const FOLDER: &str = "devnets";
/// What the file of a devnet ends in, after its name.
const SUFFIX: &str = ".json";
/// What its name ends in until it is written.
const NEW: &str = "json.new";
/// The largest that is read, in bytes: that of 64 nodes is a fraction of it.
const MAX_FILE: u64 = 1 << 20;
/// The name of a devnet that was given none.
pub(crate) const UNNAMED: &str = "devnet";
/// The variable that names the file of the devnet that commands are for.
pub(crate) const VARIABLE: &str = "CAIRN_DEVNET";

/// A devnet that runs, for other programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    /// This file. A copy of it says where it is.
    #[serde(rename = "file")]
    path: PathBuf,
    /// Its name.
    pub(crate) name: String,
    /// The process that runs it.
    pub(crate) pid: u32,
    /// Whether all is there: nodes, coins and a chain that they agree on.
    pub(crate) ready: bool,
    /// The network's name.
    pub(crate) network: String,
    /// The network's spec file, if it is not built in.
    pub(crate) spec: Option<PathBuf>,
    /// Where its data are.
    pub(crate) directory: PathBuf,
    /// Whether they go with it.
    pub(crate) is_temporary: bool,
    /// The socket by which it is driven.
    pub(crate) control: PathBuf,
    /// What keys of nodes, wiring and order of mining repeat with.
    pub(crate) seed: u64,
    /// The words that all keys come from. They are public.
    pub(crate) mnemonic: String,
    /// The accounts, the faucet's last.
    pub(crate) accounts: Vec<AttachedAccount>,
    /// The nodes.
    pub(crate) nodes: Vec<AttachedNode>,
    /// Prometheus's configuration for all nodes.
    pub(crate) prometheus: PathBuf,
}

/// An account, for other programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AttachedAccount {
    /// Whose it is.
    pub(crate) name: String,
    /// Where its key comes from.
    pub(crate) path: String,
    /// Where it is paid to.
    pub(crate) address: String,
}

/// A node, for other programs. Where it is stands here also while it does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AttachedNode {
    /// Its name.
    pub(crate) name: String,
    /// The process; nothing when it does not run.
    pub(crate) pid: Option<u32>,
    /// Where JSON-RPC is served.
    pub(crate) rpc: SocketAddr,
    /// Where metrics and health are served.
    pub(crate) metrics: SocketAddr,
    /// Where peers connect, with its peer id; nothing before it ran.
    pub(crate) p2p: Option<String>,
    /// The folder of its data.
    pub(crate) datadir: PathBuf,
    /// The file of the cookie that JSON-RPC takes.
    pub(crate) cookie: PathBuf,
    /// Its log.
    pub(crate) log: PathBuf,
}

/// The folder of devnets in a folder of all data.
pub(crate) fn devnets_in(datadir: &Path) -> PathBuf {
    datadir.join(FOLDER)
}

impl Attachment {
    /// A devnet of this process that has neither a name nor nodes yet.
    pub(crate) fn new(chain: &Chain, directory: &StateDirectory, control: &Path, seed: u64) -> Self {
        let account = |account: &Account| AttachedAccount {
            name: account.name.to_owned(),
            path: account.path.clone(),
            address: account.address.to_string(),
        };
        Self {
            path: PathBuf::new(),
            name: String::new(),
            pid: std::process::id(),
            ready: false,
            network: chain.network.clone(),
            spec: chain.spec.clone(),
            directory: directory.path().to_owned(),
            is_temporary: directory.is_temporary(),
            control: control.to_owned(),
            seed,
            mnemonic: MNEMONIC.to_owned(),
            accounts: accounts().all().iter().map(account).collect(),
            nodes: Vec::new(),
            prometheus: directory.path().join("prometheus").join("prometheus.yml"),
        }
    }

    /// The devnet that is meant: by name, by the file that the environment names unless an option says where to look, or the only
    /// one that runs.
    ///
    /// # Errors
    ///
    /// When none runs, or several and it is not said which.
    pub(crate) fn chosen(datadir: &Path, name: Option<&str>, is_option: bool) -> Result<Self, DevnetError> {
        let is_said = is_option || name.is_some();
        match std::env::var_os(VARIABLE).filter(|path| !path.is_empty() && !is_said) {
            Some(path) => Self::of_variable(Path::new(&path)),
            None => Self::find(&devnets_in(datadir), name),
        }
    }

    fn of_variable(path: &Path) -> Result<Self, DevnetError> {
        Self::read_live(path).ok_or_else(|| DevnetError::Variable { path: path.to_owned() })
    }

    /// The devnet that runs in a folder of devnets: the one with a name, or the only one.
    ///
    /// # Errors
    ///
    /// When there is none, or several and no name.
    pub(crate) fn find(devnets: &Path, name: Option<&str>) -> Result<Self, DevnetError> {
        if let Some(name) = name {
            let found = Self::read_live(&file(devnets, name));
            return found.ok_or_else(|| DevnetError::NotRunning { name: Some(name.to_owned()) });
        }
        let mut running = Self::all(devnets);
        match running.len() {
            1 => Ok(running.remove(0)),
            0 => Err(DevnetError::NotRunning { name: None }),
            _ => Err(DevnetError::Several { names: running.into_iter().map(|running| running.name).collect() }),
        }
    }

    /// All that run, by name. Files of those that were killed are cleared away.
    pub(crate) fn all(devnets: &Path) -> Vec<Self> {
        let entries = fs::read_dir(devnets).into_iter().flatten().flatten().map(|entry| entry.path());
        let files = entries.filter(|path| path.to_string_lossy().ends_with(SUFFIX));
        let mut running: Vec<Self> = files.filter_map(|path| Self::read_live(&path)).collect();
        running.sort_by(|one, other| one.name.cmp(&other.name));
        running
    }

    /// The devnet of a file, if it runs; otherwise what it left goes. A copy of such a file will do.
    pub(crate) fn read_live(path: &Path) -> Option<Self> {
        let (found, file) = Self::read(path)?;
        if is_at(&file, &found.path) {
            return found.live(&file);
        }
        // Of a copy nothing is concluded but where the file is. That may be another devnet's by now.
        let (original, file) = Self::read(&found.path)?;
        if original.control == found.control { original.live(&file) } else { None }
    }

    /// What stands in a file, and the file.
    fn read(path: &Path) -> Option<(Self, File)> {
        let mut file = File::open(path).ok()?;
        let mut bytes = Vec::new();
        (&mut file).take(MAX_FILE).read_to_end(&mut bytes).ok()?;
        Some((serde_json::from_slice(&bytes).ok()?, file))
    }

    /// This, if its process holds its file. If not, what it left goes.
    fn live(self, file: &File) -> Option<Self> {
        if is_held(file) {
            return Some(self);
        }
        let _lock = FolderLock::take(self.path.parent()?).ok()?;
        // It may have been written anew, or be another's, by now. Nobody comes or clears while the folder is locked.
        let (now, file) = Self::read(&self.path)?;
        if is_held(&file) {
            return Some(now);
        }
        now.clear();
        None
    }

    /// The file that this was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether anything of the devnet is still there that goes when it ends.
    pub(crate) fn is_there(&self) -> bool {
        self.path.exists() || self.control.exists() || (self.is_temporary && self.directory.exists())
    }

    /// Takes away what a devnet left that was killed, its file last. The folder must be locked. Whether all of it is gone.
    fn clear(&self) -> bool {
        leftovers::clear(self) && fs::remove_file(&self.path).is_ok()
    }

    /// The node with a name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn node(&self, name: &str) -> Result<&AttachedNode, DevnetError> {
        self.nodes.iter().find(|node| node.name == name).ok_or_else(|| DevnetError::Node {
            problem: format!("there is no node {name}"),
            known: self.nodes.iter().map(|node| node.name.clone()).collect(),
        })
    }
}

/// The file of a devnet that runs. It goes when this does.
#[derive(Debug)]
pub(crate) struct AttachmentFile {
    path: PathBuf,
    /// Locked for as long as it is open, which says that the devnet runs.
    held: File,
}

impl AttachmentFile {
    /// Makes the file of a devnet whose socket is there already. One that was given no name takes the first that is free.
    ///
    /// # Errors
    ///
    /// When the name is taken, or the file cannot be written.
    pub(crate) fn create(devnets: &Path, name: Option<&str>, attachment: &mut Attachment) -> Result<Self, DevnetError> {
        make_private(devnets)?;
        let _lock = FolderLock::take(devnets)?;
        let numbered = |number: u32| if number == 1 { UNNAMED.to_owned() } else { format!("{UNNAMED}-{number}") };
        let candidates: Box<dyn Iterator<Item = String>> = match name {
            Some(name) => Box::new(std::iter::once(name.to_owned())),
            None => Box::new((1..).map(numbered)),
        };
        for candidate in candidates {
            let path = file(devnets, &candidate);
            if File::open(&path).is_ok_and(|file| is_held(&file)) {
                continue;
            }
            // What a killed one left makes room.
            if let Some((left, file)) = Attachment::read(&path)
                && is_at(&file, &left.path)
                && !left.clear()
            {
                continue;
            }
            attachment.name = candidate;
            path.clone_into(&mut attachment.path);
            let held = write(&path, attachment).map_err(DevnetError::file("write", &path))?;
            return Ok(Self { path, held });
        }
        Err(DevnetError::Running { name: name.unwrap_or(UNNAMED).to_owned() })
    }

    /// Writes it anew.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or is no longer ours.
    pub(crate) fn rewrite(&mut self, attachment: &Attachment) -> Result<(), DevnetError> {
        if self.path.exists() && !is_at(&self.held, &self.path) {
            let foreign = io::Error::new(ErrorKind::AlreadyExists, "it is another devnet's");
            return Err(DevnetError::file("write", &self.path)(foreign));
        }
        self.held = write(&self.path, attachment).map_err(DevnetError::file("write", &self.path))?;
        Ok(())
    }
}

impl Drop for AttachmentFile {
    fn drop(&mut self) {
        let Some(devnets) = self.path.parent() else { return };
        // Who cannot lock the folder takes away no more than what is surely ours.
        let lock = FolderLock::take(devnets);
        if is_at(&self.held, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
        drop(lock);
        // The folder goes too if nothing else is in it.
        let _ = fs::remove_dir(devnets);
    }
}

/// Whether the process of a devnet holds its file. If that cannot be found out, nothing must be taken away.
fn is_held(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            false
        }
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}

fn file(devnets: &Path, name: &str) -> PathBuf {
    devnets.join(format!("{name}{SUFFIX}"))
}

/// Writes a file as a whole. It is locked before anybody finds it.
fn write(path: &Path, attachment: &Attachment) -> io::Result<File> {
    let temporary = path.with_extension(NEW);
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.try_lock()?;
    file.write_all(&serde_json::to_vec_pretty(attachment)?)?;
    fs::rename(&temporary, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
