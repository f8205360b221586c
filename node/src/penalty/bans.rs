//! Who may not come back, and until when.
//!
//! | file | holds |
//! |---|---|
//! | `file` | the list on disk |

mod file;

use std::collections::BTreeMap;

use cairn_net::Banned;
use serde::{Deserialize, Serialize};

pub(crate) use file::{BanFile, BanListError};

/// Entries of the list. Beyond that, those that end first make room.
const MAX_BANS: usize = 10_000;

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

/// Who may not come back. Bans that have ended are as good as not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BanList(BTreeMap<Banned, Ban>);

impl BanList {
    /// All bans that have not ended.
    pub(crate) fn list(&self, now: u64) -> impl Iterator<Item = (&Banned, &Ban)> {
        self.0.iter().filter(move |(_, ban)| ban.until > now)
    }

    /// When the next ban ends.
    pub(crate) fn next_end(&self, now: u64) -> Option<u64> {
        self.list(now).map(|(_, ban)| ban.until).min()
    }

    /// Adds a ban, or makes one longer (Core: `BanMan::Ban`, `banman.cpp`).
    pub(crate) fn insert(&mut self, banned: Banned, ban: Ban) {
        self.0.retain(|_, old| old.until > ban.created);
        if self.0.len() >= MAX_BANS
            && let Some(first) = self.0.iter().min_by_key(|(_, ban)| ban.until).map(|(banned, _)| *banned)
        {
            self.0.remove(&first);
        }
        let kept = self.0.entry(banned).or_insert_with(|| ban.clone());
        if kept.until < ban.until {
            *kept = ban;
        }
    }

    /// Ends a ban; false when there was none for exactly this.
    pub(crate) fn remove(&mut self, now: u64, banned: &Banned) -> bool {
        self.0.remove(banned).is_some_and(|ban| ban.until > now)
    }

    /// Ends all bans.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl FromIterator<(Banned, Ban)> for BanList {
    fn from_iter<I: IntoIterator<Item = (Banned, Ban)>>(bans: I) -> Self {
        Self(bans.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use cairn_net::PeerId;

    use super::*;

    pub(super) fn ban(created: u64, until: u64) -> Ban {
        Ban { created, until, reason: "invalid block".to_owned() }
    }

    #[test]
    fn bans_end() {
        let (peer, subnet) = (Banned::Peer(PeerId::random()), "192.0.2.77/24".parse().unwrap());
        let mut list = BanList::default();
        assert_eq!(list.next_end(0), None);
        list.insert(peer, ban(10, 100));
        list.insert(subnet, ban(10, 50));
        assert_eq!((list.list(20).count(), list.next_end(20)), (2, Some(50)));
        assert_eq!((list.list(50).collect::<Vec<_>>(), list.next_end(50)), (vec![(&peer, &ban(10, 100))], Some(100)));
        assert!(!list.remove(50, &subnet), "it has ended");
        assert!(list.remove(50, &peer));
        assert_eq!(list.next_end(0), None);
    }

    #[test]
    fn a_ban_is_made_longer_and_not_shorter() {
        let banned = Banned::address("203.0.113.1".parse().unwrap());
        let mut list = BanList::default();
        list.insert(banned, ban(1, 100));
        list.insert(banned, ban(2, 50));
        assert_eq!(list.list(3).next(), Some((&banned, &ban(1, 100))));
        list.insert(banned, ban(3, 200));
        assert_eq!(list.list(3).next(), Some((&banned, &ban(3, 200))));
        list.clear();
        assert_eq!(list, BanList::default());
    }

    #[test]
    fn the_first_to_end_make_room() {
        let mut list = BanList::default();
        let bans = u32::try_from(MAX_BANS).unwrap() + 1;
        for host in 0..bans {
            let ip = std::net::Ipv4Addr::from_bits(host);
            list.insert(Banned::address(ip.into()), ban(0, u64::from(host) + 1));
        }
        assert_eq!((list.list(0).count(), list.next_end(0)), (MAX_BANS, Some(2)));
    }
}
