//! The nonce search against a bare loop over SHA-256's compression function.
//!
//! The bare loop is what the hardware gives: two compressions a nonce on a prepared midstate and nothing else. Rounds of
//! both alternate, so that a change of the machine's speed hits both; the ratio is the median over pairs of rounds.
//! `CAIRN_BENCH_QUICK=1` makes the rounds short.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::env;
use std::hint::black_box;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use bitcoin::Network;
use bitcoin::block::Header;
use bitcoin::constants::genesis_block;
use cairn_chain::pow::{GrindOptions, Midstate, Target, grind};
use cairn_chain::primitives::header_bytes;
use ruint::aliases::U256;
use sha2::block_api::compress256;

/// Pairs of rounds; odd, so that there is a median.
const ROUNDS: usize = 15;

/// The state SHA-256 starts from (FIPS 180-4, section 5.3.3).
const INITIAL_STATE: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

fn main() {
    let quick = env::var_os("CAIRN_BENCH_QUICK").is_some_and(|value| value == "1");
    let nonces: u32 = if quick { 200_000 } else { 3_000_000 };
    let header = genesis_block(Network::Bitcoin).header;

    let (mut bare, mut ours, mut two, mut ratios) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare_rate = rate_of(nonces, || bare_loop(&header, nonces));
        let our_rate = rate_of(nonces, || search(&header, nonces, 1, None));
        bare.push(bare_rate);
        ours.push(our_rate);
        ratios.push(our_rate / bare_rate);
        two.push(rate_of(2 * nonces, || search(&header, 2 * nonces, 2, None)));
    }
    println!("bare loop over compress256: {:.3} MH/s", median(bare));
    println!("nonce search, one thread:   {:.3} MH/s", median(ours));
    println!("nonce search, two threads:  {:.3} MH/s", median(two));
    println!("one thread to bare loop:    {:.4} (median of {ROUNDS} pairs)", median(ratios));

    for (asked, threads) in [(1_000, 1), (50_000, 2), (500_000, 2)] {
        let count = if quick { asked / 4 } else { 2 * asked };
        let got = rate_of(count, || search(&header, count, threads, NonZeroU64::new(u64::from(asked))));
        let percent = got * 1e8 / f64::from(asked);
        println!("throttle, {threads} threads: asked for {asked} H/s, got {percent:.2} %");
    }
}

/// Millions of hashes per second of `run`, which computes `hashes` of them.
fn rate_of(hashes: u32, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    f64::from(hashes) / start.elapsed().as_secs_f64() / 1e6
}

/// Our search, for a target that no hash meets.
fn search(header: &Header, nonces: u32, threads: usize, max_hashes_per_second: Option<NonZeroU64>) {
    let cancel = AtomicBool::new(false);
    let threads = NonZeroUsize::new(threads).expect("at least one thread");
    let options = GrindOptions { threads, nonces: 0..=nonces - 1, max_hashes_per_second, cancel: &cancel };
    let result = grind(header, &Target::new(U256::ZERO), &options);
    assert_eq!(result.hashes, u64::from(nonces), "no hash is zero");
}

/// Both compressions of every nonce, and nothing done with the result.
fn bare_loop(header: &Header, nonces: u32) {
    let bytes = header_bytes(header);
    let midstate = Midstate::new(bytes.first_chunk().expect("a header has 80 bytes")).to_words();
    let mut tail = [0_u8; 64];
    tail[..16].copy_from_slice(&bytes[64..]);
    tail[16] = 0x80;
    tail[62..].copy_from_slice(&640_u16.to_be_bytes());
    let mut digest = [0_u8; 64];
    digest[32] = 0x80;
    digest[62..].copy_from_slice(&256_u16.to_be_bytes());
    for nonce in 0..nonces {
        tail[12..16].copy_from_slice(&nonce.to_le_bytes());
        let mut state = midstate;
        compress256(&mut state, std::slice::from_ref(&tail));
        for (four, word) in digest.chunks_exact_mut(4).zip(state) {
            four.copy_from_slice(&word.to_be_bytes());
        }
        let mut state = INITIAL_STATE;
        compress256(&mut state, std::slice::from_ref(&digest));
        black_box(state);
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
