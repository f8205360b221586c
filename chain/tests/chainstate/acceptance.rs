//! Histories with the answers Core gave at every step. Needs the acceptance data: set `CAIRN_DATA` to its folder.

use cairn_chain::chainstate::{BlockSource, ChainstateOptions};
use cairn_chain::params::{ActivationOverride, ChainParams, RegtestOptions};
use serde_json::Value;
use std::io::Cursor;
use std::ops::ControlFlow;

use crate::data;
use crate::submit::Node;

/// The smallest cache and the normal one: with the first nearly everything goes through the disk.
fn caches() -> [ChainstateOptions; 2] {
    let small = ChainstateOptions { cache_bytes: 0, threads: 2, ..Default::default() };
    [small, ChainstateOptions { threads: 2, ..Default::default() }]
}

fn import(node: &mut Node, stream: Vec<u8>) {
    let magic = node.chainstate().params().magic;
    let mut source = BlockSource::stream(Cursor::new(stream), magic);
    node.chainstate().import(&mut source, &mut |_| ControlFlow::Continue(())).unwrap();
}

/// Mainnet's first 439 blocks, and the coins they leave.
#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn mainnet_0_438() {
    for options in caches() {
        let mut node = Node::new(ChainParams::main(), options);
        import(&mut node, crate::acceptance_data::read("mainnet_0_438.blk.dat"));
        assert_eq!(node.chainstate().tip().height, 438);
        for _ in 0..2 {
            assert_eq!(node.coins().0, "3790edaecd696a0879c5b6f1d2a9bdf8af69b28706517a960c7dd58ec8bd67fa");
            node.reopen(false);
        }
    }
}

/// Another chain on mainnet's rules, with one retarget.
#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn mainnet_alt_2016() {
    let lines = data::text("mainnet_alt_2016.blocks.txt.xz");
    let mut stream = Vec::new();
    for line in lines.lines() {
        let block = data::hex(line.split(' ').next_back().unwrap());
        stream.extend(ChainParams::main().magic);
        stream.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        stream.extend(block);
    }
    for options in caches() {
        let mut node = Node::new(ChainParams::main(), options);
        import(&mut node, stream.clone());
        assert_eq!(node.chainstate().tip().height, 2016);
        for _ in 0..2 {
            assert_eq!(node.coins().0, "fa152d1792f014fd3537236637d83f032c1f5cfa44b116dd55d937b5efa49296");
            node.reopen(false);
        }
    }
}

/// btcd's generator of full blocks: forks, orphans, reorganisations, and blocks that are invalid in every way it knows.
#[test]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
fn full_block_tests() {
    for options in caches() {
        let mut node = Node::new(ChainParams::regtest(RegtestOptions::default()), options);
        node.chainstate().set_mock_time(Some(1_600_000_000));
        let rows = data::json_lines("fullblocktests.seed1.core.jsonl.xz");
        assert_eq!(rows.len(), 205);
        for row in &rows {
            let name = &row["name"];
            if row["block"].is_string() {
                let answer = node.submit(data::hex(row["block"].as_str().unwrap()));
                assert_eq!(answer.submitted.as_deref(), row["core_submitblock"].as_str(), "{name}");
            }
            if row["kind"] == "utxo_after_disconnect" {
                let outpoint = row["outpoint"].as_str().unwrap().parse().unwrap();
                let expected = row["expected"].as_bool().unwrap();
                let block = row["block_hash"].as_str().unwrap().parse().unwrap();
                assert_eq!(node.has_coin_before(&block, &outpoint), expected, "{name}");
            }
            if let Some(tip) = row["core_tip_after"].as_str() {
                assert_eq!(node.tip().to_string(), tip, "{name}");
            }
        }
    }
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

/// Replays a scenario and returns the number of blocks and of rejects.
fn replay_feature(file: &str) -> (usize, usize) {
    let rows = data::json_lines(file);
    let mut counts = (0, 0);
    for options in caches() {
        counts = replay(&rows, options);
    }
    counts
}

fn replay(rows: &[Value], options: ChainstateOptions) -> (usize, usize) {
    let [start, rows @ .., end] = rows else { panic!("a scenario starts and ends") };
    let arguments = start["core_args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
    let heights = arguments.filter_map(|argument| argument.strip_prefix("-testactivationheight="));
    let activation_heights: Vec<ActivationOverride> = heights.map(|height| height.parse().unwrap()).collect();
    let regtest = RegtestOptions { activation_heights, ..Default::default() };
    let mut node = Node::new(ChainParams::regtest(regtest), options);
    node.chainstate().set_mock_time(start["clock"].as_u64());
    let (mut blocks, mut rejects) = (0, 0);
    for row in rows {
        let hash = || row["hash"].as_str().unwrap().parse().unwrap();
        match row["event"].as_str().unwrap() {
            "block" => {
                blocks += 1;
                let answer = node.submit(data::hex(row["block"].as_str().unwrap()));
                let expected = row["core_submitblock"].as_str();
                assert_eq!(answer.submitted.as_deref(), expected, "block {blocks}");
                rejects += usize::from(expected.is_some_and(|reason| reason != "inconclusive"));
            }
            "mocktime" => node.chainstate().set_mock_time(row["time"].as_u64().filter(|&time| time > 0)),
            "invalidateblock" => node.chainstate().invalidate_block(&hash()).unwrap(),
            "reconsiderblock" => node.chainstate().reconsider_block(&hash()).unwrap(),
            other => panic!("unknown event {other}"),
        }
        if let Some(tip) = row["core_tip_after"].as_str() {
            assert_eq!(node.tip().to_string(), tip, "after block {blocks}");
        }
    }
    let utxo = &end["utxo"];
    let (hash, count, amount) = node.coins();
    assert_eq!(Some(hash.as_str()), utxo["hash_serialized_3"].as_str());
    assert_eq!(Some(count), utxo["txouts"].as_u64());
    #[allow(clippy::cast_precision_loss, reason = "Core's answer is in coins")]
    let coins = amount as f64 / 1e8;
    assert_eq!(Some(coins), utxo["total_amount"].as_f64());
    (blocks, rejects)
}
