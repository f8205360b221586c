//! What a pruned directory takes on disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Builder;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, WScriptHash, Witness};
use cairn_chain::chainstate::{Chainstate, ChainstateOptions, MIN_BLOCKS_TO_KEEP};
use cairn_chain::coins::CoinsHashType;
use cairn_chain::primitives::Block;
use tempfile::TempDir;

use crate::child::params;

const BLOCKS: u32 = 420;
const COINS_PER_BLOCK: u32 = 500;
/// Outputs that carry bytes and leave no coin.
const CARRIERS: usize = 40;
const CARRIED_BYTES: usize = 9_000;
/// What the index stores of a header, and the pages of a P2WSH coin, in bytes.
const INDEX_RECORD: u64 = 113;
const STORED_COIN: u64 = 62;
/// Of what is on disk to what is kept, in percent.
const MAX_RATIO: u64 = 130;

/// A pruned directory takes little more than what is kept in it; its block files hardly anything.
#[test]
#[ignore = "160 MB: cargo test --release -p cairn-tests --test crash pruned -- --ignored --nocapture"]
fn a_pruned_directory_is_small() {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = ChainstateOptions { cache_bytes: 8 << 20, block_file_size: 4 << 20, ..ChainstateOptions::default() };
    let mut chainstate = Chainstate::open(directory.path(), params(), options).unwrap();
    let mut parent = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).header;
    for height in 1..=BLOCKS {
        let block = block_on(&parent, height);
        parent = block.header;
        let block = Arc::new(Block::decode(serialize(&block)).unwrap());
        chainstate.process_new_block(block, true).unwrap().unwrap();
    }
    chainstate.flush().unwrap();
    chainstate.prune_to_height(BLOCKS - MIN_BLOCKS_TO_KEEP).unwrap();
    let none = CoinsHashType::None;
    let coins = chainstate.coins_statistics(none, 1 << 26, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    let blocks = chainstate.status().unwrap().block_bytes;
    drop(chainstate);

    let kept = blocks + coins.transaction_outputs * STORED_COIN + u64::from(BLOCKS) * INDEX_RECORD;
    let [in_blocks, in_database] = ["blocks", "database"].map(|part| disk_usage(&directory.path().join(part)));
    let all = disk_usage(directory.path());
    println!(
        "{all} bytes on disk ({in_blocks} blocks, {in_database} database) for {kept} bytes kept ({blocks} blocks, {} coins)",
        coins.transaction_outputs
    );
    assert!(blocks > 100 << 20, "{blocks}");
    assert!(in_blocks * 100 <= blocks * 102, "{in_blocks} bytes on disk for {blocks} bytes of blocks");
    assert!(all * 100 <= kept * MAX_RATIO, "{all} bytes on disk for {kept} bytes kept");
}

/// A block whose coinbase makes coins and carries bytes.
fn block_on(parent: &bitcoin::block::Header, height: u32) -> bitcoin::Block {
    let coin = |number: u32| {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&height.to_le_bytes());
        hash[4..8].copy_from_slice(&number.to_le_bytes());
        let script_pubkey = ScriptBuf::new_p2wsh(&WScriptHash::from_byte_array(hash));
        TxOut { value: Amount::ZERO, script_pubkey }
    };
    let mut carrier = vec![OP_RETURN.to_u8()];
    carrier.resize(CARRIED_BYTES, 7);
    let carrier = TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from(carrier) };
    let mut output: Vec<TxOut> = (0..COINS_PER_BLOCK).map(coin).collect();
    output.extend(std::iter::repeat_n(carrier, CARRIERS));
    let coinbase = Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new().push_int(height.into()).push_int(0).into_script(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output,
    };
    let header = bitcoin::block::Header {
        version: bitcoin::block::Version::from_consensus(0x2000_0000),
        prev_blockhash: parent.block_hash(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: parent.time + 600,
        bits: parent.bits,
        nonce: 0,
    };
    let mut block = bitcoin::Block { header, txdata: vec![coinbase] };
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    while !block.header.target().is_met_by(block.header.block_hash()) {
        block.header.nonce += 1;
    }
    block
}

/// Bytes that a directory takes on disk.
fn disk_usage(path: &Path) -> u64 {
    let metadata = fs::symlink_metadata(path).unwrap();
    let below: u64 = if metadata.is_dir() {
        fs::read_dir(path).unwrap().map(|entry| disk_usage(&entry.unwrap().path())).sum()
    } else {
        0
    };
    metadata.blocks() * 512 + below
}
