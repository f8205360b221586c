//! What header rules need to know about the chain a block extends.

use bitcoin::block::Version;
use bitcoin::{BlockHash, CompactTarget};

/// Headers whose median time a new block must exceed (Core: `CBlockIndex::nMedianTimeSpan`, `chain.h`).
const MEDIAN_TIME_SPAN: u32 = 11;

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
    fn median_looks_at_eleven_blocks() {
        let times: Vec<u32> = (0..30).collect();
        assert_eq!(chain(&times).median_time_past(), 24);
        assert_eq!(chain(&times).median_time_past_at(12), 7);
    }
}
