//! Who may not come back, and until when.
//!
//! The list is a file in the folder of the network's data, written as a whole whenever it changes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cairn_net::PeerId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The file (Core: `banlist.json`, `banman.h`).
const FILE_NAME: &str = "banlist.json";
/// Entries of the list. Beyond that, those that end first make room.
const MAX_BANS: usize = 10_000;

/// Why the list cannot be read or written.
#[derive(Debug, Error)]
pub(crate) enum BanListError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a list of bans.
    #[error("{} is not a list of bans: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Whom a ban is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Banned {
    /// A peer, wherever it comes from.
    Peer(PeerId),
    /// All peers at these addresses: the address with the bits behind the prefix zero, and the length of the prefix in bits.
    Subnet(IpAddr, u8),
}

/// A text is neither a peer nor an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected a peer id, an IP address or a subnet such as 192.0.2.0/24")]
pub(crate) struct ParseBannedError;

impl Banned {
    /// One address.
    pub(crate) fn address(ip: IpAddr) -> Self {
        Self::subnet(ip, if ip.is_ipv4() { 32 } else { 128 })
    }

    /// All addresses that share their first `prefix` bits with one.
    pub(crate) fn subnet(ip: IpAddr, prefix: u8) -> Self {
        match ip {
            IpAddr::V4(ip) => {
                let prefix = prefix.min(32);
                let mask = u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
                Self::Subnet(IpAddr::V4((ip.to_bits() & mask).into()), prefix)
            }
            IpAddr::V6(ip) => {
                let prefix = prefix.min(128);
                let mask = u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or(0);
                Self::Subnet(IpAddr::V6((ip.to_bits() & mask).into()), prefix)
            }
        }
    }

    /// Whether an address is meant.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        match self {
            Self::Peer(_) => false,
            Self::Subnet(network, prefix) => {
                network.is_ipv4() == ip.is_ipv4() && Self::subnet(ip, *prefix) == Self::Subnet(*network, *prefix)
            }
        }
    }
}

impl fmt::Display for Banned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(peer) => write!(f, "{peer}"),
            Self::Subnet(ip, prefix) => write!(f, "{ip}/{prefix}"),
        }
    }
}

impl FromStr for Banned {
    type Err = ParseBannedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse() {
            return Ok(Self::address(ip));
        }
        if let Some((ip, prefix)) = text.split_once('/') {
            let ip: IpAddr = ip.parse().map_err(|_| ParseBannedError)?;
            let prefix: u8 = prefix.parse().map_err(|_| ParseBannedError)?;
            let longest = if ip.is_ipv4() { 32 } else { 128 };
            return if prefix <= longest { Ok(Self::subnet(ip, prefix)) } else { Err(ParseBannedError) };
        }
        text.parse().map(Self::Peer).map_err(|_| ParseBannedError)
    }
}

/// Since when and until when, and why. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ban {
    /// Since when.
    pub(crate) created: u64,
    /// Until when.
    pub(crate) until: u64,
    /// Why.
    pub(crate) reason: String,
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    banned: String,
    #[serde(flatten)]
    ban: Ban,
}

/// Who may not come back.
#[derive(Debug)]
pub(crate) struct BanList {
    file: PathBuf,
    bans: BTreeMap<Banned, Ban>,
}

