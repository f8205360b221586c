//! The search for a nonce.
//!
//! One call tries the nonces of one header, at most 2^32 of them: seconds of work for a fast machine. Whoever calls
//! rolls the rest, a new timestamp or extra nonce (and with it a new Merkle root), and calls again.
//!
//! Threads draw chunks of nonces from a common counter, so they never try the same nonce and none is left idle while
//! another has a backlog. Between chunks they look at the cancellation flag, at whether another thread has succeeded,
//! and at the throttle's clock.

use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;

use super::midstate::{HeaderHasher, Midstate};
use super::target::Target;
use crate::hash::state_to_bytes;
use crate::primitives::header_bytes;

/// Nonces of one chunk: some milliseconds of work, so that a thread reacts soon and rarely touches shared memory.
const CHUNK: u64 = 1 << 14;

/// Longest sleep of a throttled thread between two looks at the cancellation flag.
const NAP: Duration = Duration::from_millis(10);

/// A throttled chunk lasts about one hundredth of a second at the asked rate.
const THROTTLED_CHUNKS_PER_SECOND: u64 = 100;

/// Value of [`Search::found`] while no nonce is found; nonces are 32-bit.
const NOT_FOUND: u64 = u64::MAX;

/// How to search.
#[derive(Debug, Clone)]
pub struct GrindOptions<'a> {
    /// Threads that search, the calling one included.
    pub threads: NonZeroUsize,
    /// The nonces to try; the header's own nonce is ignored.
    pub nonces: RangeInclusive<u32>,
    /// Most hashes per second, over all threads; `None` for as many as the machine gives.
    pub max_hashes_per_second: Option<NonZeroU64>,
    /// Set by anyone to end the search; it ends within some 50 milliseconds.
    pub cancel: &'a AtomicBool,
}

impl<'a> GrindOptions<'a> {
    /// All nonces, one thread, no throttle.
    #[must_use]
    pub const fn new(cancel: &'a AtomicBool) -> Self {
        Self { threads: NonZeroUsize::MIN, nonces: 0..=u32::MAX, max_hashes_per_second: None, cancel }
    }
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrindOutcome {
    /// With this nonce the header meets the target.
    Found {
        /// The nonce.
        nonce: u32,
    },
    /// None of the nonces meets the target.
    Exhausted,
    /// The search was cancelled.
    Cancelled,
}

/// The end of a search and its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrindResult {
    /// How the search ended.
    pub outcome: GrindOutcome,
    /// Header hashes computed, over all threads.
    pub hashes: u64,
}

/// Searches for a nonce with which `header` meets `target`.
///
/// When several threads find one at once the smallest is returned.
#[must_use]
pub fn grind(header: &Header, target: &Target, options: &GrindOptions<'_>) -> GrindResult {
    let search = Search::new(target, options);
    let bytes = header_bytes(header);
    let work = || search.work(HeaderHasher::prepare(&bytes));
    thread::scope(|scope| {
        for _ in 1..options.threads.get() {
            // A thread the system refuses only makes the search slower.
            let helper = thread::Builder::new().name("grind".into()).spawn_scoped(scope, work);
            if helper.is_err() {
                break;
            }
        }
        work();
    });
    search.finish()
}

/// What the threads of one search share.
struct Search<'a> {
    target: Target,
    /// First nonce; nonces are counted from it.
    first: u32,
    /// How many nonces there are to try.
    count: u64,
    chunk: u64,
    throttle: Option<Throttle>,
    cancel: &'a AtomicBool,
    /// Nonces handed out to threads.
    drawn: AtomicU64,
    /// Nonces tried.
    hashes: AtomicU64,
    /// Smallest nonce found.
    found: AtomicU64,
    /// A thread left work undone because of `cancel`.
    cancelled: AtomicBool,
}

impl<'a> Search<'a> {
    fn new(target: &Target, options: &GrindOptions<'a>) -> Self {
        let (first, last) = (*options.nonces.start(), *options.nonces.end());
        let count = if options.nonces.is_empty() { 0 } else { u64::from(last - first) + 1 };
        let throttle = options.max_hashes_per_second.map(Throttle::new);
        let threads = u64::try_from(options.threads.get()).unwrap_or(u64::MAX);
        let chunk = throttle.as_ref().map_or(CHUNK, |throttle| {
            (throttle.hashes_per_second / THROTTLED_CHUNKS_PER_SECOND / threads).clamp(1, CHUNK)
        });
        Self {
            target: *target,
            first,
            count,
            chunk,
            throttle,
            cancel: options.cancel,
            drawn: AtomicU64::new(0),
            hashes: AtomicU64::new(0),
            found: AtomicU64::new(NOT_FOUND),
            cancelled: AtomicBool::new(false),
        }
    }

