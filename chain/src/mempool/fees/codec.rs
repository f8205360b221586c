//! How estimates are written.
//!
//! ```text
//! "cairnfe"  version (1 byte)
//! best seen height, first and best height of the record (4 bytes each)
//! for the medium, the short and the long horizon:
//!     confirmed, fee rates, confirmed within each number of periods, failed after each (a number for each bucket each)
//! CRC-32 of everything before (4 bytes)
//! ```
//!
//! All little-endian, numbers as IEEE 754 has them in 64 bits. The version stands for everything that gives the numbers their
//! meaning: buckets, horizons, decays. What waits in the pool is not written: it will enter the pool again.

use thiserror::Error;

use super::confirm_stats::{PerBucket, TxConfirmStats};
use super::{FeeEstimateHorizon, FeeEstimator};

const MAGIC: &[u8; 7] = b"cairnfe";
/// Version of the format and of what its numbers mean.
const VERSION: u8 = 1;
const CHECKSUM_SIZE: usize = 4;

/// Why bytes are no estimates of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeeEstimatesError {
    /// The first bytes are others.
    #[error("these are no fee estimates")]
    Magic,
    /// Another version wrote them.
    #[error("fee estimates have version {got}, expected {VERSION}")]
    Version {
        /// Their version.
        got: u8,
    },
    /// All estimates of a version have the same size.
    #[error("fee estimates have {got} bytes, expected {expected}")]
    Size {
        /// Their size, in bytes.
        got: usize,
        /// Size of all estimates of this version, in bytes.
        expected: usize,
    },
    /// The bytes are not those that were written.
    #[error("fee estimates have checksum {got:08x}, expected {expected:08x}")]
    Checksum {
        /// CRC-32 of the bytes.
        got: u32,
        /// What they say it is.
        expected: u32,
    },
    /// The record does not end where it can.
    #[error("fee estimates recorded from height {first} to {best}, expected them in order and at most at {best_seen}")]
    Heights {
        /// Where the record starts.
        first: u32,
        /// Where it ends.
        best: u32,
        /// Height of the best block that was seen.
        best_seen: u32,
    },
    /// The numbers cannot have come from counting.
    #[error("fee estimates of the {horizon} horizon: expected {expected}")]
    Average {
        /// Name of the horizon.
        horizon: &'static str,
        /// What does not hold.
        expected: &'static str,
    },
}

impl FeeEstimator {
    /// What was learned, as bytes: always as many, about 300,000. Call [`FeeEstimator::flush_unconfirmed`] before when it is
    /// the last time (Core: `Write`).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(encoded_size());
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        let (first, best) = if self.block_span() > self.historical_block_span() / 2 {
            (self.first_recorded_height, self.best_seen_height)
        } else {
            (self.historical_first, self.historical_best)
        };
        for height in [self.best_seen_height, first, best] {
            bytes.extend_from_slice(&height.to_le_bytes());
        }
        for stats in [&self.medium, &self.short, &self.long] {
            for average in rows(stats).flatten() {
                bytes.extend_from_slice(&average.to_le_bytes());
            }
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// An estimator that knows what another had learned when it was encoded, and tracks no transaction yet (Core: `Read`).
    ///
    /// # Errors
    ///
    /// When the bytes are damaged or not ours.
    pub fn decode(bytes: &[u8]) -> Result<Self, FeeEstimatesError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(FeeEstimatesError::Magic)?;
        let size = FeeEstimatesError::Size { got: bytes.len(), expected: encoded_size() };
        let Some(&version) = rest.first() else { return Err(size) };
        if version != VERSION {
            return Err(FeeEstimatesError::Version { got: version });
        }
        if bytes.len() != encoded_size() {
            return Err(size);
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_SIZE);
        let expected = u32::from_le_bytes(checksum.try_into().expect("split off so many bytes"));
        let got = crc32fast::hash(content);
        if got != expected {
            return Err(FeeEstimatesError::Checksum { got, expected });
        }

        let mut left = &content[MAGIC.len() + 1..];
        let [best_seen, first, best] = [(); 3].map(|()| u32::from_le_bytes(take(&mut left)));
        if first > best || best > best_seen {
            return Err(FeeEstimatesError::Heights { first, best, best_seen });
        }
        let mut estimator =
            Self { best_seen_height: best_seen, historical_first: first, historical_best: best, ..Self::new() };
        for stats in [&mut estimator.medium, &mut estimator.short, &mut estimator.long] {
            for average in rows_mut(stats).flatten() {
                *average = f64::from_le_bytes(take(&mut left));
            }
            check(stats)?;
        }
        Ok(estimator)
    }
}

/// Size of all estimates of this version, in bytes.
fn encoded_size() -> usize {
    let rows: usize = FeeEstimateHorizon::ALL.map(|horizon| 2 + 2 * horizon.periods() as usize).iter().sum();
    MAGIC.len() + 1 + 3 * size_of::<u32>() + rows * size_of::<PerBucket<f64>>() + CHECKSUM_SIZE
}

/// The next bytes; the size of everything was checked.
fn take<const N: usize>(left: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = left.split_first_chunk().expect("the size of the whole was checked");
    *left = rest;
    *taken
}

fn rows(stats: &TxConfirmStats) -> impl Iterator<Item = &PerBucket<f64>> {
    [&stats.confirmed, &stats.fee_rates].into_iter().chain(&stats.confirmed_within).chain(&stats.failed_after)
}

fn rows_mut(stats: &mut TxConfirmStats) -> impl Iterator<Item = &mut PerBucket<f64>> {
    let averages = [&mut stats.confirmed, &mut stats.fee_rates].into_iter();
    averages.chain(&mut stats.confirmed_within).chain(&mut stats.failed_after)
}

/// Checks what counting and decaying, with all their rounding, never breaks.
fn check(stats: &TxConfirmStats) -> Result<(), FeeEstimatesError> {
    let failed = |expected| FeeEstimatesError::Average { horizon: stats.horizon.name(), expected };
    if !rows(stats).flatten().all(|average| average.is_finite() && average.is_sign_positive()) {
        return Err(failed("finite averages of at least zero"));
    }
    // Whatever is confirmed within a number of periods is confirmed within more.
    let within = stats.confirmed_within.iter().chain([&stats.confirmed]);
    if !within.is_sorted_by(|fewer, more| fewer.iter().zip(more.iter()).all(|(fewer, more)| fewer <= more)) {
        return Err(failed("no less confirmed within more periods"));
    }
    let after = stats.failed_after.iter();
    if !after.is_sorted_by(|fewer, more| fewer.iter().zip(more.iter()).all(|(fewer, more)| fewer >= more)) {
        return Err(failed("no more left after more periods"));
    }
    Ok(())
}
