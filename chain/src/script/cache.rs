//! Remembering signatures that were found good.

use std::sync::Mutex;

use crate::hash::HashWriter;

/// Locks, each over its own share of the slots: more than there are threads, so that two seldom want the same one.
const SHARDS: usize = 64;
/// Slots an entry may go to. When all are taken, the one its hash points at is overwritten.
const WAYS: usize = 8;
/// Size of an entry, in bytes: nobody can make a false one match.
const ENTRY_SIZE: usize = 32;

/// A whole keyed hash.
pub(crate) type Entry = [u8; ENTRY_SIZE];
/// What a free slot holds; no hash that anyone will ever see is zero.
const FREE: Entry = [0; ENTRY_SIZE];

/// A bounded set of signatures that were verified, so that a block need not verify again what the mempool did
/// (Core: `SignatureCache`, `script/sigcache.h`).
///
/// An entry is SHA-256 over a random key, the kind of signature, the signed hash, the public key and the signature. The
/// key never leaves the process, so nobody can aim entries at each other.
pub struct SignatureCache {
    ecdsa: HashWriter,
    schnorr: HashWriter,
    entries: EntrySet,
}

impl SignatureCache {
    /// A cache that takes `bytes` of memory, rounded down to whole sets of slots but to at least one for each shard.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give, without which the cache could be poisoned.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let [ecdsa, schnorr] = keyed_hashers(*b"ES");
        Self { ecdsa, schnorr, entries: EntrySet::new(bytes) }
    }

    /// Memory the entries take, in bytes.
    #[must_use]
    pub fn capacity_bytes(&self) -> usize {
        self.entries.capacity_bytes()
    }

    pub(super) fn ecdsa_entry(&self, sighash: &[u8; 32], key: &[u8], signature: &[u8]) -> Entry {
        entry(&self.ecdsa, sighash, key, signature)
    }

    pub(super) fn schnorr_entry(&self, sighash: &[u8; 32], key: &[u8], signature: &[u8]) -> Entry {
        entry(&self.schnorr, sighash, key, signature)
    }

    /// Whether the entry is there; `remove` frees its slot, for a caller that will not ask again.
    pub(super) fn contains(&self, entry: &Entry, remove: bool) -> bool {
        self.entries.contains(entry, remove)
    }

    pub(super) fn insert(&self, entry: &Entry) {
        self.entries.insert(entry);
    }
}

impl std::fmt::Debug for SignatureCache {
    /// Without the key, which must stay secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SignatureCache").field("capacity_bytes", &self.capacity_bytes()).finish_non_exhaustive()
    }
}

fn entry(keyed: &HashWriter, sighash: &[u8; 32], key: &[u8], signature: &[u8]) -> Entry {
    let mut writer = keyed.clone();
    // With its length, or bytes could be moved from the end of the key to the start of the signature.
    writer.write(sighash).write_with_size(key).write(signature);
    writer.sha256()
}

/// Hashers with one random key, which never leaves the process, for entries of different kinds.
pub(crate) fn keyed_hashers<const KINDS: usize>(kinds: [u8; KINDS]) -> [HashWriter; KINDS] {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("the operating system provides randomness");
    kinds.map(|kind| {
        // 64 bytes fill a block of SHA-256, so the key costs nothing per look-up.
        let mut padding = [0; 32];
        padding[0] = kind;
        let mut writer = HashWriter::new();
        writer.write(&key).write(&padding);
        writer
    })
}

/// A bounded set of keyed hashes that many threads use at once; when it is full, new entries take the place of old ones (Core:
/// `CuckooCache`, `cuckoocache.h`).
pub(crate) struct EntrySet {
    shards: Vec<Mutex<Vec<Entry>>>,
    slots_per_shard: usize,
}

