//! Which times and targets the next block may have.

use bitcoin::CompactTarget;

use crate::header_chain::HeaderChain;
use crate::pow::{PowParams, next_work_required};
use crate::validation::MAX_TIMEWARP;

/// Which times the block after the last one of a chain may have, and which target it then must have.
///
/// Targets depend on the block's own time only where late blocks may be easy, so that it knows both and needs the chain no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextBlock {
    minimum_time: u32,
    bits: CompactTarget,
    /// The last time at which those hold, and which bits hold after it.
    late: Option<(u64, CompactTarget)>,
}

impl NextBlock {
    /// The block after the last one of `chain`.
    #[must_use]
    pub fn after(chain: &(impl HeaderChain + ?Sized), params: &PowParams) -> Self {
        let parent = chain.tip();
        let bits_at = |time| next_work_required(chain, time, params);
        Self {
            minimum_time: minimum_time(chain, params),
            // No block is late whose time is its parent's.
            bits: bits_at(parent.time),
            late: params.last_regular_time(parent.time).map(|last| (last, bits_at(u32::MAX))),
        }
    }

    /// The earliest time the block should have, in seconds since 1970 (Core: `GetMinimumTime`, `node/miner.cpp`).
    #[must_use]
    pub fn minimum_time(&self) -> u32 {
        self.minimum_time
    }

    /// The time of a block that is made `now`, both in seconds since 1970 (Core: `UpdateTime`, `node/miner.cpp`).
    #[must_use]
    pub fn time_at(&self, now: u64) -> u32 {
        u32::try_from(now).unwrap_or(u32::MAX).max(self.minimum_time)
    }

    /// The compact target of a block with this time, in seconds since 1970 (Core: `GetNextWorkRequired`, `pow.cpp`).
    #[must_use]
    pub fn bits_at(&self, time: u32) -> CompactTarget {
        match self.late {
            Some((last, bits)) if u64::from(time) > last => bits,
            _ => self.bits,
        }
    }
}

/// The time after the median of the last eleven blocks; at the start of a period not far before the parent, on every network,
/// whether BIP94 holds there or not (Core: `GetMinimumTime`, `node/miner.cpp`).
fn minimum_time(chain: &(impl HeaderChain + ?Sized), params: &PowParams) -> u32 {
    let minimum = chain.median_time_past().saturating_add(1);
    let height = chain.height() + 1;
    let starts_period = params.difficulty_adjustment_interval().is_some_and(|interval| height.is_multiple_of(interval));
    if starts_period { minimum.max(chain.tip().time.saturating_sub(MAX_TIMEWARP)) } else { minimum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_chain::HeaderFacts;
    use crate::params::{ChainParams, RegtestOptions};
    use crate::pow::{BitcoinRetarget, Retarget};
    use bitcoin::BlockHash;
    use bitcoin::block::Version;
    use bitcoin::hashes::Hash;
    use proptest::prelude::*;

    const HARD: u32 = 0x1c00_ffff;

    fn chain(times: &[u32]) -> Vec<HeaderFacts> {
        let facts = |&time: &u32| HeaderFacts {
            hash: BlockHash::all_zeros(),
            time,
            bits: CompactTarget::from_consensus(HARD),
            version: Version::ONE,
        };
        times.iter().map(facts).collect()
    }

    /// Testnet4's rules, with periods of ten blocks.
    fn short_periods() -> PowParams {
        let mut params = ChainParams::testnet4().consensus.pow;
        let Retarget::Bitcoin(rule) = &mut params.retarget else { panic!("testnet4 retargets as Bitcoin does") };
        *rule = BitcoinRetarget { target_timespan: 10 * 600, ..rule.clone() };
        params
    }

    #[test]
    fn a_block_comes_after_the_median_and_a_period_not_far_before_its_parent() {
        let params = short_periods();
        // Ten blocks, the last of which is far ahead of the median.
        let times = [100, 200, 300, 400, 500, 600, 700, 800, 900, 9000];
        let minimum = |count: usize| NextBlock::after(&chain(&times[..count])[..], &params).minimum_time();
        assert_eq!(minimum(9), 501);
        assert_eq!(minimum(10), 9000 - 600, "height ten starts a period");
        let mut without = params.clone();
        let Retarget::Bitcoin(rule) = &mut without.retarget else { panic!("just seen") };
        rule.enforce_bip94 = false;
        assert_eq!(NextBlock::after(&chain(&times)[..], &without).minimum_time(), 8400, "on every network");
        let devnet = ChainParams::devnet().consensus.pow;
        assert_eq!(NextBlock::after(&chain(&times)[..], &devnet).minimum_time(), 601, "there are no periods");
    }

    #[test]
    fn times_are_the_clocks_but_not_below_the_minimum() {
        let next = NextBlock::after(&chain(&[100, 200, 300])[..], &short_periods());
        assert_eq!((next.time_at(0), next.time_at(201), next.time_at(202)), (201, 201, 202));
        assert_eq!(next.time_at(u64::MAX), u32::MAX);
        let end = NextBlock::after(&chain(&[u32::MAX])[..], &short_periods());
        assert_eq!((end.time_at(0), end.bits_at(u32::MAX).to_consensus()), (u32::MAX, HARD));
    }

    #[test]
    fn late_blocks_are_easy_where_that_is_allowed() {
        let params = short_periods();
        let next = NextBlock::after(&chain(&[1000])[..], &params);
        assert_eq!(next.bits_at(1000 + 1200).to_consensus(), HARD);
        assert_eq!(next.bits_at(1000 + 1201), params.limit_bits());
        let main = ChainParams::main().consensus.pow;
        assert_eq!(NextBlock::after(&chain(&[1000])[..], &main).bits_at(u32::MAX).to_consensus(), HARD);
    }

    proptest! {
        #[test]
        fn bits_are_those_the_chain_demands(times in prop::collection::vec(0_u32..10_000, 1..25), time in 0_u32..20_000) {
            let networks = [
                short_periods(),
                ChainParams::main().consensus.pow,
                ChainParams::cairn().consensus.pow,
                ChainParams::devnet().consensus.pow,
                ChainParams::regtest(RegtestOptions::default()).consensus.pow,
            ];
            let chain = chain(&times);
            for params in networks {
                let expected = next_work_required(&chain[..], time, &params);
                prop_assert_eq!(NextBlock::after(&chain[..], &params).bits_at(time), expected);
            }
        }
    }
}
