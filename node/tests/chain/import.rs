//! `cairn chain import`: what it takes, and what it leaves.

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::{Block, ScriptBuf};
use serde_json::{Value, json};

use crate::support::{Cairn, HEIGHT, chain, failure, frame, frames, stdout};

/// Clean, by file.
fn reference() -> Value {
    Cairn::with_chain().utxo_stats()
}

#[test]
fn a_file_is_imported_once() {
    let cairn = Cairn::new();
    let file = chain().block_file();
    let args = ["import", "--threads", "2", "--cache", "16", file.to_str().unwrap()];
    let first = cairn.json(&args);
    let tip = chain().tip().to_string();
    assert_eq!(first["tip"], tip);
    assert_eq!(first["height"], HEIGHT);
    assert_eq!(first["accepted"], HEIGHT);
    assert_eq!(first["transactions"], chain().transactions() + u64::from(HEIGHT));
    assert_eq!(first["bytes_read"], file.metadata().unwrap().len());
    for (field, expected) in [("known", 1), ("rejected", 0), ("without_parent", 0), ("skipped_bytes", 0)] {
        assert_eq!(first[field], expected, "{field}");
    }
    assert_eq!(first["first_rejection"], Value::Null);
    assert!(first["seconds"].as_f64().unwrap() > 0.0);

    let second = cairn.json(&args);
    assert_eq!((&second["accepted"], &second["known"]), (&json!(0), &json!(HEIGHT + 1)));
    assert_eq!(second["tip"], tip);
    let text = cairn.text(&args);
    assert!(text.contains(&format!("tip                height {HEIGHT}, {tip}\n")), "{text}");
}

#[test]
fn standard_input_is_imported() {
    let cairn = Cairn::new();
    let output = cairn.pipe(&["import", "--json", "-"], frames().concat());
    let summary: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(summary["accepted"], HEIGHT);
    assert_eq!(cairn.utxo_stats(), reference());
}

/// Blocks in no order, one of them twice, with garbage, padding and a block of another network.
fn disorder() -> Vec<Vec<u8>> {
    let frames = frames();
    let count = frames.len();
    let mut pieces: Vec<Vec<u8>> = (0..count).map(|index| frames[index * 53 % count].clone()).collect();
    let mut foreign = frames[7].clone();
    foreign[..4].copy_from_slice(&[0xf9, 0xbe, 0xb4, 0xd9]);
    pieces.insert(0, b"garbage".to_vec());
    pieces.insert(30, vec![0; 70_000]);
    pieces.insert(60, foreign);
    pieces.insert(120, frames[3].clone());
    pieces
}

#[test]
fn disorder_and_garbage_do_not_matter() {
    // What a crash leaves at the end of a file.
    let broken = vec![frames()[9][..100].to_vec()];
    let pieces = disorder();
    let (first, second) = pieces.split_at(75);
    let by_files = Cairn::new();
    let files = [
        by_files.file("a", &[first, &broken].concat().concat()),
        by_files.file("b", &[second, &broken].concat().concat()),
    ];
    let summary = by_files.json(&["import", &files[0], &files[1]]);
    assert_eq!(summary["accepted"], HEIGHT);
    assert_eq!(summary["known"], 2);
    assert_eq!(summary["rejected"], 0);
    assert_eq!(summary["without_parent"], 0);
    let foreign = u64::try_from(frames()[7].len()).unwrap();
    assert_eq!(summary["skipped_bytes"], 7 + 70_000 + foreign + 2 * 100);
    assert_eq!(by_files.utxo_stats(), reference());

    let by_stream = Cairn::new();
    let output = by_stream.pipe(&["import", "--json", "-"], [pieces, broken].concat().concat());
    let summary: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(summary["accepted"], HEIGHT);
    assert_eq!(by_stream.utxo_stats(), reference());
}

/// The block at height 1 with another height in its coinbase, and as much work.
fn block_with_wrong_height() -> Block {
    let mut block: Block = deserialize(&frames()[1][8..]).unwrap();
    block.txdata[0].input[0].script_sig = ScriptBuf::from_bytes(vec![0x52, 0x00]);
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    block
}

#[test]
fn rejected_blocks_are_counted_and_fail_only_when_alone() {
    let bad = block_with_wrong_height();
    let cairn = Cairn::new();
    let alone = cairn.file("alone", &frame(&serialize(&bad)));
    let message = failure(&cairn.run(&["import", &alone]), 1);
    let hash = bad.block_hash();
    assert_eq!(message, format!("error: no block was accepted: rejected 1, first {hash}: bad-cb-height\n"));

    let cairn = Cairn::new();
    let among = cairn.file("among", &[frame(&serialize(&bad)), frames().concat()].concat());
    let summary = cairn.json(&["import", &among]);
    assert_eq!(summary["accepted"], HEIGHT);
    assert_eq!(summary["rejected"], 1);
    assert_eq!(summary["first_rejection"], json!({ "hash": hash.to_string(), "reason": "bad-cb-height" }));
}

#[test]
fn a_block_that_is_wrong_by_itself_is_named_too() {
    let mut changed: Block = deserialize(&frames()[1][8..]).unwrap();
    changed.txdata[0].lock_time = bitcoin::absolute::LockTime::from_consensus(1);
    let cairn = Cairn::new();
    let file = cairn.file("changed", &[frame(&serialize(&changed)), frames().concat()].concat());
    let summary = cairn.json(&["import", &file]);
    let rejection = json!({ "hash": changed.block_hash().to_string(), "reason": "bad-txnmrklroot" });
    assert_eq!(summary["first_rejection"], rejection);
    // Another body under the same header may be good, and is.
    assert_eq!(summary["accepted"], HEIGHT);
}

#[test]
fn files_without_a_block_to_accept_are_a_failure() {
    let cairn = Cairn::new();
    let mut foreign = frames()[1].clone();
    foreign[0] ^= 1;
    let message = failure(&cairn.run(&["import", &cairn.file("foreign", &foreign)]), 1);
    assert!(message.contains("no block of network regtest was found in"), "{message}");
    assert!(message.contains("choose the network the blocks are of with --network"), "{message}");

    let orphans = cairn.file("orphans", &frames()[2..5].concat());
    let output = cairn.run(&["import", "--json", &orphans]);
    assert!(failure(&output, 1).contains("3 blocks have a parent that never came"), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["without_parent"], 3);
}

#[test]
fn files_that_are_not_there_are_named_before_anything_is_made() {
    let cairn = Cairn::new();
    let message = failure(&cairn.run(&["import", "no-such-file.dat"]), 1);
    assert!(message.starts_with("error: cannot read no-such-file.dat: "), "{message}");
    assert!(!cairn.datadir().exists());
}

/// The frame claims the first bytes of the block behind it, which then has to be found within them.
#[test]
fn a_frame_that_breaks_off_hides_no_block_behind_it() {
    let frames = frames();
    let cairn = Cairn::new();
    let file = cairn.file("broken", &[frames[1].clone(), frames[2][..100].to_vec(), frames[2..5].concat()].concat());
    let summary = cairn.json(&["import", &file]);
    assert_eq!(summary["accepted"], 4, "{summary}");
}
