//! ASERT against the reference runs published with its specification.
//!
//! The specification "2020-11-15-asert" comes with twelve runs: each names an anchor, a first block and a rule by which
//! heights and times advance, and lists the target of every block. Here each run is rebuilt from its parameters, random
//! times included, and the SHA-256 of our lines is compared with that of the published ones. A line is
//! `iteration height time 0xbits` and a newline, as published without comments and blank lines.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use bitcoin::CompactTarget;
use bitcoin::hashes::{Hash, sha256};
use cairn_chain::pow::{asert_target, decode_compact, encode_compact};
use ruint::aliases::U256;

/// All runs use Bitcoin's spacing and easiest target, and a half-life of two days.
const SPACING: u32 = 600;
const HALF_LIFE: u32 = 2 * 24 * 60 * 60;

/// A recent target when the runs were made, the anchor of most of them.
const RECENT_BITS: u32 = 0x1802_aee8;

/// Seed of every random run.
const SEED: u32 = 424_242;

/// One published run.
struct Run {
    anchor_bits: u32,
    anchor_height: u64,
    /// Timestamp of the anchor's parent, in seconds.
    anchor_parent_time: u64,
    /// Height and time of the first line; each run starts with the anchor's child or later.
    start: (u64, u64),
    iterations: u64,
    height_step: u64,
    /// SHA-256 of the published lines.
    digest: &'static str,
}

impl Run {
    /// A run of blocks at consecutive heights whose anchor is block 1 and whose anchor's parent has time 0.
    fn new(anchor_bits: u32, start_time: u64, iterations: u64, digest: &'static str) -> Self {
        Self {
            anchor_bits,
            anchor_height: 1,
            anchor_parent_time: 0,
            start: (2, start_time),
            iterations,
            height_step: 1,
            digest,
        }
    }

    /// Rebuilds the run; `solve_time` gives the seconds after each iteration, counted from 1.
    fn check(&self, mut solve_time: impl FnMut(i64) -> i64) {
        let anchor = decode_compact(CompactTarget::from_consensus(self.anchor_bits)).value;
        let (mut height, mut time) = self.start;
        let mut lines = String::new();
        for iteration in 1..=self.iterations {
            let time_delta = i64::try_from(time).unwrap() - i64::try_from(self.anchor_parent_time).unwrap();
            let height_delta = i64::try_from(height - self.anchor_height).unwrap();
            let target = asert_target(anchor, SPACING, HALF_LIFE, time_delta, height_delta, U256::MAX >> 32);
            let bits = encode_compact(target).to_consensus();
            lines += &format!("{iteration} {height} {time} {bits:#010x}\n");
            height += self.height_step;
            time = time.checked_add_signed(solve_time(i64::try_from(iteration).unwrap())).unwrap();
        }
        assert_eq!(sha256::Hash::hash(lines.as_bytes()).to_string(), self.digest);
    }
}

/// The generator of the random runs, C++'s `std::mt19937` (Matsumoto and Nishimura, 1998).
struct MersenneTwister {
    state: Vec<u32>,
    next: usize,
}

impl MersenneTwister {
    const LENGTH: usize = 624;
    const MIDDLE: usize = 397;

    fn new(seed: u32) -> Self {
        let mut state = vec![seed];
        for i in 1..624_u32 {
            let last = state[state.len() - 1];
            state.push((last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i));
        }
        Self { state, next: Self::LENGTH }
    }

    fn next(&mut self) -> u32 {
        if self.next == Self::LENGTH {
            for i in 0..Self::LENGTH {
                let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % Self::LENGTH] & 0x7fff_ffff);
                let twist = if joined % 2 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + Self::MIDDLE) % Self::LENGTH] ^ (joined >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// Whole seconds until a block whose solve time is exponentially distributed around the spacing, as GNU's
    /// `std::exponential_distribution<double>` draws it: from two words, the low one first.
    #[expect(clippy::cast_possible_truncation, reason = "solve times are far below 2^63 seconds")]
    fn exponential_solve_time(&mut self) -> i64 {
        let (low, high) = (f64::from(self.next()), f64::from(self.next()));
        let uniform = (high * 2_f64.powi(32) + low) / 2_f64.powi(64);
        let rate = 1.0 / f64::from(SPACING);
        (-(1.0 - uniform).ln() / rate) as i64
    }

    /// Whole seconds from −300 to 900, equally likely, as GNU's `std::uniform_int_distribution` draws them.
    fn uniform_solve_time(&mut self) -> i64 {
        i64::try_from((u64::from(self.next()) * 1201) >> 32).unwrap() - 300
    }
}

