//! How other commands find a devnet that runs: a file among all data, in the folder `devnets`.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DevnetError;
use super::accounts::{Account, MNEMONIC, accounts};
use super::chain::Chain;
use super::state_directory::{StateDirectory, TEMPORARY_PREFIX, make_private};

/// The folder of devnets in the folder of all data. That of the network devnet is called `devnet`.
const FOLDER: &str = "devnets";
/// What the file of a devnet ends in, after its name.
const SUFFIX: &str = ".json";
/// The name of a devnet that was given none.
pub(crate) const UNNAMED: &str = "devnet";
/// The variable that names the file of the devnet that commands are for.
pub(crate) const VARIABLE: &str = "CAIRN_DEVNET";

/// A devnet that runs, for other programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    /// This file.
    #[serde(skip)]
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

    /// The devnet that is meant: by name, by the file that the environment names, or the only one that runs.
    ///
    /// # Errors
    ///
    /// When none runs, or several and it is not said which.
    pub(crate) fn chosen(datadir: &Path, name: Option<&str>) -> Result<Self, DevnetError> {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty() && name.is_none());
        match named {
            Some(path) => Self::read_live(Path::new(&path)).ok_or(DevnetError::NotRunning { name: None }),
            None => Self::find(&devnets_in(datadir), name),
        }
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

    /// The devnet of a file, if it runs; otherwise what it left goes.
    pub(crate) fn read_live(path: &Path) -> Option<Self> {
        let mut found: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        path.clone_into(&mut found.path);
        if UnixStream::connect(&found.control).is_ok() {
            return Some(found);
        }
        found.clear(path);
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

    /// Takes away what a devnet left that was killed: its file, its socket, and its data unless it has a name.
    fn clear(&self, path: &Path) {
        let is_ours = |folder: &Path| {
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with(TEMPORARY_PREFIX) && folder.parent() == Some(&std::env::temp_dir())
        };
        if let Some(folder) = self.control.parent().filter(|folder| is_ours(folder)) {
            let _ = fs::remove_dir_all(folder);
        }
        // Its nodes end by themselves, and may still be writing.
        if self.is_temporary && is_ours(&self.directory) {
            let _ = fs::remove_dir_all(&self.directory);
        }
        let _ = fs::remove_file(path);
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
}

impl AttachmentFile {
    /// Makes the file of a devnet whose socket is there already. One that was given no name takes the first that is free.
    ///
    /// # Errors
    ///
    /// When the name is taken, or the file cannot be written.
    pub(crate) fn create(devnets: &Path, name: Option<&str>, attachment: &mut Attachment) -> Result<Self, DevnetError> {
        make_private(devnets)?;
        let numbered = |number: u32| if number == 1 { UNNAMED.to_owned() } else { format!("{UNNAMED}-{number}") };
        let candidates: Box<dyn Iterator<Item = String>> = match name {
            Some(name) => Box::new(std::iter::once(name.to_owned())),
            None => Box::new((1..).map(numbered)),
        };
        for candidate in candidates {
            let path = file(devnets, &candidate);
            attachment.name = candidate;
            // What a killed one left makes room.
            if Attachment::read_live(&path).is_some() {
                continue;
            }
            path.clone_into(&mut attachment.path);
            let temporary = devnets.join(format!(".{}{SUFFIX}", std::process::id()));
            let written = write(&temporary, attachment).and_then(|()| fs::hard_link(&temporary, &path));
            let _ = fs::remove_file(&temporary);
            match written {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                written => {
                    return written.map(|()| Self { path: path.clone() }).map_err(DevnetError::file("write", path));
                }
            }
        }
        Err(DevnetError::Running { name: name.unwrap_or(UNNAMED).to_owned() })
    }

    /// Writes it anew.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn rewrite(&self, attachment: &Attachment) -> Result<(), DevnetError> {
        let temporary = self.path.with_extension("json.new");
        write(&temporary, attachment)
            .and_then(|()| fs::rename(&temporary, &self.path))
            .map_err(DevnetError::file("write", &self.path))
    }
}

impl Drop for AttachmentFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        // The folder goes too if nothing else is in it.
        if let Some(devnets) = self.path.parent() {
            let _ = fs::remove_dir(devnets);
        }
    }
}

fn file(devnets: &Path, name: &str) -> PathBuf {
    devnets.join(format!("{name}{SUFFIX}"))
}

fn write(path: &Path, attachment: &Attachment) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec_pretty(attachment)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn attachment(control: &Path) -> Attachment {
        Attachment {
            path: PathBuf::new(),
            name: String::new(),
            pid: 1,
            ready: false,
            network: "devnet".to_owned(),
            spec: None,
            directory: PathBuf::from("/nowhere"),
            is_temporary: false,
            control: control.to_owned(),
            seed: 1,
            mnemonic: String::new(),
            accounts: Vec::new(),
            nodes: Vec::new(),
            prometheus: PathBuf::new(),
        }
    }

    #[test]
    fn one_that_runs_is_found_and_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let devnets = folder.path().join("devnet");
        let socket = folder.path().join("control");
        let listener = UnixListener::bind(&socket).unwrap();
        assert!(matches!(Attachment::find(&devnets, None), Err(DevnetError::NotRunning { .. })));
        let first = AttachmentFile::create(&devnets, None, &mut attachment(&socket)).unwrap();
        assert_eq!(fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Attachment::find(&devnets, None).unwrap().name, "devnet");
        let second = AttachmentFile::create(&devnets, None, &mut attachment(&socket)).unwrap();
        assert!(matches!(Attachment::find(&devnets, None), Err(DevnetError::Several { .. })));
        assert_eq!(Attachment::find(&devnets, Some("devnet-2")).unwrap().name, "devnet-2");
        let named = AttachmentFile::create(&devnets, Some("devnet"), &mut attachment(&socket));
        assert!(matches!(named, Err(DevnetError::Running { .. })));
        drop((first, second));
        assert!(!devnets.exists(), "nothing stays");
        drop(listener);
    }

    #[test]
    fn what_a_killed_one_left_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let data = super::super::state_directory::StateDirectory::temporary().unwrap();
        let mut left = attachment(&folder.path().join("no-socket"));
        (left.directory, left.is_temporary) = (data.path().to_owned(), true);
        std::mem::forget(AttachmentFile::create(folder.path(), None, &mut left).unwrap());
        assert!(matches!(Attachment::find(folder.path(), None), Err(DevnetError::NotRunning { .. })));
        assert!(!data.path().exists(), "its data go");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "its file goes");
    }
}
