//! Time and memory for opening a directory with as many headers as Bitcoin will have soon.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{CompactTarget, TxMerkleNode};
use cairn_chain::chainstate::{Chainstate, ChainstateOptions};
use tempfile::TempDir;

use crate::child::params;

const HEADERS: u32 = 900_000;
/// Headers of one message (Core: `MAX_HEADERS_RESULTS`, `net_processing.h`).
const HEADERS_AT_ONCE: u32 = 2_000;
const MAX_BYTES_PER_HEADER: u64 = 250;
const MAX_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });
/// The directory that the child opens.
const DIRECTORY: &str = "CAIRN_OPENING_CHILD";

/// Opening 900,000 headers takes under 2 s, and little memory for each.
#[test]
#[ignore = "about a minute: cargo test --release -p cairn-tests --test crash headers -- --ignored --nocapture"]
fn many_headers_open_fast_and_small() {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    make(directory.path());
    // The first opening after a crash or a shutdown writes what the second one reads.
    for _ in 0..2 {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["opening::opens_headers", "--exact", "--ignored", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let figures = text.lines().find_map(|line| line.strip_prefix("opened ")).unwrap_or_else(|| panic!("{text}"));
        let (milliseconds, bytes) = figures.split_once(' ').unwrap();
        let (time, bytes): (_, u64) = (Duration::from_millis(milliseconds.parse().unwrap()), bytes.parse().unwrap());
        let each = bytes / u64::from(HEADERS);
        println!("{HEADERS} headers opened in {time:?}, {each} bytes each");
        assert!(time < MAX_TIME, "{time:?}");
        assert!(each < MAX_BYTES_PER_HEADER, "{each} bytes for each header");
    }
}

/// The child's part. Called by nobody else it does nothing.
#[test]
#[ignore = "another test runs it"]
fn opens_headers() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    // What every directory takes, an empty one too, is no header's. It stays open, so that none of its memory is used again.
    let empty = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let _open = Chainstate::open(empty.path(), params(), ChainstateOptions::default()).unwrap();
    let before = resident_bytes();
    let start = Instant::now();
    let chainstate = Chainstate::open(Path::new(&directory), params(), ChainstateOptions::default()).unwrap();
    let time = start.elapsed();
    let after = resident_bytes();
    assert_eq!(chainstate.status().unwrap().best_header.height, HEADERS);
    println!("\nopened {} {}", time.as_millis(), after - before);
}

fn make(directory: &Path) {
    let mut chainstate = Chainstate::open(directory, params(), ChainstateOptions::default()).unwrap();
    let mut parent = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).header;
    chainstate.set_mock_time(Some(u64::from(parent.time) + 60 * u64::from(HEADERS)));
    for _ in 0..HEADERS / HEADERS_AT_ONCE {
        let headers: Vec<Header> = (0..HEADERS_AT_ONCE)
            .map(|_| {
                parent = next(&parent);
                parent
            })
            .collect();
        chainstate.accept_headers(&headers, true).unwrap().unwrap();
    }
    chainstate.flush().unwrap();
}

fn next(parent: &Header) -> Header {
    let mut header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: parent.block_hash(),
        merkle_root: TxMerkleNode::from_byte_array(*parent.block_hash().as_byte_array()),
        time: parent.time + 60,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    while !header.target().is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header
}

/// Memory of this process, without the pages of files: the program's own come in as it runs, and are no header's.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    kilobytes << 10
}
