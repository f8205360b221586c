//! Remembering what was verified, so that a block need not verify again what the mempool did.

use std::sync::atomic::{AtomicBool, Ordering};

use bitcoin::Wtxid;
use bitcoin::hashes::Hash;

use crate::hash::HashWriter;
use crate::script::{Entry, EntrySet, ScriptVerifyFlags, SignatureCache, keyed_hashers};

/// Signatures and whole transactions that were found good (Core: `ValidationCache`, `validation.h`).
#[derive(Debug)]
pub struct ValidationCache {
    /// Signatures, whatever transaction they are in.
    pub signatures: SignatureCache,
    /// Transactions all of whose scripts passed.
    pub scripts: ScriptExecutionCache,
}

impl ValidationCache {
    /// Caches that take `bytes` of memory together, half of it each (Core: `ApplyArgsManOptions`,
    /// `node/chainstatemanager_args.cpp`).
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { signatures: SignatureCache::new(bytes / 2), scripts: ScriptExecutionCache::new(bytes / 2) }
    }
}

/// A bounded set of transactions whose scripts all passed under certain rules (Core: `m_script_execution_cache`).
///
/// The coins a transaction spends need not be part of an entry: its inputs name the transactions that made them by hash, and so
/// their scripts and amounts.
pub struct ScriptExecutionCache {
    keyed: HashWriter,
    entries: EntrySet,
    /// Nothing was ever remembered: while a chain is loaded, nobody needs to look.
    is_unused: AtomicBool,
}

impl ScriptExecutionCache {
    fn new(bytes: usize) -> Self {
        let [keyed] = keyed_hashers(*b"X");
        Self { keyed, entries: EntrySet::new(bytes), is_unused: AtomicBool::new(true) }
    }

    /// Whether all scripts of the transaction passed under these rules; `remove` forgets it, for a caller that will not ask
    /// again.
    #[must_use]
    pub fn contains(&self, wtxid: &Wtxid, flags: ScriptVerifyFlags, remove: bool) -> bool {
        !self.is_unused.load(Ordering::Relaxed) && self.entries.contains(&self.entry(wtxid, flags), remove)
    }

    /// Remembers that all scripts of the transaction passed under these rules.
    pub(crate) fn insert(&self, wtxid: &Wtxid, flags: ScriptVerifyFlags) {
        self.entries.insert(&self.entry(wtxid, flags));
        self.is_unused.store(false, Ordering::Relaxed);
    }

    fn entry(&self, wtxid: &Wtxid, flags: ScriptVerifyFlags) -> Entry {
        let mut writer = self.keyed.clone();
        writer.write(wtxid.as_byte_array()).write(&flags.bits().to_le_bytes());
        writer.sha256()
    }
}

impl std::fmt::Debug for ScriptExecutionCache {
    /// Without the key, which must stay secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let capacity = self.entries.capacity_bytes();
        formatter.debug_struct("ScriptExecutionCache").field("capacity_bytes", &capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_remembered_under_the_rules_it_passed() {
        let cache = ValidationCache::new(1 << 20).scripts;
        let (one, two) = (Wtxid::from_byte_array([1; 32]), Wtxid::from_byte_array([2; 32]));
        let flags = ScriptVerifyFlags::MANDATORY;
        cache.insert(&one, flags);
        assert!(cache.contains(&one, flags, false));
        assert!(!cache.contains(&two, flags, false));
        assert!(!cache.contains(&one, ScriptVerifyFlags::STANDARD, false), "other rules");
        assert!(cache.contains(&one, flags, true) && !cache.contains(&one, flags, false));
    }
}
