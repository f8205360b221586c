//! Searches with a known end: genesis, small ranges, cancellation and the throttle.

use super::*;
use bitcoin::Network;
use bitcoin::constants::genesis_block;
use ruint::aliases::U256;

/// The nonce of mainnet's genesis.
const GENESIS_NONCE: u32 = 2_083_236_893;

fn genesis() -> Header {
    genesis_block(Network::Bitcoin).header
}

fn genesis_target() -> Target {
    Target::from_compact(genesis().bits, U256::MAX).unwrap()
}

/// Met by one hash in `hashes`.
fn one_in(hashes: u64) -> Target {
    Target::new(U256::MAX / U256::from(hashes))
}

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn rate(hashes_per_second: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(hashes_per_second)
}

#[test]
fn finds_the_nonce_of_genesis() {
    let cancel = AtomicBool::new(false);
    for count in [1, 3] {
        let nonces = GENESIS_NONCE - 40_000..=GENESIS_NONCE + 40_000;
        let options = GrindOptions { threads: threads(count), nonces, ..GrindOptions::new(&cancel) };
        let result = grind(&genesis(), &genesis_target(), &options);
        assert_eq!(result.outcome, GrindOutcome::Found { nonce: GENESIS_NONCE });
        assert!((1..=80_001).contains(&result.hashes));
    }
}

#[test]
fn tries_every_nonce_once() {
    let cancel = AtomicBool::new(false);
    for (count, nonces) in
        [(1, 0..=0), (1, 7..=7 + 16_384), (2, 0..=99_999), (4, u32::MAX - 50_000..=u32::MAX), (8, 3..=5)]
    {
        let expected = u64::from(nonces.end() - nonces.start()) + 1;
        let options = GrindOptions { threads: threads(count), nonces, ..GrindOptions::new(&cancel) };
        let result = grind(&genesis(), &Target::new(U256::ZERO), &options);
        assert_eq!(result, GrindResult { outcome: GrindOutcome::Exhausted, hashes: expected });
    }
}

#[test]
fn the_first_and_the_last_nonce_are_tried() {
    let cancel = AtomicBool::new(false);
    for nonces in [GENESIS_NONCE..=GENESIS_NONCE + 9, GENESIS_NONCE - 9..=GENESIS_NONCE] {
        let options = GrindOptions { nonces, ..GrindOptions::new(&cancel) };
        let outcome = grind(&genesis(), &genesis_target(), &options).outcome;
        assert_eq!(outcome, GrindOutcome::Found { nonce: GENESIS_NONCE });
    }
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "the case under test")]
fn an_empty_range_is_exhausted_at_once() {
    let cancel = AtomicBool::new(false);
    let options = GrindOptions { nonces: 5..=4, ..GrindOptions::new(&cancel) };
    let result = grind(&genesis(), &one_in(1), &options);
    assert_eq!(result, GrindResult { outcome: GrindOutcome::Exhausted, hashes: 0 });
}

#[test]
fn the_easiest_target_is_met_by_the_first_nonce() {
    let cancel = AtomicBool::new(false);
    let options = GrindOptions { nonces: 42..=u32::MAX, ..GrindOptions::new(&cancel) };
    let result = grind(&genesis(), &one_in(1), &options);
    assert_eq!(result, GrindResult { outcome: GrindOutcome::Found { nonce: 42 }, hashes: 1 });
}

#[test]
fn a_nonce_found_meets_the_target() {
    let cancel = AtomicBool::new(false);
    let target = one_in(5_000);
    let options = GrindOptions { threads: threads(2), ..GrindOptions::new(&cancel) };
    let GrindOutcome::Found { nonce } = grind(&genesis(), &target, &options).outcome else {
        panic!("one nonce in 5000 meets the target")
    };
    assert!(target.is_met_by(&Header { nonce, ..genesis() }.block_hash()));
}

#[test]
fn a_cancelled_search_ends_soon() {
    // Unlimited, throttled, and so slow that a thread waits for hours for its first hash.
    for (count, max_hashes_per_second) in [(2, None), (2, rate(1000)), (8, rate(1))] {
        let cancel = AtomicBool::new(false);
        let options = GrindOptions { threads: threads(count), max_hashes_per_second, ..GrindOptions::new(&cancel) };
        let (result, waited) = thread::scope(|scope| {
            let search = scope.spawn(|| grind(&genesis(), &Target::new(U256::ZERO), &options));
            thread::sleep(Duration::from_millis(50));
            let asked = Instant::now();
            cancel.store(true, Ordering::Relaxed);
            (search.join().unwrap(), asked.elapsed())
        });
        assert_eq!(result.outcome, GrindOutcome::Cancelled);
        // 50 milliseconds on a machine with time to spare; tests share theirs.
        assert!(waited < Duration::from_secs(1), "took {waited:?}");
    }
}

#[test]
fn a_search_cancelled_before_it_starts_tries_nothing() {
    let cancel = AtomicBool::new(true);
    let result = grind(&genesis(), &one_in(1), &GrindOptions::new(&cancel));
    assert_eq!(result, GrindResult { outcome: GrindOutcome::Cancelled, hashes: 0 });
}

#[test]
fn the_throttle_is_never_exceeded() {
    let cancel = AtomicBool::new(false);
    for (count, hashes_per_second, hashes) in [(1, 10_000, 3_000), (2, 10_000, 3_001), (3, 40, 12)] {
        let options = GrindOptions {
            threads: threads(count),
            nonces: 0..=hashes - 1,
            max_hashes_per_second: rate(hashes_per_second),
            cancel: &cancel,
        };
        let start = Instant::now();
        let result = grind(&genesis(), &Target::new(U256::ZERO), &options);
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(result, GrindResult { outcome: GrindOutcome::Exhausted, hashes: u64::from(hashes) });
        // Never faster; how much slower depends on what else the machine does.
        assert!((0.3..3.0).contains(&seconds), "{hashes} hashes took {seconds} s");
    }
}

#[test]
fn short_searches_are_throttled_too() {
    let cancel = AtomicBool::new(false);
    let options = GrindOptions { max_hashes_per_second: rate(200), ..GrindOptions::new(&cancel) };
    let start = Instant::now();
    let hashes: u64 = (0..20).map(|_| grind(&genesis(), &one_in(1), &options).hashes).sum();
    assert_eq!(hashes, 20);
    assert!(start.elapsed() >= Duration::from_millis(100));
}
