//! What there is in a set of coins, and its hash (Core: `kernel/coinstats.h`, RPC `gettxoutsetinfo`).
//!
//! Core walks its coins in the order of their keys. Ours are in no order, so what depends on order, the serialized hash and
//! the number of transactions, takes further scans; see [`CoinsStatistics::compute`] for how many.

mod ordered;

use std::ops::ControlFlow;
use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, OutPoint, Script};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use thiserror::Error;

use super::{Coin, CoinsError, CoinsScan};
use crate::hash::{HashWriter, MuHash3072};
use crate::serialize::append_with_size;
use ordered::{Payload, Weights, visit_in_order};

/// Coins between two reports of progress.
const REPORT_INTERVAL: u64 = 1 << 12;

/// Bytes of serialized coins that are hashed into a MuHash at once: enough to keep all threads busy for a moment.
const BATCH_SIZE: usize = 1 << 20;

/// Which hash of the set to compute (Core: `CoinStatsHashType`, `kernel/coinstats.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoinsHashType {
    /// Double SHA-256 of all coins, in the order of their txids as bytes, then of their output numbers: RPC
    /// `hash_serialized_3`, what snapshots of the coins are checked against.
    HashSerialized3,
    /// [`MuHash3072`] of the coins, which needs no order: RPC `muhash`.
    MuHash,
    /// None.
    None,
}

/// What there is in a set of coins (Core: `CCoinsStats`, `kernel/coinstats.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoinsStatistics {
    /// Transactions that have a coin (RPC `transactions`).
    pub transactions: u64,
    /// Coins (RPC `txouts`).
    pub transaction_outputs: u64,
    /// Sum of [`bogo_size`] (RPC `bogosize`).
    pub bogo_size: u64,
    /// Sum of the coins' values, or nothing when it exceeds 2^63 − 1 satoshis, as only a forged set's does
    /// (RPC `total_amount`).
    pub total_amount: Option<Amount>,
    /// The hash that was asked for. RPC shows its bytes in reverse, as it shows block hashes.
    pub hash: Option<[u8; 32]>,
}

/// Why there are no statistics.
#[derive(Debug, Clone, Error)]
pub enum StatisticsError {
    /// The coins could not be read.
    #[error(transparent)]
    Coins(#[from] CoinsError),
    /// Whoever was told of the progress asked to stop.
    #[error("statistics of the coins were interrupted")]
    Interrupted,
    /// The set did not hold still.
    #[error("the coins changed while they were counted: expected {expected}, got {got}")]
    CoinsChanged {
        /// Coins of the first scan.
        expected: u64,
        /// Coins of a later scan, or of all ranges that later scans collected.
        got: u64,
    },
}

/// How far the scans are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanProgress {
    /// Coins visited so far; one that several scans visit counts each time.
    pub visits: u64,
    /// Visits there will be in all. Nobody knows during the first scan. It grows if many coins have nearly the same txid.
    pub expected_visits: Option<u64>,
}

