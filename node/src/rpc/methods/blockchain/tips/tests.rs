use serde_json::{Value, json};

use crate::rpc::methods::blockchain::testing::{SPENDING, empty_blocks, spending_node, submit};
use crate::rpc::testing::RpcTest;

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_branch() {
    let test = RpcTest::start(0).await;
    let (chain, fork, bad) = (empty_blocks(4, 1), empty_blocks(2, 2), empty_blocks(3, 3));
    for block in bad.iter().chain(&chain) {
        submit(&test, block).await;
    }
    test.get("invalidateblock", &json!([bad[1].hash().to_string()]).to_string()).await;
    for block in &fork {
        submit(&test, block).await;
    }
    let unconnected = &empty_blocks(2, 4)[0];
    let header: String = bitcoin::hex::DisplayHex::to_lower_hex_string(&unconnected.bytes()[..80]);
    test.get("submitheader", &json!([header]).to_string()).await;
    let tip = |height: u32, hash: String, length: u32, status: &str| json!({"height": height, "hash": hash, "branchlen": length, "status": status});
    let mut told = test.get("getchaintips", "[]").await.as_array().unwrap().clone();
    assert_eq!(told[0], tip(4, chain[3].hash().to_string(), 0, "active"), "the highest is the first");
    told.sort_by_key(|tip| tip["status"].as_str().unwrap().to_owned());
    let expected = [
        tip(4, chain[3].hash().to_string(), 0, "active"),
        tip(1, unconnected.hash().to_string(), 1, "headers-only"),
        tip(3, bad[2].hash().to_string(), 3, "invalid"),
        tip(2, fork[1].hash().to_string(), 2, "valid-headers"),
    ];
    assert_eq!(told, expected);
    // What was the active chain once is known to be valid.
    test.get("invalidateblock", &json!([chain[0].hash().to_string()]).to_string()).await;
    test.get("reconsiderblock", &json!([chain[0].hash().to_string()]).to_string()).await;
    let told = test.get("getchaintips", "[]").await;
    let was_active = told.as_array().unwrap().iter().find(|tip| tip["hash"] == fork[1].hash().to_string()).unwrap();
    assert_eq!(was_active["status"], "valid-fork");
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_over_time() {
    let (test, blocks) = spending_node().await;
    let height = SPENDING.blocks;
    let times = |block: &cairn_chain::primitives::Block| i64::from(block.header().time);
    let count = |blocks: &[std::sync::Arc<cairn_chain::primitives::Block>]| -> usize {
        blocks.iter().map(|block| block.transactions().len()).sum()
    };
    let told = test.get("getchaintxstats", "[5]").await;
    assert_eq!(told["txcount"], count(&blocks) + 1);
    assert_eq!((&told["window_block_count"], &told["window_final_block_height"]), (&json!(5), &json!(height)));
    assert_eq!(told["window_tx_count"], count(&blocks[blocks.len() - 5..]));
    assert_eq!(told["time"], times(blocks.last().unwrap()));
    let interval = told["window_interval"].as_f64().unwrap();
    let rate = told["txrate"].as_f64().unwrap();
    assert!((rate - told["window_tx_count"].as_f64().unwrap() / interval).abs() < 1e-9, "{told}");

    // A month, which is longer than the chain.
    assert_eq!(test.get("getchaintxstats", "[]").await["window_block_count"], height - 1);
    let none = test.get("getchaintxstats", "[0]").await;
    for name in ["window_interval", "window_tx_count", "txrate"] {
        assert!(none.get(name).is_none(), "{name}");
    }
    let genesis = json!([Value::Null, test.context.params.genesis.hash.to_string()]).to_string();
    assert_eq!(test.get("getchaintxstats", &genesis).await["txcount"], 1);
    let count = "Invalid block count: should be between 0 and the block's height - 1".to_owned();
    for blocks in [-1, i64::from(height)] {
        assert_eq!(test.error("getchaintxstats", &json!([blocks]).to_string()).await, (-8, count.clone()));
    }
    let unknown = json!([Value::Null, "00".repeat(32)]).to_string();
    assert_eq!(test.error("getchaintxstats", &unknown).await, (-5, "Block not found".to_owned()));
}
