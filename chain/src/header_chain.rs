//! What header rules need to know about the chain a block extends.

use bitcoin::block::Version;
use bitcoin::{BlockHash, CompactTarget};

/// Headers whose median time a new block must exceed (Core: `CBlockIndex::nMedianTimeSpan`, `chain.h`).
const MEDIAN_TIME_SPAN: u32 = 11;

/// Hashes of a locator that follow one another before the steps grow (Core: `LocatorEntries`, `chain.cpp`).
const DENSE_LOCATOR: usize = 10;

/// The facts of one header that later headers are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderFacts {
    /// Hash of the block.
    pub hash: BlockHash,
    /// Timestamp the miner claimed, in seconds since 1970.
    pub time: u32,
    /// Compact target the block was mined at.
    pub bits: CompactTarget,
    /// Version, whose bits are votes (BIP9).
    pub version: Version,
}

/// A chain of headers from genesis to its last block, the parent of the block under check.
///
/// Core walks `CBlockIndex::pprev` and `GetAncestor`; here the walk is behind a trait because the header index and a
/// plain list of headers both have to answer.
pub trait HeaderChain {
    /// Height of the last block; genesis has height 0.
    fn height(&self) -> u32;

    /// The block at `height`, which must not exceed [`HeaderChain::height`].
    ///
    /// It is asked eleven times for each input with a relative lock time, so it must not walk: constant time, or
    /// logarithmic.
    fn header_at(&self, height: u32) -> HeaderFacts;

    /// The last block, as Core's `CChain::Tip`.
    fn tip(&self) -> HeaderFacts {
        self.header_at(self.height())
    }

    /// Median timestamp, in seconds, of the eleven blocks that end at `height` (fewer near genesis).
    ///
    /// Core: `CBlockIndex::GetMedianTimePast`, `chain.h`; BIP113.
    fn median_time_past_at(&self, height: u32) -> u32 {
        let first = (height + 1).saturating_sub(MEDIAN_TIME_SPAN);
        let mut times = [0u32; MEDIAN_TIME_SPAN as usize];
        let mut count = 0;
        for ancestor in first..=height {
            times[count] = self.header_at(ancestor).time;
            count += 1;
        }
        let times = &mut times[..count];
        times.sort_unstable();
        times[count / 2]
    }

    /// Median timestamp, in seconds, of the eleven blocks that end at the last one.
    fn median_time_past(&self) -> u32 {
        self.median_time_past_at(self.height())
    }

    /// Hashes by which another node finds the last block it shares with this chain: the last eleven, then ever fewer, then
    /// genesis; at most 43 (Core: `LocatorEntries`, `chain.cpp`).
    fn locator(&self) -> Vec<BlockHash> {
        let (mut height, mut step) = (self.height(), 1);
        let mut hashes = Vec::new();
        loop {
            hashes.push(self.header_at(height).hash);
            if height == 0 {
                return hashes;
            }
            height = height.saturating_sub(step);
            if hashes.len() > DENSE_LOCATOR {
                step = step.saturating_mul(2);
            }
        }
    }
}

/// Headers in a row from genesis: the chain as tests, tools and header imports hold it.
impl HeaderChain for [HeaderFacts] {
    fn height(&self) -> u32 {
        u32::try_from(self.len())
            .expect("a chain has fewer than 2^32 blocks")
            .checked_sub(1)
            .expect("a chain holds at least genesis")
    }

    fn header_at(&self, height: u32) -> HeaderFacts {
        self[height as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;

    fn chain(times: &[u32]) -> Vec<HeaderFacts> {
        times
            .iter()
            .map(|&time| HeaderFacts {
                hash: BlockHash::all_zeros(),
                time,
                bits: CompactTarget::from_consensus(0),
                version: Version::ONE,
            })
            .collect()
    }

    #[test]
    fn median_takes_the_upper_middle_of_an_even_count() {
        // Core sorts and takes element count / 2.
        assert_eq!(chain(&[10]).median_time_past(), 10);
        assert_eq!(chain(&[10, 30]).median_time_past(), 30);
        assert_eq!(chain(&[10, 30, 20]).median_time_past(), 20);
    }

    #[test]
    fn a_locator_starts_dense_and_ends_with_genesis() {
        let heights = |length: u32| -> Vec<u32> {
            let mut headers = chain(&(0..length).collect::<Vec<_>>());
            for header in &mut headers {
                let mut hash = [0; 32];
                hash[..4].copy_from_slice(&header.time.to_le_bytes());
                header.hash = BlockHash::from_byte_array(hash);
            }
            let number = |hash: BlockHash| u32::from_le_bytes(hash.to_byte_array()[..4].try_into().unwrap());
            headers.locator().into_iter().map(number).collect()
        };
        assert_eq!(heights(1), [0]);
        assert_eq!(heights(4), [3, 2, 1, 0]);
        // The step doubles after the eleventh hash, which is one step from the twelfth.
        assert_eq!(heights(31), [30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 17, 13, 5, 0]);
    }

    /// A chain as high as chains can be.
    struct Highest;

    impl HeaderChain for Highest {
        fn height(&self) -> u32 {
            u32::MAX
        }

        fn header_at(&self, _: u32) -> HeaderFacts {
            chain(&[0])[0]
        }
    }

    #[test]
    fn a_locator_is_short_whatever_the_height() {
        assert_eq!(Highest.locator().len(), 43);
    }

    #[test]
    fn median_looks_at_eleven_blocks() {
        let times: Vec<u32> = (0..30).collect();
        assert_eq!(chain(&times).median_time_past(), 24);
        assert_eq!(chain(&times).median_time_past_at(12), 7);
    }
}
