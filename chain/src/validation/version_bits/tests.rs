//! Votes whose outcome was worked out by hand, as in Core's `test/versionbits_tests.cpp`.

use super::*;
use crate::header_chain::HeaderFacts;
use crate::params::{ChainParams, RegtestOptions};
use ThresholdState::{Active, Defined, Failed, LockedIn, Started};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget};
use proptest::prelude::*;

/// A vote for the bit that tests use.
const VOTE: i32 = TOP_BITS | 0x100;
const START: u32 = 1_000_000;
const END: u32 = 2_000_000;

/// Periods of 1000 blocks, of which 900 have to vote.
const NORMAL: VersionBitsDeployment = VersionBitsDeployment {
    bit: 8,
    start: DeploymentStart::At(START as i64),
    timeout: Some(END as i64),
    min_activation_height: 0,
    period: 1000,
    threshold: 900,
};
const DELAYED: VersionBitsDeployment = VersionBitsDeployment { min_activation_height: 15_000, ..NORMAL };

#[derive(Default)]
struct Chain(Vec<HeaderFacts>);

impl Chain {
    /// Blocks with one time and version until there are as many as `count`, genesis included.
    fn mine(&mut self, count: usize, time: u32, version: i32) -> &mut Self {
        let facts = HeaderFacts {
            hash: BlockHash::all_zeros(),
            time,
            bits: CompactTarget::from_consensus(0),
            version: Version::from_consensus(version),
        };
        self.0.resize(count, facts);
        self
    }

    /// Asserts the state of the next block, and since when.
    #[track_caller]
    fn is(&mut self, state: ThresholdState, since: u32) -> &mut Self {
        self.is_for(&NORMAL, state, since).is_for(&DELAYED, state, since)
    }

    #[track_caller]
    fn is_for(&mut self, deployment: &VersionBitsDeployment, state: ThresholdState, since: u32) -> &mut Self {
        let next = u32::try_from(self.0.len()).unwrap();
        assert_eq!(deployment_state(&self.0[..], next, deployment), DeploymentState { state, since }, "height {next}");
        for (start, state) in [(DeploymentStart::AlwaysActive, Active), (DeploymentStart::NeverActive, Failed)] {
            let fixed = VersionBitsDeployment { start, ..*deployment };
            assert_eq!(deployment_state(&self.0[..], next, &fixed), DeploymentState { state, since: 0 });
        }
        self
    }
}

#[test]
fn a_vote_that_starts_after_its_end_fails_a_period_later() {
    Chain::default()
        .mine(1, 1, VOTE)
        .is(Defined, 0)
        .mine(989, 989, VOTE)
        .is(Defined, 0)
        .mine(999, END, VOTE)
        .is(Defined, 0)
        .mine(1000, END, 0)
        .is(Started, 1000)
        .mine(1999, END + 1, 0)
        .is(Started, 1000)
        .mine(2000, END + 2, VOTE)
        .is(Failed, 2000)
        .mine(4000, END + 3, VOTE)
        .is(Failed, 2000);
}

#[test]
fn one_vote_too_few_is_not_enough() {
    Chain::default()
        .mine(1000, START - 1, VOTE)
        .is(Defined, 0)
        .mine(2000, START, VOTE)
        .is(Started, 2000)
        .mine(2051, START + 1, 0)
        .is(Started, 2000)
        .mine(2950, START + 2, VOTE)
        .is(Started, 2000)
        .mine(3000, END, 0)
        .is(Failed, 3000)
        .mine(4000, END + 1, VOTE)
        .is(Failed, 3000);
}

#[test]
fn votes_count_even_when_the_end_has_come() {
    Chain::default()
        .mine(1000, START - 1, VOTE)
        .mine(2000, START, VOTE | 1)
        .is(Started, 2000)
        .mine(2050, START + 1, TOP_BITS | 0x200)
        .mine(2950, START + 2, VOTE)
        .mine(2999, END - 1, TOP_BITS | 0x200)
        .is(Started, 2000)
        .mine(3000, END + 10_000, TOP_BITS | 0x200)
        .is(LockedIn, 3000)
        .mine(3999, END + 10_001, 0)
        .is(LockedIn, 3000)
        .mine(4000, END + 10_002, 0)
        .is_for(&NORMAL, Active, 4000)
        .is_for(&DELAYED, LockedIn, 3000)
        .mine(14_999, END + 10_003, 0)
        .is_for(&DELAYED, LockedIn, 3000)
        .mine(15_000, END + 10_003, 0)
        .is_for(&NORMAL, Active, 4000)
        .is_for(&DELAYED, Active, 15_000)
        .mine(24_000, END + 10_004, 0)
        .is_for(&NORMAL, Active, 4000)
        .is_for(&DELAYED, Active, 15_000);
}

#[test]
fn a_vote_can_take_many_periods() {
    Chain::default()
        .mine(2000, 2000, 0)
        .is(Defined, 0)
        .mine(3000, START, 0)
        .is(Started, 3000)
        .mine(5000, START, 0)
        .is(Started, 3000)
        .mine(5999, END, 0)
        .is(Started, 3000)
        .mine(6000, END, 0)
        .is(Failed, 6000)
        .mine(24_000, END, VOTE)
        .is(Failed, 6000);
}

#[test]
fn the_median_time_counts_and_not_the_blocks() {
    let mut chain = Chain::default();
    // Five blocks of eleven with the later time leave the median where it is; six do not.
    chain.mine(995, START - 1, 0).mine(1000, START, 0).is(Defined, 0);
    let mut chain = Chain::default();
    chain.mine(994, START - 1, 0).mine(1000, START, 0).is(Started, 1000);
}