#[test]
fn the_generator_is_the_standard_s() {
    // ISO C++ [rand.predef]: the 10000th word from the default seed.
    let mut generator = MersenneTwister::new(5489);
    let word = (0..10_000).map(|_| generator.next()).last();
    assert_eq!(word, Some(4_123_659_995));
}

#[test]
fn run_1_steady_at_the_limit() {
    Run::new(0x1d00_ffff, 1200, 10, "acdb1ecbb9bb5ecaefe12e08dfb35d4d4ff77a7fff848309e84472c6be867c9f").check(|_| 600);
}

#[test]
fn run_2_steady_at_any_target() {
    Run::new(0x1a2b_3c4d, 1200, 10, "a6865d5781572faf1d2ecb5d192812bdb10662d6ccce2f6c03a99480a9091a93").check(|_| 600);
}

#[test]
fn run_3_steady_at_the_hardest_target() {
    Run::new(0x0101_0000, 1200, 10, "9b453a955658d4ca4100708916a5abf9bff810e04a635f908c5ea91ed5227607").check(|_| 600);
}

#[test]
fn run_4_each_block_a_half_life_late() {
    let step = i64::from(SPACING + HALF_LIFE);
    let start_time = u64::from(SPACING + SPACING + HALF_LIFE);
    Run::new(0x0101_0000, start_time, 225, "3203f2eb025d42dcdd1d967f23b0a5e13a39f35df7493ce86f74cc19e164922d")
        .check(|_| step);
}

#[test]
fn run_5_each_step_a_half_life_early() {
    let digest = "86f3d5d46768a3b87050e462be63297cdb29a488720db7f3218ca8bfc01ec002";
    Run { height_step: 288, ..Run::new(0x1d00_ffff, 0, 225, digest) }.check(|_| 0);
}

#[test]
fn run_6_random_times() {
    let mut random = MersenneTwister::new(SEED);
    Run::new(RECENT_BITS, 1200, 1000, "466a2afb9268eb8fc817cf13f790892804cab03c05b5741344bc46457d89e6fd")
        .check(|_| random.exponential_solve_time());
}

#[test]
fn run_7_random_times_and_a_growing_hash_rate() {
    let mut random = MersenneTwister::new(SEED);
    Run::new(RECENT_BITS, 1200, 1000, "d032ea5005e1f5d2e6de951fdad046d9bec33c93ea9b910c1275d233d0ccdd8b")
        .check(|iteration| random.exponential_solve_time() / (1 + iteration / 10));
}

#[test]
fn run_8_random_times_and_a_shrinking_hash_rate() {
    let mut random = MersenneTwister::new(SEED);
    Run::new(RECENT_BITS, 1200, 500, "bccebe7990bfe9df733c1be0948457ea2f25e947da342fe9f0359063212ccda8")
        .check(|iteration| random.exponential_solve_time() * (1 + iteration / 10));
}

#[test]
fn run_9_heights_across_2_to_the_31() {
    let run = Run {
        anchor_bits: RECENT_BITS,
        anchor_height: (1 << 31) - 6,
        anchor_parent_time: 1_234_567_290,
        start: ((1 << 31) - 5, 1_234_568_190),
        iterations: 10,
        height_step: 1,
        digest: "7a2bc4ca29a1c027d0683c9a0d42d358011e96ab8cee256b1c6b97c2aad207ae",
    };
    run.check(|_| 300);
}

#[test]
fn run_10_heights_across_2_to_the_63_and_times_across_2_to_the_31() {
    let run = Run {
        anchor_bits: RECENT_BITS,
        anchor_height: (1 << 63) - 6,
        anchor_parent_time: (1 << 31) - 601,
        start: ((1 << 63) - 5, (1 << 31) + 899),
        iterations: 10,
        height_step: 1,
        digest: "fa110660ec9d0d7a63cab89bd90e2b90445a90561dba22712f1a55be063b2e86",
    };
    run.check(|_| 900);
}

#[test]
fn run_11_random_times_that_may_go_back() {
    let mut random = MersenneTwister::new(SEED);
    Run::new(RECENT_BITS, 1200, 1000, "6a3ff416df6c027bcc22cc5670cceccbfe532f758ac0c7f37f8542d4d582cb20")
        .check(|_| random.uniform_solve_time());
}

#[test]
fn run_12_each_block_a_second_before_its_parent() {
    let digest = "04dfa99a1669b32cf113353471e36b9a407b06bd2f01d0d3645858e292582c07";
    Run { anchor_parent_time: 10_000, ..Run::new(RECENT_BITS, 11_200, 10_000, digest) }.check(|_| -1);
}
