//! `cairn chain status`, `utxo-stats`, `verify` and `prune`.

use std::fs;

use serde_json::Value;

use crate::support::{Cairn, HEIGHT, chain, failure};

#[test]
fn status_tells_where_the_chain_stands() {
    let cairn = Cairn::with_chain();
    let status = cairn.json(&["status"]);
    assert_eq!(status["network"], "regtest");
    assert_eq!(status["height"], HEIGHT);
    assert_eq!(status["headers"], HEIGHT);
    assert_eq!(status["tip"], chain().tip().to_string());
    assert_eq!(status["best_header"], status["tip"]);
    assert_eq!(status["transactions"], chain().transactions() + u64::from(HEIGHT) + 1);
    // Two hashes a block.
    assert_eq!(status["work"], format!("{:064x}", 2 * (HEIGHT + 1)));
    assert_eq!(status["pruned"], false);
    assert_eq!(status["prune_height"], Value::Null);
    assert!(status["time"].as_u64() > status["median_time"].as_u64());
    assert!(status["size_on_disk"].as_u64().unwrap() > chain().block_file().metadata().unwrap().len());
    let text = cairn.text(&["status"]);
    assert!(text.contains(&format!("height             {HEIGHT}\n")), "{text}");
}

#[test]
fn utxo_stats_have_the_fields_of_gettxoutsetinfo() {
    let cairn = Cairn::with_chain();
    let stats = cairn.json(&["utxo-stats"]);
    assert_eq!(stats["height"], HEIGHT);
    assert_eq!(stats["bestblock"], chain().tip().to_string());
    // Nothing but genesis' coin is lost, and fees are part of coinbases.
    assert!(stats["total_amount_sat"].as_u64().unwrap() <= u64::from(HEIGHT) * 5_000_000_000);
    assert!(stats["txouts"].as_u64().unwrap() >= chain().spendable_coins());
    assert_eq!(stats["hash_serialized_3"].as_str().unwrap().len(), 64);
    for field in ["bogosize", "transactions", "disk_size"] {
        assert!(stats[field].as_u64().unwrap() > 0, "{field}");
    }

    let muhash = cairn.json(&["utxo-stats", "--hash", "muhash"]);
    assert_eq!(muhash["muhash"].as_str().unwrap().len(), 64);
    assert_eq!(muhash.get("hash_serialized_3"), None);
    assert_eq!(muhash["txouts"], stats["txouts"]);
    let none = cairn.json(&["utxo-stats", "--hash", "none"]);
    assert_eq!((none.get("muhash"), none.get("hash_serialized_3")), (None, None));
    let text = cairn.text(&["utxo-stats"]);
    let hash = stats["hash_serialized_3"].as_str().unwrap();
    assert!(text.contains(&format!("hash_serialized_3  {hash}\n")), "{text}");
}

#[test]
fn verify_checks_as_much_as_it_is_asked() {
    let cairn = Cairn::with_chain();
    assert_eq!(cairn.text(&["verify"]), "6 blocks are good at level 3\n");
    for level in ["0", "1", "2", "3", "4"] {
        let verified = cairn.json(&["verify", "--level", level, "--blocks", "0"]);
        assert_eq!(verified["level"].to_string(), level);
        assert_eq!(verified["blocks"], HEIGHT);
        assert_eq!(verified["failure"], Value::Null);
    }
}

#[test]
fn verify_finds_damage() {
    let cairn = Cairn::with_chain();
    let path = cairn.datadir().join("regtest").join("blocks").join("blk00000.dat");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last - 100] ^= 1;
    fs::write(&path, bytes).unwrap();

    let message = failure(&cairn.run(&["verify"]), 1);
    assert!(message.starts_with(&format!("error: block at height {HEIGHT}: ")), "{message}");
    let output = cairn.run(&["verify", "--json"]);
    failure(&output, 1);
    let verified: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verified["failure"]["height"], HEIGHT);
    assert!(verified["failure"]["reason"].is_string());
}

#[test]
fn the_newest_blocks_are_never_pruned() {
    let cairn = Cairn::with_chain();
    let message = failure(&cairn.run(&["prune", "5"]), 1);
    assert!(message.contains("expected a height of at most 0, got 5; the newest blocks are needed"), "{message}");
    let pruned = cairn.json(&["prune", "0"]);
    assert_eq!((&pruned["first_block"], &pruned["freed_bytes"]), (&0.into(), &0.into()));
}