impl CoinsStatistics {
    /// Statistics of a set of coins.
    ///
    /// The first scan computes whatever does not depend on order. Then the coins ([`CoinsHashType::HashSerialized3`]) or
    /// only their outpoints (the other types) are sorted, as many at a time as `memory_budget`, in bytes, allows. A coin
    /// takes about 104 bytes, an outpoint 36, so the number of scans is about 1 + coins · 104 / budget or
    /// 1 + coins · 36 / budget. Some 2 MB are in use besides the budget.
    ///
    /// `progress` is called at the start of each scan and every few thousand coins, and ends the computation when it
    /// returns [`ControlFlow::Break`]. Sorting and hashing what one scan collected is not interrupted: some seconds for a
    /// gigabyte.
    ///
    /// # Errors
    ///
    /// When the coins could not be read or changed meanwhile, or when `progress` asked to stop.
    pub fn compute(
        coins: &dyn CoinsScan,
        hash_type: CoinsHashType,
        memory_budget: usize,
        progress: &mut dyn FnMut(ScanProgress) -> ControlFlow<()>,
    ) -> Result<Self, StatisticsError> {
        let mut scans = Scans { coins, progress, visits: 0, expected_visits: None, coins_count: None };
        let ignore = |_: &OutPoint, _: &Coin| {};
        match hash_type {
            CoinsHashType::HashSerialized3 => {
                let mut writer = HashWriter::new();
                let mut bytes = Vec::new();
                let write = |outpoint: &OutPoint, coin: &Coin| {
                    bytes.clear();
                    serialize_coin(&mut bytes, outpoint, coin);
                    writer.write(&bytes);
                };
                let statistics = Self::gather::<Coin>(&mut scans, memory_budget, ignore, write)?;
                Ok(Self { hash: Some(writer.sha256d()), ..statistics })
            }
            CoinsHashType::MuHash => {
                let mut batch = Batch::default();
                let insert = |outpoint: &OutPoint, coin: &Coin| batch.insert(outpoint, coin);
                let statistics = Self::gather::<()>(&mut scans, memory_budget, insert, |_, ()| {})?;
                Ok(Self { hash: Some(batch.finish().finalize()), ..statistics })
            }
            CoinsHashType::None => Self::gather::<()>(&mut scans, memory_budget, ignore, |_, ()| {}),
        }
    }

    /// Statistics without a hash. Every coin is shown to `visit`, and then in order, as far as `P` keeps it, to
    /// `visit_ordered`.
    fn gather<P: Payload>(
        scans: &mut Scans<'_>,
        memory_budget: usize,
        mut visit: impl FnMut(&OutPoint, &Coin),
        mut visit_ordered: impl FnMut(&OutPoint, &P),
    ) -> Result<Self, StatisticsError> {
        let mut statistics = Self {
            transactions: 0,
            transaction_outputs: 0,
            bogo_size: 0,
            total_amount: Some(Amount::ZERO),
            hash: None,
        };
        let mut weights = Weights::new();
        scans.scan(|outpoint, coin| {
            statistics.apply_coin(coin);
            weights.add::<P>(outpoint, coin);
            visit(outpoint, coin);
        })?;

        let mut last = None;
        let mut ordered = 0;
        visit_in_order(scans, &weights, memory_budget, |outpoint, payload| {
            if last != Some(outpoint.txid) {
                last = Some(outpoint.txid);
                statistics.transactions += 1;
            }
            ordered += 1;
            visit_ordered(outpoint, payload);
        })?;
        same_count(statistics.transaction_outputs, ordered)?;
        Ok(statistics)
    }

    /// Counts a coin as far as that does not depend on the others.
    fn apply_coin(&mut self, coin: &Coin) {
        self.transaction_outputs += 1;
        self.bogo_size += bogo_size(coin.script_pubkey.as_script());
        let total = self.total_amount.and_then(|total| total.checked_add(coin.amount));
        // Core's amounts have a sign.
        self.total_amount = total.filter(|total| total.to_signed().is_ok());
    }
}

/// A measure of a coin's size that depends on no database (Core: `GetBogoSize`, `kernel/coinstats.h`), in bytes.
#[must_use]
pub fn bogo_size(script_pubkey: &Script) -> u64 {
    // Txid, output number, height and coinbase flag, amount, length of the script whatever it is, and the script.
    let size = 32 + 4 + 4 + 8 + 2 + script_pubkey.len();
    u64::try_from(size).expect("no address space has more than 2^64 bytes")
}

/// Adds a coin to the running hash of a set (Core: `ApplyCoinHash`, `kernel/coinstats.h`).
pub fn apply_coin_hash(set: &mut MuHash3072, outpoint: &OutPoint, coin: &Coin) {
    set.insert(&serialized_coin(outpoint, coin));
}