    /// Tries chunks until there are no more or the search is over.
    fn work(&self, (midstate, mut hasher): (Midstate, HeaderHasher)) {
        while !self.is_found() {
            // The counter cannot leave its range: every thread returns at its first draw past the end.
            let drawn = self.drawn.fetch_add(self.chunk, Ordering::Relaxed);
            let length = self.chunk.min(self.count.saturating_sub(drawn));
            if length == 0 {
                return;
            }
            if !self.wait_for(drawn, || self.is_found()) {
                // Also set when another thread succeeded meanwhile, but then nobody looks.
                self.cancelled.store(true, Ordering::Relaxed);
                return;
            }
            let nonces = self.nonces(drawn, length);
            let (tried, nonce) = search_chunk(&midstate, &mut hasher, &self.target, nonces);
            self.hashes.fetch_add(tried, Ordering::Relaxed);
            if let Some(nonce) = nonce {
                self.found.fetch_min(u64::from(nonce), Ordering::Relaxed);
            }
        }
    }

    /// The nonces of the chunk that starts `drawn` nonces after the first and has `length` of them, at least one.
    fn nonces(&self, drawn: u64, length: u64) -> RangeInclusive<u32> {
        let nth = |offset: u64| {
            u32::try_from(u64::from(self.first) + offset).expect("the nonces to try are a range of 32-bit numbers")
        };
        nth(drawn)..=nth(drawn + length - 1)
    }

    fn is_found(&self) -> bool {
        self.found.load(Ordering::Relaxed) != NOT_FOUND
    }

    /// Waits until `hashes` hashes may have been computed; `false` if the search is cancelled or `over` before that.
    fn wait_for(&self, hashes: u64, over: impl Fn() -> bool) -> bool {
        loop {
            if self.cancel.load(Ordering::Relaxed) || over() {
                return false;
            }
            match self.throttle.as_ref().map_or(Duration::ZERO, |throttle| throttle.time_until(hashes)) {
                Duration::ZERO => return true,
                wait => thread::sleep(wait.min(NAP)),
            }
        }
    }

    fn finish(self) -> GrindResult {
        let hashes = self.hashes.load(Ordering::Relaxed);
        // A chunk may start before its hashes are paid for. The debt is settled here, so that a rate also holds over many
        // short searches.
        self.wait_for(hashes, || false);
        let outcome = match self.found.load(Ordering::Relaxed) {
            NOT_FOUND if self.cancelled.load(Ordering::Relaxed) => GrindOutcome::Cancelled,
            NOT_FOUND => GrindOutcome::Exhausted,
            nonce => GrindOutcome::Found { nonce: u32::try_from(nonce).expect("only nonces are stored") },
        };
        GrindResult { outcome, hashes }
    }
}

/// Spreads hashes evenly over time.
struct Throttle {
    start: Instant,
    hashes_per_second: u64,
}

impl Throttle {
    fn new(hashes_per_second: NonZeroU64) -> Self {
        Self { start: Instant::now(), hashes_per_second: hashes_per_second.get() }
    }

    /// How long it takes until the rate allows `hashes` hashes since the start.
    fn time_until(&self, hashes: u64) -> Duration {
        let nanoseconds = u128::from(hashes) * 1_000_000_000 / u128::from(self.hashes_per_second);
        let due = u64::try_from(nanoseconds).map_or(Duration::MAX, Duration::from_nanos);
        due.saturating_sub(self.start.elapsed())
    }
}

/// Tries `nonces` in order and returns how many were tried and the first that meets `target`.
fn search_chunk(
    midstate: &Midstate,
    hasher: &mut HeaderHasher,
    target: &Target,
    nonces: RangeInclusive<u32>,
) -> (u64, Option<u32>) {
    let (first, last) = nonces.into_inner();
    let [.., top_limb] = *target.to_u256().as_limbs();
    // Almost every hash is out by its most significant 32 bits alone.
    let ceiling = u32::try_from(top_limb >> 32).expect("the upper half of 64 bits");
    let mut nonce = first;
    loop {
        hasher.set_nonce(nonce);
        let state = hasher.hash(midstate);
        if state[7].swap_bytes() <= ceiling && target.is_met_by(&BlockHash::from_byte_array(state_to_bytes(&state))) {
            return (u64::from(nonce - first) + 1, Some(nonce));
        }
        if nonce == last {
            return (u64::from(last - first) + 1, None);
        }
        nonce += 1;
    }
}

#[cfg(test)]
mod tests;
