//! How a chain state is to be run.

use bitcoin::BlockHash;

use crate::pow::Work;
use crate::store::MAX_BLOCK_FILE_SIZE;

/// The least memory for coins, in bytes.
pub const MIN_CACHE_BYTES: usize = 4 << 20;
/// The least that block files may be pruned to, in bytes (Core: `MIN_DISK_SPACE_FOR_BLOCK_FILES`, `validation.h`).
pub const MIN_PRUNE_TARGET: u64 = 550 << 20;

/// A tip older than this, in seconds, is taken for one of a chain that is still being loaded (Core: `DEFAULT_MAX_TIP_AGE`,
/// `kernel/chainstatemanager_opts.h`).
pub const DEFAULT_MAX_TIP_AGE: u64 = 24 * 60 * 60;

/// How a chain state is to be run.
#[derive(Debug, Clone)]
pub struct ChainstateOptions {
    /// Memory for coins between flushes, in bytes (Core: `-dbcache`).
    pub cache_bytes: usize,
    /// Threads that verify blocks, the calling one among them; zero for one on each core (Core: `-par`).
    pub threads: usize,
    /// Block whose ancestors' scripts need no check.
    pub assume_valid: AssumeValid,
    /// Work below which the chain is taken for one that is still being loaded; the network's when nothing is given (Core:
    /// `-minimumchainwork`).
    pub minimum_chain_work: Option<Work>,
    /// Age of the tip, in seconds, beyond which the chain is taken for one that is still being loaded (Core: `-maxtipage`).
    pub max_tip_age: u64,
    /// What block files are pruned to, in bytes: at least [`MIN_PRUNE_TARGET`]. Nothing keeps all (Core: `-prune`).
    pub prune_target: Option<u64>,
    /// Size of a block file, in bytes.
    pub block_file_size: u32,
    /// Memory for signatures and transactions that were verified, in bytes (Core: `-maxsigcachesize`).
    pub validation_cache_bytes: usize,
}

/// Block whose ancestors' scripts need no check (Core: `-assumevalid`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssumeValid {
    /// The one the network knows of.
    #[default]
    NetworkDefault,
    /// None: every script is checked.
    Nothing,
    /// This one.
    Block(BlockHash),
}

impl Default for ChainstateOptions {
    /// As Core's: 450 MiB for coins, a thread on each core, nothing pruned.
    fn default() -> Self {
        Self {
            cache_bytes: 450 << 20,
            threads: 0,
            assume_valid: AssumeValid::default(),
            minimum_chain_work: None,
            max_tip_age: DEFAULT_MAX_TIP_AGE,
            prune_target: None,
            block_file_size: MAX_BLOCK_FILE_SIZE,
            validation_cache_bytes: 32 << 20,
        }
    }
}

impl ChainstateOptions {
    /// Number of threads, the calling one among them.
    pub(super) fn thread_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        if self.threads == 0 { cores() } else { self.threads }
    }
}