#[test]
fn only_versions_with_the_top_bits_vote() {
    let votes = |version| NORMAL.is_signalled_by(Version::from_consensus(version));
    assert!(votes(VOTE) && votes(VOTE | 1) && votes(0x3fff_ffff));
    for version in [0x100, 4, TOP_BITS, TOP_BITS | 0x200, 0x6000_0100, 0x4000_0100, -1, i32::MIN | 0x100] {
        assert!(!votes(version), "{version:#x}");
    }
}

#[test]
fn states_of_blocks_below_the_last_are_known_too() {
    let mut chain = Chain::default();
    chain.mine(1000, START, 0).mine(2000, START, VOTE).mine(3500, START, 0);
    let state = |height| deployment_state(&chain.0[..], height, &NORMAL).state;
    assert_eq!(
        [0, 999, 1000, 1999, 2000, 2999, 3000, 3500].map(state),
        [Defined, Defined, Started, Started, LockedIn, LockedIn, Active, Active]
    );
}

#[test]
fn information_is_what_clients_are_told() {
    let mut chain = Chain::default();
    chain.mine(1000, START, 0);
    let info = deployment_info(&chain.0[..], &NORMAL);
    assert_eq!((info.state, info.since, info.next_state), (Defined, 0, Started));
    assert_eq!((info.statistics, info.signalling.len(), info.active_since), (None, 0, None));

    // A block that votes and two that do not.
    chain.mine(1001, START, VOTE).mine(1003, START, 0);
    let info = deployment_info(&chain.0[..], &NORMAL);
    let statistics = DeploymentStatistics { period: 1000, threshold: 900, elapsed: 3, count: 1, possible: true };
    assert_eq!((info.state, info.since, info.statistics), (Started, 1000, Some(statistics)));
    assert_eq!(info.signalling, [true, false, false]);

    // Of 1000 blocks 100 may be without a vote, not 101.
    let possible = |chain: &Chain| deployment_info(&chain.0[..], &NORMAL).statistics.unwrap().possible;
    assert!(possible(chain.mine(1101, START, 0)));
    assert!(!possible(chain.mine(1102, START, 0)));

    let mut chain = Chain::default();
    chain.mine(1000, START, 0).mine(2000, START, VOTE);
    let info = deployment_info(&chain.0[..], &NORMAL);
    assert_eq!((info.state, info.next_state, info.active_since), (Started, LockedIn, None));
    assert_eq!(info.signalling, [true; 1000]);
    let info = deployment_info(&chain.mine(3000, START, VOTE).0[..], &NORMAL);
    let statistics = DeploymentStatistics { period: 1000, threshold: 0, elapsed: 1000, count: 1000, possible: false };
    assert_eq!((info.state, info.since, info.statistics), (LockedIn, 2000, Some(statistics)));
    assert_eq!((info.next_state, info.active_since), (Active, Some(3000)));
    let info = deployment_info(&chain.mine(3001, START, VOTE).0[..], &NORMAL);
    assert_eq!((info.state, info.statistics, info.active_since), (Active, None, Some(3000)));
    assert_eq!(
        [Defined, Started, LockedIn, Active, Failed].map(ThresholdState::name),
        ["defined", "started", "locked_in", "active", "failed"]
    );
}

#[test]
fn new_blocks_vote_until_the_rule_holds() {
    let testdummy = ChainParams::regtest(RegtestOptions::default()).testdummy;
    let mut chain = Chain::default();
    let mut versions = Vec::new();
    for height in 1..=600 {
        let version = if height == 1 { 1 } else { compute_block_version(&chain.0[..], &testdummy) };
        versions.push(version);
        chain.mine(height, 1_296_688_602, version);
    }
    // Votes begin with the second period; the third is locked in.
    assert!(versions[1..144].iter().all(|&version| version == 0x2000_0000));
    assert!(versions[144..432].iter().all(|&version| version == 0x3000_0000));
    assert!(versions[432..].iter().all(|&version| version == 0x2000_0000));
    let main = ChainParams::main().testdummy;
    assert_eq!(compute_block_version(&chain.0[..], &main), 0x2000_0000);
}

proptest! {
    /// Votes period by period, against a walk over whole periods.
    #[test]
    fn states_follow_the_votes(votes in prop::collection::vec(0_usize..=10, 1..12), threshold in 1_u32..=10,
                               min_activation_height in 0_u32..100, timeout in prop::option::of(0_i64..120)) {
        let deployment = VersionBitsDeployment {
            bit: 3, start: DeploymentStart::At(0), timeout, min_activation_height, period: 10, threshold,
        };
        let mut chain = Chain::default();
        let (mut state, mut since) = (Defined, 0);
        for (period, &count) in (1_u32..).zip(&votes) {
            let start = chain.0.len();
            for place in 0..10 {
                let time = u32::try_from(start + place).unwrap();
                let version = if place < count { TOP_BITS | 8 } else { TOP_BITS };
                chain.mine(start + place + 1, time, version);
            }
            // The median of the last eleven of a row, or of the first ten.
            let median = i64::from(period) * 10 - if period == 1 { 5 } else { 6 };
            let next = match state {
                Defined => Started,
                Started if count >= usize::try_from(threshold).unwrap() => LockedIn,
                Started if timeout.is_some_and(|timeout| median >= timeout) => Failed,
                LockedIn if period * 10 >= min_activation_height => Active,
                same => same,
            };
            if next != state {
                (state, since) = (next, period * 10);
            }
            prop_assert_eq!(deployment_state(&chain.0[..], period * 10, &deployment), DeploymentState { state, since });
        }
    }
}
