//! Appending blocks to files, against bare positioned writes; and finding blocks in a stream, against copying it.
//!
//! Copying takes the stream in the same portions and makes the same copy of every block, without looking at any. Rounds of
//! both alternate; ratios are medians over rounds. `CAIRN_BENCH_QUICK=1` makes the inputs small.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "what is written and read here was made here")]

use std::env;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use cairn_chain::store::{BlockFileScanner, BlockFiles, MAX_BLOCK_FILE_SIZE};
use tempfile::TempDir;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

/// Odd, so that there is a median.
const ROUNDS: usize = 9;

fn main() {
    let quick = env::var_os("CAIRN_BENCH_QUICK").is_some_and(|value| value == "1");
    let factor = if quick { 50 } else { 1 };
    for (count, length) in [(50_000, 300), (100, 1_000_000)] {
        append(count / factor, length);
    }
    let streams = [
        ("blocks of 300 bytes", records(330_000 / factor, 300), 300),
        ("blocks of 1 MB", records(100 / factor, 1_000_000), 1_000_000),
        ("garbage", garbage(100_000_000 / factor), 0),
    ];
    for (name, stream, length) in &streams {
        scan(name, stream, *length, None);
    }
    // Of a key of zeros the work is that of any other.
    scan("obfuscated blocks of 1 MB", &streams[1].1, 1_000_000, Some([0; 8]));
}

fn append(count: usize, length: usize) {
    let payload = garbage(length);
    let record = [&MAGIC[..], &u32::try_from(length).unwrap().to_le_bytes(), &payload].concat();
    let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let directory = TempDir::new().unwrap();
        let mut files = BlockFiles::open(directory.path(), MAGIC, MAX_BLOCK_FILE_SIZE, []).unwrap();
        let our_time = seconds_of(|| {
            for _ in 0..count {
                files.append_block(black_box(&payload)).unwrap();
            }
        });
        let directory = TempDir::new().unwrap();
        let file = File::create(directory.path().join("bare")).unwrap();
        let bare_time = seconds_of(|| {
            let mut offset = 0;
            for _ in 0..count {
                file.write_all_at(black_box(&record), offset).unwrap();
                offset += u64::try_from(record.len()).unwrap();
            }
        });
        ours.push(our_time);
        bare.push(bare_time);
        ratios.push(bare_time / our_time);
    }
    println!("append {count} blocks of {length} bytes, not synced");
    println!("ours: {:8.2} ms   bare writes: {:8.2} ms", median(ours) * 1e3, median(bare) * 1e3);
    println!("ratio: {:.2} (median of {ROUNDS} rounds)", median(ratios));
}

fn scan(name: &str, stream: &[u8], length: usize, key: Option<[u8; 8]>) {
    let megabytes = f64::from(u32::try_from(stream.len()).unwrap()) / 1e6;
    let (mut ours, mut copies, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let our_rate = megabytes
            / seconds_of(|| {
                let mut scanner = BlockFileScanner::new(stream, MAGIC);
                if let Some(key) = key {
                    scanner = scanner.with_obfuscation(key);
                }
                while let Some(block) = scanner.next_record().unwrap() {
                    black_box(block);
                }
            });
        let copy_rate = megabytes / seconds_of(|| copy(stream, length));
        ours.push(our_rate);
        copies.push(copy_rate);
        ratios.push(our_rate / copy_rate);
    }
    println!("scan {megabytes:.0} MB: {name}");
    println!("ours: {:8.0} MB/s   copying: {:8.0} MB/s", median(ours), median(copies));
    println!("ratio: {:.2} (median of {ROUNDS} rounds)", median(ratios));
}

/// Reads everything into a buffer, and copies out what has the length of a block each time.
fn copy(mut stream: &[u8], length: usize) {
    let mut buffer = vec![0; length.max(256 * 1024)];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        if count == 0 {
            return;
        }
        if length > 0 {
            for block in buffer[..count].chunks(length) {
                black_box(block.to_vec());
            }
        }
    }
}

fn records(count: usize, length: usize) -> Vec<u8> {
    let payload = garbage(length);
    let record = [&MAGIC[..], &u32::try_from(length).unwrap().to_le_bytes(), &payload].concat();
    record.repeat(count)
}

/// Bytes without a pattern: the upper bits of a linear congruential generator (Knuth's MMIX).
fn garbage(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn seconds_of(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
