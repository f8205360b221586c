//! Which chain is best, and the coins after it, on disk (Core: `Chainstate` and `ChainstateManager`, `validation.h`).
//!
//! One thread owns a [`Chainstate`]. Blocks come in through [`Chainstate::process_new_block`], many at a time through
//! [`Chainstate::process_new_blocks`], or from files through [`Chainstate::import`]; all take the same way:
//!
//! ```text
//! accept      header and body are checked and kept, whichever chain they are on
//! activate    the candidate with the most work becomes the tip: blocks are disconnected down to the fork, then connected
//! connect     coins are spent and added in order; scripts trail behind in chunks, across block borders
//! commit      a block whose scripts were verified, and whose predecessors' were, gets its undo data written
//! flush       what was committed becomes durable, off this thread
//! ```
//!
//! Between connect and commit a block is *in flight*. If its scripts fail, it and all blocks in flight after it are taken back,
//! and the state is exactly what it was before it. Nothing is flushed, and nobody is told, before the commit.
//!
//! After a fault of the disk nothing more is written: the caller has to drop the chain state, and what was flushed last is what
//! it will find. A disk that is nearly full is no fault: what is in flight is taken back, to be connected again when there is
//! room, and what was committed can still be flushed.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `accept` | headers and blocks on their way into the index | `AcceptBlockHeader`, `AcceptBlock` |
//! | `activate` | the best chain, and the way there | `ActivateBestChain`, `FindMostWorkChain` |
//! | `connect` | one block more, or one less | `ConnectTip`, `DisconnectTip` |
//! | `invalidate` | what users say about blocks | `InvalidateBlock`, `ReconsiderBlock`, `PreciousBlock` |
//! | `block_index` | every header, and what is known of its block | `CBlockIndex` |
//! | `candidates` | blocks that may become the tip | `setBlockIndexCandidates` |
//! | `check_queue` | work shared with other threads | `CCheckQueue` |
//! | `flush` | durability, and opening after a crash | `FlushStateToDisk`, `ReplayBlocks` |
//! | `open` | the data directory becomes a chain state | `LoadBlockIndex`, `LoadChainTip` |
//! | `import`, `prepare` | many blocks from files and streams, decoded ahead | `LoadExternalBlockFile` |
//! | `export` | blocks as files | |
//! | `progress` | how much of the network's chain is there | `GuessVerificationProgress` |
//! | `prune` | old bodies go | `FindFilesToPrune` |
//! | `reindex` | what can be computed from block files is computed again | `-reindex`, `-reindex-chainstate` |
//! | `verify` | the newest blocks are checked again | `CVerifyDB` |
//! | `proposal` | a block that may be the next one | `TestBlockValidity` |
//! | `status` | what the chain state is asked | `getblockchaininfo` |
//! | `missing` | bodies that are still to come | `FindNextBlocksToDownload` |
//! | `headers` | which headers of peers are worth the memory, and how to ask for more | `GetAntiDoSWorkThreshold`, `LocatorEntries` |
//! | `lookup` | single blocks, where they are kept, and the ends of branches | `BlockManager::ReadBlock`, `getchaintips` |
//! | `stages` | how long each stage takes | `BCLog::BENCH` |
//! | `coins_snapshot` | all coins, for another thread | `CCoinsViewDB::Cursor` |
//! | `events`, `error` | what it tells | `CValidationInterface` |

mod accept;
mod activate;
mod block_index;
mod candidates;
mod check_queue;
mod coins_snapshot;
mod connect;
mod error;
mod events;
mod export;
mod flush;
mod headers;
mod import;
mod invalidate;
mod lookup;
mod missing;
mod open;
mod options;
mod prepare;
mod progress;
mod proposal;
mod prune;
mod reindex;
mod stages;
mod status;
mod verify;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::coins::CoinsCache;
use crate::params::ChainParams;
use crate::pow::Work;
use crate::store::{BlockFiles, CoinPages, DataDirectory, Database, Journal};
use crate::validation::{ScriptChecks, ValidationCache};

pub use accept::Acceptance;
use block_index::{ActiveChain, BlockId, BlockIndex, ChainView};
use candidates::Candidates;
use check_queue::CheckQueue;
pub use coins_snapshot::CoinsSnapshot;
pub use error::ChainstateError;
pub use events::{BlockReference, ChainEvent};
pub use export::ExportRange;
use flush::Flush;
pub use import::{BlockSource, ImportProgress, ImportSummary};
pub use lookup::{ChainTip, ChainTipStatus, StoredBlock};
pub use open::DATABASE_CACHE;
pub use options::{AssumeValid, ChainstateOptions, DEFAULT_MAX_TIP_AGE, MIN_CACHE_BYTES, MIN_PRUNE_TARGET};
pub use proposal::ProposalError;
pub use prune::MIN_BLOCKS_TO_KEEP;
pub use reindex::{ReindexProgress, ReindexScope};
pub use stages::BlockStage;
use stages::StageObserver;
pub use status::{BlockLookup, ChainStatus};
pub use verify::{VerifyLevel, VerifySummary};