impl BanList {
    /// Reads the list in a folder; one that was never written is empty.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read, or is no list of bans.
    pub(crate) fn open(directory: &Path) -> Result<Self, BanListError> {
        let path = directory.join(FILE_NAME);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { file: path, bans: BTreeMap::new() });
            }
            Err(source) => return Err(BanListError::Read { path, source }),
        };
        let wrong = |source| BanListError::Format { path: path.clone(), source };
        let lines: Vec<Line> = serde_json::from_slice(&bytes).map_err(wrong)?;
        let read = |line: Line| {
            let banned = line.banned.parse().map_err(|error| wrong(serde::de::Error::custom(error)))?;
            Ok((banned, line.ban))
        };
        let bans = lines.into_iter().map(read).collect::<Result<_, BanListError>>()?;
        Ok(Self { file: path, bans })
    }

    /// All bans that have not ended.
    pub(crate) fn list(&self, now: u64) -> impl Iterator<Item = (&Banned, &Ban)> {
        self.bans.iter().filter(move |(_, ban)| ban.until > now)
    }

    /// Whether a ban that has not ended is for exactly this.
    pub(crate) fn contains(&self, now: u64, banned: &Banned) -> bool {
        self.bans.get(banned).is_some_and(|ban| ban.until > now)
    }

    /// Adds a ban, or makes one longer.
    ///
    /// # Errors
    ///
    /// When the file cannot be written. The ban holds all the same until the node stops.
    pub(crate) fn insert(&mut self, banned: Banned, ban: Ban) -> Result<(), BanListError> {
        self.bans.retain(|_, old| old.until > ban.created);
        if self.bans.len() >= MAX_BANS
            && let Some(first) = self.bans.iter().min_by_key(|(_, ban)| ban.until).map(|(banned, _)| *banned)
        {
            self.bans.remove(&first);
        }
        let kept = self.bans.entry(banned).or_insert_with(|| ban.clone());
        if kept.until < ban.until {
            *kept = ban;
        }
        self.write()
    }

    /// Ends a ban; false when there was none for exactly this.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn remove(&mut self, banned: &Banned) -> Result<bool, BanListError> {
        let was_there = self.bans.remove(banned).is_some();
        self.write()?;
        Ok(was_there)
    }

    /// Ends all bans.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn clear(&mut self) -> Result<(), BanListError> {
        self.bans.clear();
        self.write()
    }

    fn write(&self) -> Result<(), BanListError> {
        let line = |(banned, ban): (&Banned, &Ban)| Line { banned: banned.to_string(), ban: ban.clone() };
        let lines: Vec<_> = self.bans.iter().map(line).collect();
        let text = serde_json::to_vec_pretty(&lines).expect("a list of texts and numbers is JSON");
        let partial = self.file.with_extension("json.partial");
        let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, &self.file));
        written.map_err(|source| BanListError::Write { path: self.file.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(created: u64, until: u64) -> Ban {
        Ban { created, until, reason: "invalid block".to_owned() }
    }

    #[test]
    fn bans_outlive_the_node_and_end() {
        let directory = tempfile::tempdir().unwrap();
        let peer = Banned::Peer(PeerId::random());
        let subnet: Banned = "192.0.2.77/24".parse().unwrap();
        let mut list = BanList::open(directory.path()).unwrap();
        list.insert(peer, ban(10, 100)).unwrap();
        list.insert(subnet, ban(10, 50)).unwrap();
        let list = BanList::open(directory.path()).unwrap();
        assert_eq!(list.list(20).collect::<Vec<_>>(), [(&peer, &ban(10, 100)), (&subnet, &ban(10, 50))]);
        assert_eq!(list.list(50).count(), 1);
        assert!(list.contains(99, &peer) && !list.contains(100, &peer));
    }

    #[test]
    fn a_ban_is_made_longer_and_not_shorter() {
        let directory = tempfile::tempdir().unwrap();
        let banned = Banned::address("203.0.113.1".parse().unwrap());
        let mut list = BanList::open(directory.path()).unwrap();
        list.insert(banned, ban(1, 100)).unwrap();
        list.insert(banned, ban(2, 50)).unwrap();
        assert_eq!(list.list(3).next(), Some((&banned, &ban(1, 100))));
        assert!(list.remove(&banned).unwrap());
        assert!(!list.remove(&banned).unwrap());
        list.insert(banned, ban(1, 100)).unwrap();
        list.clear().unwrap();
        assert_eq!(BanList::open(directory.path()).unwrap().list(0).count(), 0);
    }

    #[test]
    fn subnets_are_read_and_hold_their_addresses() {
        let subnet: Banned = "192.0.2.77/24".parse().unwrap();
        assert_eq!(subnet.to_string(), "192.0.2.0/24");
        assert!(subnet.contains("192.0.2.1".parse().unwrap()));
        assert!(!subnet.contains("192.0.3.1".parse().unwrap()));
        assert!(!subnet.contains("::1".parse().unwrap()));
        let all: Banned = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("8.8.8.8".parse().unwrap()));
        let six: Banned = "2001:db8:1::/48".parse().unwrap();
        assert!(six.contains("2001:db8:1:2::3".parse().unwrap()));
        for wrong in ["", "192.0.2.0/33", "192.0.2", "::/129", "nobody"] {
            assert_eq!(wrong.parse::<Banned>(), Err(ParseBannedError), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_is_no_list_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), "{}").unwrap();
        assert!(matches!(BanList::open(directory.path()), Err(BanListError::Format { .. })));
    }
}
