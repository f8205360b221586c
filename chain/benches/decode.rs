//! Decoding a block of about a megabyte, with all hashes, against rust-bitcoin; and decoding and checking it on its own.
//!
//! Ours computes every txid and wtxid as it decodes, so rust-bitcoin's are computed too. Rounds of both alternate; the
//! ratio is the median over rounds. `CAIRN_BENCH_QUICK=1` makes the rounds short.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "the block was made here")]

use std::env;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::constants::genesis_block;
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, absolute, transaction,
};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_chain::validation::check_block;

static PARAMS: LazyLock<ChainParams> = LazyLock::new(|| ChainParams::regtest(RegtestOptions::default()));

/// Odd, so that there is a median.
const ROUNDS: usize = 25;
/// Size of the block, in bytes.
const SIZE: usize = 1_000_000;

fn main() {
    let quick = env::var_os("CAIRN_BENCH_QUICK").is_some_and(|value| value == "1");
    let repetitions: u32 = if quick { 1 } else { 10 };
    let bytes = block();
    let megabytes = f64::from(u32::try_from(bytes.len()).unwrap()) / 1e6;

    let (mut ours, mut theirs, mut ratios, mut checked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let our_rate = megabytes / seconds_of(repetitions, &bytes, decode_ours);
        let their_rate = megabytes / seconds_of(repetitions, &bytes, decode_theirs);
        ours.push(our_rate);
        theirs.push(their_rate);
        ratios.push(our_rate / their_rate);
        checked.push(megabytes / seconds_of(repetitions, &bytes, decode_and_check));
    }
    println!("block of {megabytes:.3} MB, decoded with all txids and wtxids");
    println!("ours:         {:7.1} MB/s", median(ours));
    println!("rust-bitcoin: {:7.1} MB/s", median(theirs));
    println!("ratio:        {:7.2} (median of {ROUNDS} rounds)", median(ratios));
    println!("decoded and put through check_block");
    println!("ours:         {:7.1} MB/s", median(checked));
}

/// Time of one call, which is given its own copy of the block.
fn seconds_of(repetitions: u32, bytes: &[u8], decode: fn(Vec<u8>)) -> f64 {
    let mut seconds = 0.0;
    for _ in 0..repetitions {
        let copy = black_box(bytes).to_vec();
        let start = Instant::now();
        decode(copy);
        seconds += start.elapsed().as_secs_f64();
    }
    seconds / f64::from(repetitions)
}

fn decode_ours(bytes: Vec<u8>) {
    let block = Block::decode(bytes).unwrap();
    assert!(block.transactions().skip(1).all(|tx| tx.txid().to_byte_array() != tx.wtxid().to_byte_array()));
}

fn decode_and_check(bytes: Vec<u8>) {
    check_block(Arc::new(Block::decode(bytes).unwrap()), &PARAMS.consensus).unwrap();
}

fn decode_theirs(bytes: Vec<u8>) {
    let block: bitcoin::Block = deserialize(&bytes).unwrap();
    let differs = |tx: &Transaction| tx.compute_txid().to_byte_array() != tx.compute_wtxid().to_byte_array();
    assert!(block.txdata.iter().skip(1).all(differs));
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A block on regtest: genesis's coinbase, and transactions that have the shape of payments, two P2WPKH inputs and two
/// P2WPKH outputs each.
fn block() -> Vec<u8> {
    let mut block = genesis_block(Network::Regtest);
    let count = u32::try_from(SIZE / serialize(&payment(0)).len()).unwrap();
    block.txdata.extend((0..count).map(payment));
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    let works = |nonce: &u32| {
        let header = Header { nonce: *nonce, ..block.header };
        header.validate_pow(header.target()).is_ok()
    };
    block.header.nonce = (0..).find(works).unwrap();
    serialize(&block)
}

fn payment(number: u32) -> Transaction {
    let program = ScriptBuf::from([&[0, 20], &[0x5a; 20][..]].concat());
    let output = || TxOut { value: Amount::from_sat(number.into()), script_pubkey: program.clone() };
    let input = |vout: u32| TxIn {
        previous_output: OutPoint { txid: Txid::from_byte_array([0x77; 32]), vout: number ^ vout << 31 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[&[0x30; 71][..], &[0x02; 33]]),
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input(0), input(1)],
        output: vec![output(), output()],
    }
}
