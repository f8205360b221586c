//! One secret bit for each period of headers.

use std::fmt;
use std::hash::Hasher;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use siphasher::sip::SipHasher24;

use super::HeadersSyncError;

/// Words of bits that are allocated at a time: 4096 bytes (Core: `bitdeque`, `util/bitdeque.h`).
const WORDS_PER_ALLOCATION: usize = 512;

/// A queue of bits: made from the headers of the first pass, compared with those of the second (Core:
/// `m_header_commitments`, `m_hasher` and `m_commit_offset`).
///
/// Salt and offset are secret and serve one sync only. Whoever knew them could look for headers with the same bits.
pub(super) struct Commitments {
    hasher: SipHasher24,
    /// Headers for each bit, at least one.
    period: u32,
    /// The bits belong to heights that leave this remainder.
    offset: u32,
    /// The bits, the lowest of a word first.
    words: Vec<u64>,
    /// Bits there are.
    count: u64,
    /// Bits that were compared.
    compared: u64,
}

impl Commitments {
    /// A queue without bits, with a salt and an offset that nobody knows.
    pub(super) fn random(period: u32) -> Self {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).expect("the operating system provides randomness");
        let random = getrandom::u64().expect("the operating system provides randomness");
        // A remainder of 64 bits: no offset is likelier than another by more than one part in 2^32.
        let offset = random % u64::from(period.max(1));
        Self::new(salt, period, u32::try_from(offset).expect("below the period"))
    }

    /// A queue without bits.
    pub(super) fn new(salt: [u8; 16], period: u32, offset: u32) -> Self {
        let hasher = SipHasher24::new_with_key(&salt);
        Self { hasher, period: period.max(1), offset, words: Vec::new(), count: 0, compared: 0 }
    }

    /// Headers for each bit.
    pub(super) fn period(&self) -> u32 {
        self.period
    }

    /// How many bits were made.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    /// Remembers a header of the first pass if its height is one of those.
    pub(super) fn add(&mut self, height: u32, hash: &BlockHash) {
        if !self.is_committed(height) {
            return;
        }
        let (word, bit) = position(self.count);
        if word == self.words.len() {
            // Not by doubling: memory grows no faster than the chain.
            if word == self.words.capacity() {
                self.words.reserve_exact(WORDS_PER_ALLOCATION);
            }
            self.words.push(0);
        }
        self.words[word] |= u64::from(self.commitment(hash)) << bit;
        self.count += 1;
    }

    /// Compares a header of the second pass, if its height is one of those.
    pub(super) fn verify(&mut self, height: u32, hash: &BlockHash) -> Result<(), HeadersSyncError> {
        if !self.is_committed(height) {
            return Ok(());
        }
        if self.compared == self.count {
            return Err(HeadersSyncError::CommitmentOverrun { height });
        }
        let (word, bit) = position(self.compared);
        let expected = self.words[word] >> bit & 1 == 1;
        self.compared += 1;
        if self.commitment(hash) == expected { Ok(()) } else { Err(HeadersSyncError::CommitmentMismatch { height }) }
    }

    fn is_committed(&self, height: u32) -> bool {
        height % self.period == self.offset
    }

    fn commitment(&self, hash: &BlockHash) -> bool {
        let mut hasher = self.hasher;
        hasher.write(hash.as_byte_array());
        hasher.finish() & 1 == 1
    }
}

/// The word of a bit, and its place there.
fn position(index: u64) -> (usize, u64) {
    (usize::try_from(index / 64).expect("fewer bits than memory has"), index % 64)
}

/// Without the salt, which must stay secret.
impl fmt::Debug for Commitments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, compared, .. } = self;
        formatter.debug_struct("Commitments").field("count", count).field("compared", compared).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hash(number: u32) -> BlockHash {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        BlockHash::from_byte_array(bytes)
    }

    #[test]
    fn half_of_the_bits_are_set_and_one_in_two_wrong_headers_is_found() {
        let mut commitments = Commitments::new([7; 16], 1, 0);
        (0..10_000).for_each(|height| commitments.add(height, &hash(height)));
        let ones: u32 = commitments.words.iter().map(|word| word.count_ones()).sum();
        assert!((4_800..5_200).contains(&ones), "{ones}");
        let found = (0..10_000).filter(|&height| commitments.verify(height, &hash(height + 50_000)).is_err()).count();
        assert!((4_800..5_200).contains(&found), "{found}");
    }

    #[test]
    fn salts_differ_and_offsets_are_below_the_period() {
        let of =
            |commitments: &Commitments| (0..64).map(|number| commitments.commitment(&hash(number))).collect::<Vec<_>>();
        let queues: Vec<Commitments> = (0..50).map(|_| Commitments::random(5)).collect();
        assert_ne!(of(&queues[0]), of(&queues[1]));
        assert!(queues.iter().all(|queue| queue.offset < 5));
        assert!(queues.iter().any(|queue| queue.offset != queues[0].offset));
        assert_eq!(Commitments::random(0).offset, 0);
    }

    proptest! {
        #[test]
        fn what_was_shown_is_found_again_and_then_no_more(period in 1_u32..20, offset in 0_u32..20, count in 0_u32..2_000) {
            let offset = offset % period;
            let mut commitments = Commitments::new([1; 16], period, offset);
            (1..=count).for_each(|height| commitments.add(height, &hash(height)));
            let expected = (1..=count).filter(|height| height % period == offset).count();
            prop_assert_eq!(commitments.count(), u64::try_from(expected).unwrap());
            for height in 1..=count {
                prop_assert_eq!(commitments.verify(height, &hash(height)), Ok(()));
            }
            let next = (count + 1..).find(|height| height % period == offset).unwrap();
            prop_assert_eq!(commitments.verify(next, &hash(0)), Err(HeadersSyncError::CommitmentOverrun { height: next }));
        }
    }
}
