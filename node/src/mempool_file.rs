//! The pool, and what it knows about fees, across restarts.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use cairn_chain::mempool::fees::{FeeEstimator, MAX_FILE_AGE};
use cairn_chain::mempool::persist::{
    MempoolFileEntry, MempoolFileError, MempoolFileReader, ObfuscationKey, write_mempool_file,
};
use cairn_chain::mempool::{Restored, SavedMempool};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::chain_service::{ChainHandle, ChainStopped};

/// Entries that the chain thread takes at once; between two batches it does what others ask for.
const BATCH: usize = 64;
/// Batches that may wait for the chain thread.
const BATCHES_AHEAD: usize = 4;

/// Held while the pool is saved.
static SAVING: Mutex<()> = Mutex::new(());

/// Files of the pool in the network's folder.
#[derive(Debug, Clone)]
pub(crate) struct MempoolFiles {
    mempool: PathBuf,
    fees: PathBuf,
}

/// What became of the pool of the last run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoadSummary {
    pub(crate) accepted: usize,
    pub(crate) expired: usize,
    pub(crate) failed: usize,
    pub(crate) already_there: usize,
}

impl MempoolFiles {
    /// The files in a network's folder, with Core's names.
    pub(crate) fn new(directory: &Path) -> Self {
        Self { mempool: directory.join("mempool.dat"), fees: directory.join("fee_estimates.dat") }
    }

    /// The file of the pool itself.
    pub(crate) fn mempool(&self) -> &Path {
        &self.mempool
    }

    /// What the last run found out about fees, when there is any and it is recent enough to mean something.
    pub(crate) fn read_fee_estimates(&self) -> Option<FeeEstimator> {
        let age = std::fs::metadata(&self.fees).ok()?.modified().ok()?;
        let is_old = SystemTime::now().duration_since(age).is_ok_and(|age| age > MAX_FILE_AGE);
        if is_old {
            info!("the fee estimates of the last run are too old to mean anything");
            return None;
        }
        let bytes = std::fs::read(&self.fees).inspect_err(|error| warn!(%error, "cannot read fee estimates")).ok()?;
        FeeEstimator::decode(&bytes).inspect_err(|error| warn!(%error, "fee estimates are of no use")).ok()
    }

    /// Writes what was found out about fees. Losing it to a power cut costs some days of learning and nothing else.
    pub(crate) fn write_fee_estimates(&self, estimator: &FeeEstimator) -> std::io::Result<()> {
        let unfinished = self.fees.with_extension("new");
        std::fs::write(&unfinished, estimator.encode())?;
        std::fs::rename(&unfinished, &self.fees)
    }

    /// Takes back the pool of the last run, batch by batch. A damaged file costs what is behind the damage.
    ///
    /// # Errors
    ///
    /// When the chain thread has ended.
    pub(crate) async fn load(&self, chain: &ChainHandle) -> Result<LoadSummary, ChainStopped> {
        let (summary, read) = import(chain, self.mempool.clone(), ImportOptions::ALL).await?;
        match read {
            Ok(()) => info!(?summary, "took back the pool of the last run"),
            Err(error) if error.is_not_found() => debug!("there is no pool of an earlier run"),
            Err(error) => {
                warn!(%error, ?summary, "the file of the pool is damaged; what is behind the damage is lost")
            }
        }
        Ok(summary)
    }

    /// Writes the pool. Returns the size of the file, in bytes.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; the old one is then left as it was.
    pub(crate) fn save(&self, saved: &SavedMempool) -> Result<u64, MempoolFileError> {
        // Who saves first has the file half written when the next one begins.
        let _saving = SAVING.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Some(ObfuscationKey::random());
        write_mempool_file(&self.mempool, key, &saved.transactions, &saved.deltas, &saved.unbroadcast)
    }
}

/// What of a file is taken over, beside the transactions (Core: `ImportMempoolOptions`, `node/mempool_persist.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImportOptions {
    /// Transactions count as having come now.
    pub(crate) use_current_time: bool,
    /// What the operator pretended that transactions pay counts here too.
    pub(crate) apply_fee_deltas: bool,
    /// Own transactions that no peer had asked for are own ones here too.
    pub(crate) apply_unbroadcast: bool,
}

impl ImportOptions {
    /// All there is.
    const ALL: Self = Self { use_current_time: false, apply_fee_deltas: true, apply_unbroadcast: true };

    /// What of an entry is taken over; `now` is in seconds since 1970.
    fn apply(self, entry: MempoolFileEntry, now: u64) -> Option<MempoolFileEntry> {
        match entry {
            MempoolFileEntry::Transaction(mut saved) => {
                if self.use_current_time {
                    saved.time = i64::try_from(now).unwrap_or(i64::MAX);
                }
                if !self.apply_fee_deltas {
                    saved.fee_delta = 0;
                }
                Some(MempoolFileEntry::Transaction(saved))
            }
            delta @ MempoolFileEntry::Delta { .. } => self.apply_fee_deltas.then_some(delta),
            unbroadcast @ MempoolFileEntry::Unbroadcast { .. } => self.apply_unbroadcast.then_some(unbroadcast),
        }
    }
}

/// Adds what a file holds to the pool, batch by batch, and tells how far the file could be read.
///
/// # Errors
///
/// When the chain thread has ended.
pub(crate) async fn import(
    chain: &ChainHandle,
    path: PathBuf,
    options: ImportOptions,
) -> Result<(LoadSummary, Result<(), MempoolFileError>), ChainStopped> {
    let (batches, mut receiver) = mpsc::channel::<Vec<MempoolFileEntry>>(BATCHES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || read_batches(&path, &batches));
    let mut summary = LoadSummary::default();
    while let Some(batch) = receiver.recv().await {
        let outcomes = chain.call(move |chain| {
            let now = chain.chainstate.adjusted_time();
            let entries = batch.into_iter().filter_map(|entry| options.apply(entry, now));
            entries.map(|entry| chain.mempool.restore(&chain.chainstate, entry)).collect::<Vec<_>>()
        });
        for outcome in &outcomes.await? {
            summary.count(outcome);
        }
    }
    // A panic was told about, and what was read before it is there.
    let read = reader.await.unwrap_or(Ok(()));
    Ok((summary, read))
}

impl LoadSummary {
    fn count(&mut self, outcome: &Restored) {
        match outcome {
            Restored::Transaction(_) => self.accepted += 1,
            Restored::Expired => self.expired += 1,
            Restored::AlreadyThere => self.already_there += 1,
            Restored::Rejected(rejection) => {
                debug!(%rejection, "a transaction of the last run does not fit any more");
                self.failed += 1;
            }
            Restored::Note => {}
        }
    }
}

fn read_batches(path: &Path, batches: &mpsc::Sender<Vec<MempoolFileEntry>>) -> Result<(), MempoolFileError> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut failure = Ok(());
    for entry in MempoolFileReader::open(path)? {
        match entry {
            Ok(entry) => batch.push(entry),
            Err(error) => failure = Err(error),
        }
        // Nobody receives any more when the node is stopping.
        if batch.len() == BATCH && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
            return Ok(());
        }
    }
    let _ = batches.blocking_send(batch);
    failure
}
