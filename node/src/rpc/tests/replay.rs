//! Blocks and the answers that Core gave to `submitblock`, word for word. Needs the acceptance data: set `CAIRN_DATA` to its
//! folder.

#[path = "../../../../chain/tests/support/acceptance_data.rs"]
mod acceptance_data;

use bitcoin::BlockHash;
use cairn_chain::params::{ActivationOverride, ChainParams, RegtestOptions};
use serde_json::Value;

use crate::rpc::testing::RpcTest;

/// One JSON object a line.
fn rows(file: &str) -> Vec<Value> {
    let text = String::from_utf8(acceptance_data::read(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `submitblock` answers, an error as Core's data write it.
async fn submit(test: &RpcTest, block: &Value) -> Value {
    match test.call("submitblock", &format!("[{block}]")).await {
        Ok(answer) => serde_json::from_str(answer.get()).unwrap(),
        Err((code, message)) => format!("RPC{code}:{message}").into(),
    }
}

async fn check_tip(test: &RpcTest, row: &Value) {
    if row["core_tip_after"].is_string() {
        assert_eq!(test.get("getbestblockhash", "[]").await, row["core_tip_after"], "{}", row["name"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
async fn full_block_tests() {
    let test = RpcTest::start(0).await;
    test.get("setmocktime", "[1600000000]").await;
    let rows = rows("fullblocktests.seed1.core.jsonl.xz");
    assert_eq!(rows.len(), 205);
    let mut answers = 0;
    for row in &rows {
        if row["block"].is_string() {
            assert_eq!(submit(&test, &row["block"]).await, row["core_submitblock"], "{}", row["name"]);
            answers += 1;
        }
        check_tip(&test, row).await;
    }
    assert_eq!(answers, 190);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
async fn feature_cltv() {
    assert_eq!(replay("core_feature_cltv.jsonl").await, 117);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
async fn feature_dersig() {
    assert_eq!(replay("core_feature_dersig.jsonl").await, 104);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
async fn feature_nulldummy() {
    assert_eq!(replay("core_feature_nulldummy.jsonl").await, 107);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "set CAIRN_DATA to the folder of acceptance data and run with --ignored"]
async fn feature_csv_activation() {
    assert_eq!(replay("core_feature_csv_activation.jsonl.xz").await, 555);
}

/// Replays a scenario and returns the number of blocks.
async fn replay(file: &str) -> usize {
    let rows = rows(file);
    let [start, rows @ .., _end] = &rows[..] else { panic!("a scenario starts and ends") };
    let arguments = start["core_args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
    let heights = arguments.filter_map(|argument| argument.strip_prefix("-testactivationheight="));
    let activation_heights: Vec<ActivationOverride> = heights.map(|height| height.parse().unwrap()).collect();
    let options = RegtestOptions { activation_heights, ..RegtestOptions::default() };
    let test = RpcTest::start_on(ChainParams::regtest(options)).await;
    test.get("setmocktime", &format!("[{}]", start["clock"])).await;
    let mut blocks = 0;
    for row in rows {
        let hash = || row["hash"].as_str().unwrap().parse::<BlockHash>().unwrap();
        match row["event"].as_str().unwrap() {
            "block" => {
                blocks += 1;
                assert_eq!(submit(&test, &row["block"]).await, row["core_submitblock"], "block {blocks}");
            }
            "mocktime" => {
                test.get("setmocktime", &format!("[{}]", row["time"])).await;
            }
            "invalidateblock" => {
                let hash = hash();
                test.context.chain.call(move |chain| chain.chainstate.invalidate_block(&hash)).await.unwrap().unwrap();
            }
            "reconsiderblock" => {
                let hash = hash();
                test.context.chain.call(move |chain| chain.chainstate.reconsider_block(&hash)).await.unwrap().unwrap();
            }
            other => panic!("unknown event {other}"),
        }
        check_tip(&test, row).await;
    }
    blocks
}