impl EntrySet {
    /// A set that takes `bytes` of memory, rounded down to whole sets of slots but to at least one for each shard.
    pub(crate) fn new(bytes: usize) -> Self {
        let slots_per_shard = (bytes / ENTRY_SIZE / SHARDS / WAYS).max(1) * WAYS;
        Self { shards: (0..SHARDS).map(|_| Mutex::new(vec![FREE; slots_per_shard])).collect(), slots_per_shard }
    }

    /// Memory the entries take, in bytes.
    pub(crate) fn capacity_bytes(&self) -> usize {
        SHARDS * self.slots_per_shard * ENTRY_SIZE
    }

    /// Whether the entry is there; `remove` frees its slot, for a caller that will not ask again.
    pub(crate) fn contains(&self, entry: &Entry, remove: bool) -> bool {
        self.with_ways(entry, |ways| {
            let found = ways.iter_mut().find(|slot| *slot == entry);
            let present = found.is_some();
            if let (Some(slot), true) = (found, remove) {
                *slot = FREE;
            }
            present
        })
    }

    pub(crate) fn insert(&self, entry: &Entry) {
        self.with_ways(entry, |ways| {
            let slot = ways.iter().position(|slot| slot == entry || *slot == FREE);
            ways[slot.unwrap_or(usize::from(entry[ENTRY_SIZE - 1]) % WAYS)] = *entry;
        });
    }

    /// The slots that may hold the entry.
    fn with_ways<T>(&self, entry: &Entry, action: impl FnOnce(&mut [Entry]) -> T) -> T {
        let word = |at: usize| {
            usize::from_le_bytes(entry[at..at + size_of::<usize>()].try_into().expect("a slice of that length"))
        };
        let shard = &self.shards[word(0) % SHARDS];
        let set = word(8) % (self.slots_per_shard / WAYS) * WAYS;
        // A panic elsewhere cannot leave a slot half written, so a poisoned lock guards good entries.
        let mut slots = shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        action(&mut slots[set..set + WAYS])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_and_forgets() {
        let cache = SignatureCache::new(1 << 20);
        assert_eq!(cache.capacity_bytes(), 1 << 20);
        let entry = cache.ecdsa_entry(&[1; 32], b"key", b"signature");
        assert!(!cache.contains(&entry, false));
        cache.insert(&entry);
        assert!(cache.contains(&entry, false) && cache.contains(&entry, true) && !cache.contains(&entry, false));
    }

    #[test]
    fn every_part_of_a_check_tells_entries_apart() {
        let cache = SignatureCache::new(0);
        let entry = cache.ecdsa_entry(&[1; 32], b"key", b"signature");
        assert_ne!(entry, cache.ecdsa_entry(&[2; 32], b"key", b"signature"));
        assert_ne!(entry, cache.ecdsa_entry(&[1; 32], b"kex", b"signature"));
        assert_ne!(entry, cache.ecdsa_entry(&[1; 32], b"key", b"signaturf"));
        assert_ne!(entry, cache.ecdsa_entry(&[1; 32], b"ke", b"ysignature"), "where the key ends");
    }

    #[test]
    fn kinds_and_processes_are_kept_apart() {
        let cache = SignatureCache::new(0);
        let entry = cache.ecdsa_entry(&[1; 32], b"key", b"signature");
        assert_ne!(entry, cache.schnorr_entry(&[1; 32], b"key", b"signature"));
        assert_ne!(entry, SignatureCache::new(0).ecdsa_entry(&[1; 32], b"key", b"signature"));
    }

    #[test]
    fn a_full_cache_keeps_its_size_and_the_newest_entries() {
        let cache = SignatureCache::new(0);
        let entries: Vec<_> =
            (0..10_000u32).map(|i| cache.ecdsa_entry(&[0; 32], &i.to_le_bytes(), b"signature")).collect();
        for entry in &entries {
            cache.insert(entry);
            assert!(cache.contains(entry, false));
        }
        let kept = entries.iter().filter(|entry| cache.contains(entry, false)).count();
        assert_eq!(kept, SHARDS * WAYS, "every slot is in use after so many entries");
    }
}
