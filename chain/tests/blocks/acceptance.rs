//! Whole chains against the answers Bitcoin Core gave for each block. Needs the acceptance data: set `CAIRN_DATA` to its
//! folder.

use bitcoin::Amount;
use cairn_chain::header_chain::HeaderChain;
use cairn_chain::params::{ActivationOverride, ChainParams, RegtestOptions};

use crate::data;
use crate::tree::BlockTree;

/// Mainnet's first 439 blocks, and the coins they leave.
#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn mainnet_0_438() {
    let mut tree = BlockTree::new(ChainParams::main());
    let blocks = block_file("mainnet_0_438.blk.dat");
    assert_eq!(blocks.len(), 439);
    for (height, block) in blocks.into_iter().enumerate().skip(1) {
        assert_eq!(tree.extend(block), Ok(()), "height {height}");
    }
    assert_eq!(
        tree.coins_hash(&tree.last()),
        "3790edaecd696a0879c5b6f1d2a9bdf8af69b28706517a960c7dd58ec8bd67fa",
        "Core's hash_serialized_3"
    );
}

/// Another chain on mainnet's rules, with one retarget.
#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn mainnet_alt_2016() {
    let mut tree = BlockTree::new(ChainParams::main());
    let lines = data::text("mainnet_alt_2016.blocks.txt.xz");
    for line in lines.lines() {
        let (height, block) = (line.split(' ').next(), line.split(' ').next_back());
        assert_eq!(tree.extend(data::hex(block.unwrap())), Ok(()), "height {height:?}");
    }
    let bits = |height| tree.headers().header_at(height).bits.to_consensus();
    assert_eq!((tree.headers().height(), bits(2015), bits(2016)), (2016, 0x1d00_ffff, 0x1c3f_ffc0));
    assert_eq!(
        tree.coins_hash(&tree.last()),
        "fa152d1792f014fd3537236637d83f032c1f5cfa44b116dd55d937b5efa49296",
        "Core's hash_serialized_3"
    );
}

/// btcd's generator of full blocks: 205 steps, of which those with a block are judged.
#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn full_block_tests() {
    let mut tree = BlockTree::new(ChainParams::regtest(RegtestOptions::default()));
    tree.set_time(1_600_000_000);
    let rows = data::json_lines("fullblocktests.seed1.core.jsonl.xz");
    assert_eq!(rows.len(), 205);
    let mut judged = 0;
    for row in rows.iter().filter(|row| row["block"].is_string()) {
        let name = &row["name"];
        let ours = tree.submit(data::hex(row["block"].as_str().unwrap()));
        let on_side_chain = row["core_submitblock"] == "inconclusive";
        let theirs = match row["core_connect_error"].as_array() {
            Some(errors) => errors[0].as_str(),
            None if on_side_chain => None,
            None => row["core_submitblock"].as_str(),
        };
        // Blocks that never led the best chain were not connected by Core; here they are, and may turn out invalid.
        if theirs.is_some() || !on_side_chain {
            assert_eq!(ours.as_ref().err().map(String::as_str), theirs, "{name}");
            judged += 1;
        }
    }
    assert_eq!(judged, 177);
}

#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn feature_cltv() {
    assert_eq!(replay_feature("core_feature_cltv.jsonl"), (117, 6));
}

#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn feature_dersig() {
    assert_eq!(replay_feature("core_feature_dersig.jsonl"), (104, 2));
}

#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn feature_nulldummy() {
    assert_eq!(replay_feature("core_feature_nulldummy.jsonl"), (107, 2));
}

#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn feature_csv_activation() {
    assert_eq!(replay_feature("core_feature_csv_activation.jsonl.xz"), (555, 106));
}

/// Replays one activation scenario and returns how many blocks were judged and how many of them rejected.
fn replay_feature(file: &str) -> (usize, usize) {
    let rows = data::json_lines(file);
    let start = &rows[0];
    let activation_heights = start["core_args"].as_array().unwrap().iter().map(|argument| {
        let value = argument.as_str().unwrap().strip_prefix("-testactivationheight=").unwrap();
        value.parse::<ActivationOverride>().unwrap()
    });
    let options = RegtestOptions { activation_heights: activation_heights.collect(), ..RegtestOptions::default() };
    let mut tree = BlockTree::new(ChainParams::regtest(options));
    let clock = start["clock"].as_u64().unwrap();
    tree.set_time(clock);

    let (mut judged, mut rejected) = (0, 0);
    for row in &rows {
        match row["event"].as_str().unwrap() {
            "block" => {
                let ours = tree.submit(data::hex(row["block"].as_str().unwrap()));
                let ours = ours.err();
                assert_eq!(ours.as_deref(), row["core_submitblock"].as_str(), "{file}: block {}", row["hash"]);
                judged += 1;
                rejected += usize::from(ours.is_some());
            }
            // Zero gives the clock back to the system, which then had moved on a little.
            "mocktime" => tree.set_time(Some(row["time"].as_u64().unwrap()).filter(|&time| time != 0).unwrap_or(clock)),
            "end" => {
                let best = row["utxo"]["bestblock"].as_str().unwrap().parse().unwrap();
                assert_eq!(tree.coins_hash(&best), row["utxo"]["hash_serialized_3"].as_str().unwrap(), "{file}");
                let statistics = tree.coins_statistics(&best);
                assert_eq!(statistics.transaction_outputs, row["utxo"]["txouts"].as_u64().unwrap(), "{file}");
                let total = Amount::from_btc(row["utxo"]["total_amount"].as_f64().unwrap()).unwrap();
                assert_eq!(statistics.total_amount, Some(total), "{file}");
            }
            // The tree judges each block by its own parent, so what leads does not matter.
            "start" | "invalidateblock" | "reconsiderblock" => {}
            other => panic!("{file}: unknown event {other}"),
        }
    }
    (judged, rejected)
}

/// The blocks of a file in the framing of Core's `blk*.dat`: magic, length (four bytes little-endian), block.
fn block_file(file: &str) -> Vec<Vec<u8>> {
    let bytes = crate::acceptance_data::read(file);
    let mut rest = &bytes[..];
    let mut blocks = Vec::new();
    while let Some((frame, tail)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(frame[4..].try_into().unwrap());
        let (block, tail) = tail.split_at(length.try_into().unwrap());
        blocks.push(block.to_vec());
        rest = tail;
    }
    blocks
}
