//! Absolute and relative lock times.

use crate::header_chain::HeaderChain;
use crate::primitives::TransactionRef;
use crate::script::{
    LOCKTIME_THRESHOLD, SEQUENCE_FINAL, SEQUENCE_LOCKTIME_DISABLE_FLAG, SEQUENCE_LOCKTIME_MASK,
    SEQUENCE_LOCKTIME_TYPE_FLAG,
};

/// Relative lock times that are durations count in units of 2^9 = 512 seconds (Core:
/// `CTxIn::SEQUENCE_LOCKTIME_GRANULARITY`; BIP68).
const SEQUENCE_LOCKTIME_GRANULARITY: u32 = 9;

/// Whether a transaction may be in the block at `height` whose time, for this purpose, is `time` seconds since 1970
/// (Core: `IsFinalTx`, `consensus/tx_verify.cpp`).
#[must_use]
pub fn is_final(tx: TransactionRef<'_>, height: u32, time: u32) -> bool {
    let lock_time = tx.lock_time();
    let now = if lock_time < LOCKTIME_THRESHOLD { height } else { time };
    // A lock time is the last height or time at which the transaction is not valid, so zero locks nothing. Inputs that are
    // all final switch it off.
    lock_time == 0 || lock_time < now || tx.inputs().all(|input| input.sequence() == SEQUENCE_FINAL)
}

/// The last height and time at which relative lock times do not let a transaction in (BIP68).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceLocks {
    /// The last height, or -1 when heights lock nothing.
    pub height: i64,
    /// The last time, in seconds since 1970, or -1 when durations lock nothing.
    pub time: i64,
}

impl SequenceLocks {
    /// What the sequences of a transaction demand, given the height of each coin it spends; a coin of the block under
    /// check has that block's height (Core: `CalculateSequenceLocks`, `consensus/tx_verify.cpp`).
    ///
    /// `chain` must reach the parent of the block under check. The version is compared unsigned: a negative one, as BIP68
    /// has it, is far above two.
    #[must_use]
    pub fn of(
        tx: TransactionRef<'_>,
        coin_heights: impl IntoIterator<Item = u32>,
        chain: &(impl HeaderChain + ?Sized),
    ) -> Self {
        let mut locks = Self { height: -1, time: -1 };
        if tx.version() < 2 {
            return locks;
        }
        for (input, coin_height) in tx.inputs().zip(coin_heights) {
            let sequence = input.sequence();
            if sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG != 0 {
                continue;
            }
            let lock = sequence & SEQUENCE_LOCKTIME_MASK;
            // One less than the first valid height or time: the last that is not.
            if sequence & SEQUENCE_LOCKTIME_TYPE_FLAG == 0 {
                locks.height = locks.height.max(i64::from(coin_height) + i64::from(lock) - 1);
            } else {
                // Durations count from the median time before the coin's block, the last time that block could not claim.
                let start = chain.median_time_past_at(coin_height.saturating_sub(1));
                let duration = i64::from(lock) << SEQUENCE_LOCKTIME_GRANULARITY;
                locks.time = locks.time.max(i64::from(start) + duration - 1);
            }
        }
        locks
    }

    /// Whether the child of the last block of `chain` may hold the transaction (Core: `EvaluateSequenceLocks`,
    /// `consensus/tx_verify.cpp`).
    #[must_use]
    pub fn are_met_after(self, chain: &(impl HeaderChain + ?Sized)) -> bool {
        // Most transactions are not locked by time, so the median is not worth finding for each.
        let by_time = self.time < 0 || self.time < i64::from(chain.median_time_past());
        self.height < i64::from(chain.height()) + 1 && by_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_chain::HeaderFacts;
    use crate::primitives::Transaction;
    use bitcoin::block::Version;
    use bitcoin::hashes::Hash;
    use bitcoin::{BlockHash, CompactTarget};

    /// A transaction with one output of nothing and inputs with these sequences.
    fn transaction(version: u32, sequences: &[u32], lock_time: u32) -> Transaction {
        let mut bytes = version.to_le_bytes().to_vec();
        bytes.push(u8::try_from(sequences.len()).unwrap());
        for (index, sequence) in sequences.iter().enumerate() {
            bytes.extend([7; 32]);
            bytes.extend(u32::try_from(index).unwrap().to_le_bytes());
            bytes.push(0);
            bytes.extend(sequence.to_le_bytes());
        }
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(lock_time.to_le_bytes());
        Transaction::decode(bytes).unwrap()
    }

    /// A block each 600 seconds from time 0, so the median at height h ≥ 10 is 600 (h - 5).
    fn chain(height: u32) -> Vec<HeaderFacts> {
        let facts = |height: u32| HeaderFacts {
            hash: BlockHash::all_zeros(),
            time: height * 600,
            bits: CompactTarget::from_consensus(0),
            version: Version::ONE,
        };
        (0..=height).map(facts).collect()
    }

    #[test]
    fn lock_times_name_the_last_height_or_time_that_is_not_valid() {
        let locked = |lock_time| transaction(1, &[0], lock_time);
        assert!(is_final(locked(0).as_ref(), 0, 0));
        assert!(!is_final(locked(100).as_ref(), 100, u32::MAX));
        assert!(is_final(locked(100).as_ref(), 101, 0));
        assert!(!is_final(locked(LOCKTIME_THRESHOLD).as_ref(), u32::MAX, LOCKTIME_THRESHOLD));
        assert!(is_final(locked(LOCKTIME_THRESHOLD).as_ref(), 0, LOCKTIME_THRESHOLD + 1));
        assert!(is_final(transaction(1, &[SEQUENCE_FINAL; 2], 100).as_ref(), 0, 0));
        assert!(!is_final(transaction(1, &[SEQUENCE_FINAL, 0], 100).as_ref(), 0, 0));
    }

    #[test]
    fn relative_heights() {
        let chain = chain(20);
        let met = |coin_height, lock| {
            SequenceLocks::of(transaction(2, &[lock], 0).as_ref(), [coin_height], &chain[..]).are_met_after(&chain[..])
        };
        // The next block has height 21: five blocks after height 16.
        assert!(met(16, 5) && !met(16, 6) && met(21, 0) && !met(21, 1));
        assert!(met(16, 6 | SEQUENCE_LOCKTIME_DISABLE_FLAG));
    }

    #[test]
    fn relative_durations_count_from_the_block_before_the_coin() {
        let chain = chain(20);
        let locks = |coin_height, lock| {
            let sequence = lock | SEQUENCE_LOCKTIME_TYPE_FLAG;
            SequenceLocks::of(transaction(2, &[sequence], 0).as_ref(), [coin_height], &chain[..])
        };
        assert_eq!(locks(16, 0).time, 600 * 10 - 1);
        assert_eq!(locks(16, 2).time, 600 * 10 + 1023);
        assert_eq!(locks(0, 1).time, 511, "genesis has no block before it");
        // The median at height 20 is 9000, so 3000 seconds have passed: five units, not six.
        assert!(locks(16, 5).are_met_after(&chain[..]) && !locks(16, 6).are_met_after(&chain[..]));
    }

    #[test]
    fn versions_below_two_are_exempt_and_negative_ones_are_not() {
        let chain = chain(20);
        let of = |version| SequenceLocks::of(transaction(version, &[50], 0).as_ref(), [16], &chain[..]).height;
        assert_eq!((of(1), of(2), of(u32::MAX)), (-1, 65, 65));
    }
}
