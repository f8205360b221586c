//! Core's cases (`src/test/headers_sync_chainwork_tests.cpp`), under Bitcoin's rule and under ASERT.

use std::sync::OnceLock;

use super::*;

/// Headers that make enough work, genesis included.
const TARGET_BLOCKS: usize = 15_000;
/// The most headers of a message (Core: `MAX_HEADERS_RESULTS`, `net_processing.h`).
const MAX_HEADERS_RESULTS: usize = 2_000;
/// Well below the number of headers that make enough work, as on `main`.
const REDOWNLOAD_BUFFER_SIZE: usize = TARGET_BLOCKS - (MAX_HEADERS_RESULTS + 123);
const COMMITMENT_PERIOD: u32 = 600;

/// One network with a chain that has enough work and one that nearly has.
struct Setup {
    params: ChainParams,
    first: Vec<Header>,
    second: Vec<Header>,
    chain_work: Work,
}

impl Setup {
    fn new(params: &ChainParams, seconds: u32) -> Self {
        let mine = |root, count| Miner::new(params, root).mine((1..=count).map(|_| seconds));
        // Genesis counts too, and the second chain is a header shorter.
        let first = mine(0, TARGET_BLOCKS - 1);
        let second = mine(1, TARGET_BLOCKS - 2);
        let chain_work = first.chain_work();
        assert!(second.chain_work() < chain_work);
        Self { params: params.clone(), first: first.headers, second: second.headers, chain_work }
    }

    /// Both networks, mined once.
    fn each() -> &'static [Self; 2] {
        static SETUPS: OnceLock<[Setup; 2]> = OnceLock::new();
        SETUPS.get_or_init(|| {
            let headers_sync = HeadersSyncParams {
                commitment_period: COMMITMENT_PERIOD,
                redownload_buffer_size: REDOWNLOAD_BUFFER_SIZE,
            };
            [Self::new(&regtest(headers_sync), 1), Self::new(&asert(headers_sync), 59)]
        })
    }

    fn sync(&self) -> HeadersSyncState {
        sync(&self.params, self.chain_work, 17)
    }

    fn genesis(&self) -> BlockHash {
        self.params.genesis.hash
    }
}

/// Gives a message, and checks everything that can be seen afterwards.
#[track_caller]
fn check(
    sync: &mut HeadersSyncState,
    (headers, is_full): (&[Header], bool),
    (phase, next): (HeadersSyncPhase, NextStep),
    validated: &[Header],
    locator: Option<BlockHash>,
) {
    let result = sync.process_next_headers(headers, is_full, NOW).unwrap();
    assert_eq!(sync.phase(), phase);
    assert_eq!(result.next, next);
    assert!(result.pow_validated_headers == validated, "{} headers", result.pow_validated_headers.len());
    assert_eq!(sync.next_headers_request_locator().first().copied(), locator);
}

use HeadersSyncPhase::{Final, Presync, Redownload};
use NextStep::{Complete, RequestMore, TooLittleWork};

#[test]
fn sneaky_redownload() {
    for setup in Setup::each() {
        let (first, second) = (&setup.first, &setup.second);
        let mut sync = setup.sync();
        check(&mut sync, (&first[..1], true), (Presync, RequestMore), &[], Some(hash(&first[0])));
        check(&mut sync, (&first[1..], true), (Redownload, RequestMore), &[], Some(setup.genesis()));
        assert_eq!(sync.presync_height() as usize, first.len());
        assert_eq!((sync.presync_work(), sync.presync_time()), (setup.chain_work, first[first.len() - 1].time));

        let result = sync.process_next_headers(second, true, NOW);
        assert!(matches!(result, Err(HeadersSyncError::CommitmentMismatch { .. })), "{result:?}");
        assert_eq!((sync.phase(), sync.next_headers_request_locator()), (Final, vec![]));
        assert_eq!(sync.process_next_headers(first, true, NOW), Err(HeadersSyncError::Finished));
    }
}

#[test]
fn happy_path() {
    for setup in Setup::each() {
        let first = &setup.first;
        // The message that ends the first pass need not be full.
        for is_full in [false, true] {
            let mut sync = setup.sync();
            check(&mut sync, (first, is_full), (Redownload, RequestMore), &[], Some(setup.genesis()));
            // One header fewer than what lets the first one out.
            let (buffered, rest) = first.split_at(REDOWNLOAD_BUFFER_SIZE);
            let last = hash(&buffered[buffered.len() - 1]);
            check(&mut sync, (buffered, true), (Redownload, RequestMore), &[], Some(last));
            check(&mut sync, (&rest[..1], true), (Redownload, RequestMore), &first[..1], Some(hash(&rest[0])));
            check(&mut sync, (&rest[1..], is_full), (Final, Complete), &first[1..], None);
        }
    }
}

#[test]
fn too_little_work() {
    for setup in Setup::each() {
        let second = &setup.second;
        let mut sync = setup.sync();
        assert_eq!(sync.phase(), Presync);
        check(&mut sync, (&second[..1], true), (Presync, RequestMore), &[], Some(hash(&second[0])));
        // No more headers come, and nothing was wrong.
        check(&mut sync, (&second[1..], false), (Final, TooLittleWork), &[], None);
    }
}

#[test]
fn system_clock_lagging_behind_chain_start() {
    let [regtest, asert] = Setup::each();
    let now = u64::from(regtest.params.genesis.header.time) - crate::validation::MAX_FUTURE_BLOCK_TIME - 1;
    let mut sync = sync_at(&regtest.params, regtest.chain_work, 17, now);
    let result = sync.process_next_headers(&regtest.first[..1], true, now).unwrap();
    assert_eq!((sync.phase(), result.next), (Presync, RequestMore));

    // Where time makes headers easier, none of them may be from the future.
    let mut sync = sync_at(&asert.params, asert.chain_work, 17, now);
    let result = sync.process_next_headers(&asert.first[..1], true, now);
    assert!(matches!(result, Err(HeadersSyncError::TimeTooNew { height: 1, .. })), "{result:?}");
}