/// The chain state of one network in one data directory.
#[derive(Debug)]
pub struct Chainstate {
    params: Arc<ChainParams>,
    options: ChainstateOptions,
    /// Whether the chain was ever found not to be loading any more.
    was_loaded: AtomicBool,
    /// Seconds since 1970 as told by a test, instead of the clock.
    mock_time: Option<u64>,

    index: BlockIndex,
    /// Up to the last block whose coins were applied, those in flight included.
    active: ActiveChain,
    candidates: Candidates,
    /// What the next block that becomes complete gets as its sequence.
    next_sequence: i32,
    /// What the next precious block gets (Core: `nBlockReverseSequenceId`).
    next_precious_sequence: i32,
    /// Work of the tip when a block was made precious last (Core: `nLastPreciousChainwork`).
    last_precious_work: Work,

    coins: CoinsCache<Arc<CoinPages>>,
    validation_cache: Arc<ValidationCache>,
    queue: CheckQueue,
    /// Blocks whose scripts are being verified, the oldest first.
    in_flight: VecDeque<InFlight>,

    /// The tip that listeners know of.
    announced: BlockId,
    events: Vec<ChainEvent>,

    files: BlockFiles,
    database: Arc<Database>,
    journal: Journal,
    /// The tip the stored coins are at, or will be when the running flush is done.
    flushed: BlockId,
    flush: Option<Flush>,
    /// How often a flush began since opening.
    flushes: u64,
    /// Who is told how long stages took.
    stages: StageObserver,
    /// Bytes appended to block files since the last flush.
    unflushed_bytes: u64,
    /// Bytes of block files when they were pruned last.
    size_after_pruning: u64,
    /// The fault after which nothing may be written.
    fault: Option<String>,
    /// Last, so that the lock outlives everything it protects.
    directory: DataDirectory,
}

/// A block whose coins were applied and whose scripts are being verified.
#[derive(Debug)]
struct InFlight {
    id: BlockId,
    checks: Arc<ScriptChecks>,
    /// When its scripts were handed to the threads.
    started: Instant,
    /// Memory of the block and of the coins it spends, in bytes.
    bytes: usize,
}

impl Chainstate {
    /// Runs something that must not go on after a fault, and remembers the fault. After any other error nothing is left in
    /// flight.
    fn guarded<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, ChainstateError>) -> Result<T, ChainstateError> {
        if let Some(fault) = &self.fault {
            return Err(ChainstateError::Stopped(fault.clone()));
        }
        // In place until it turns out well: a panic, too, leaves nothing that may be written.
        self.fault = Some("it panicked".to_owned());
        let result = run(self).or_else(|error| {
            if !error.is_fault() {
                self.step_back()?;
            }
            Err(error)
        });
        self.fault = result.as_ref().err().filter(|error| error.is_fault()).map(ToString::to_string);
        result
    }

    /// The fault after which nothing may be written any more, if there was one.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The chain up to a block, as rules ask for it.
    fn view(&self, tip: BlockId) -> ChainView<'_> {
        ChainView::new(&self.index, &self.active, tip)
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        self.mock_time.unwrap_or_else(|| {
            let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since_1970.map_or(0, |duration| duration.as_secs())
        })
    }

    /// Sets the clock to seconds since 1970, or back to the system's (Core: `setmocktime`).
    pub fn set_mock_time(&mut self, now: Option<u64>) {
        self.mock_time = now;
    }

    /// From now on tells how long each stage of processing a block takes, on whichever thread it ends.
    pub fn observe_stages(&mut self, observe: impl Fn(BlockStage, Duration) + Send + Sync + 'static) {
        self.stages = StageObserver::new(observe);
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<ChainEvent> {
        std::mem::take(&mut self.events)
    }

    /// The last block whose scripts were verified.
    fn committed_tip(&self) -> BlockId {
        let height =
            self.active.height() - u32::try_from(self.in_flight.len()).expect("fewer than the chain has blocks");
        self.active.get(height).expect("a height of the chain")
    }

    fn reference(&self, id: BlockId) -> BlockReference {
        let entry = &self.index[id];
        BlockReference { height: entry.height, hash: entry.hash }
    }
}