/// Takes a coin out of the running hash of a set (Core: `RemoveCoinHash`, `kernel/coinstats.h`).
pub fn remove_coin_hash(set: &mut MuHash3072, outpoint: &OutPoint, coin: &Coin) {
    set.remove(&serialized_coin(outpoint, coin));
}

fn serialized_coin(outpoint: &OutPoint, coin: &Coin) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    serialize_coin(&mut bytes, outpoint, coin);
    bytes
}

/// Appends what either hash of a set hashes of a coin (Core: `TxOutSer`, `kernel/coinstats.cpp`).
fn serialize_coin(bytes: &mut Vec<u8>, outpoint: &OutPoint, coin: &Coin) {
    bytes.extend(outpoint.txid.to_byte_array());
    bytes.extend(outpoint.vout.to_le_bytes());
    bytes.extend((coin.height << 1 | u32::from(coin.is_coinbase)).to_le_bytes());
    bytes.extend(coin.amount.to_sat().to_le_bytes());
    append_with_size(bytes, coin.script_pubkey.as_bytes());
}

/// A MuHash that all threads work on.
#[derive(Default)]
struct Batch {
    set: MuHash3072,
    /// Serialized coins that are not in `set` yet.
    elements: Vec<Vec<u8>>,
    /// Their size in bytes.
    size: usize,
}

impl Batch {
    fn insert(&mut self, outpoint: &OutPoint, coin: &Coin) {
        let element = serialized_coin(outpoint, coin);
        self.size += element.len();
        self.elements.push(element);
        if self.size >= BATCH_SIZE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let insert = |mut set: MuHash3072, element: &Vec<u8>| {
            set.insert(element);
            set
        };
        let combine = |mut left: MuHash3072, right: MuHash3072| {
            left *= &right;
            left
        };
        self.set *= &self.elements.par_iter().fold(MuHash3072::new, insert).reduce(MuHash3072::new, combine);
        self.elements.clear();
        self.size = 0;
    }

    fn finish(mut self) -> MuHash3072 {
        self.flush();
        self.set
    }
}

/// The scans of one computation.
struct Scans<'a> {
    coins: &'a dyn CoinsScan,
    progress: &'a mut dyn FnMut(ScanProgress) -> ControlFlow<()>,
    visits: u64,
    expected_visits: Option<u64>,
    /// Coins of the first scan.
    coins_count: Option<u64>,
}

impl Scans<'_> {
    /// Visits every coin once.
    fn scan(&mut self, mut visit: impl FnMut(&OutPoint, &Coin)) -> Result<(), StatisticsError> {
        self.report()?;
        let coins = self.coins;
        let before = self.visits;
        let mut interrupted = false;
        let scanned = coins.scan(&mut |outpoint, coin| {
            visit(outpoint, coin);
            self.visits += 1;
            if self.visits.is_multiple_of(REPORT_INTERVAL) {
                self.report().map_err(|error| {
                    interrupted = true;
                    CoinsError(Arc::new(error))
                })?;
            }
            Ok(())
        });
        if interrupted {
            return Err(StatisticsError::Interrupted);
        }
        scanned?;
        let got = self.visits - before;
        same_count(*self.coins_count.get_or_insert(got), got)
    }

    /// Announces how many scans there are still to be.
    fn expect_scans(&mut self, scans: u64) {
        let coins = self.coins_count.unwrap_or(0);
        self.expected_visits = Some(self.visits.saturating_add(coins.saturating_mul(scans)));
    }

    fn report(&mut self) -> Result<(), StatisticsError> {
        let progress = ScanProgress { visits: self.visits, expected_visits: self.expected_visits };
        match (self.progress)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StatisticsError::Interrupted),
        }
    }
}

fn same_count(expected: u64, got: u64) -> Result<(), StatisticsError> {
    if got == expected { Ok(()) } else { Err(StatisticsError::CoinsChanged { expected, got }) }
}

#[cfg(test)]
mod tests;
