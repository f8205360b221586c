use std::time::Instant as StdInstant;

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use serde_json::json;

use super::*;
use crate::rpc::testing::RpcTest;

const ADDRESS: &str = "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv";
const SCRIPT: &str = "00145ec3eaf488f0555e43f85c20c96dfa0503715483";

fn miner(test: &RpcTest, threads: usize, max_hashes_per_second: u64) -> Miner {
    Miner {
        context: Arc::clone(&test.context),
        script: ScriptBuf::from_hex(SCRIPT).unwrap(),
        threads: NonZeroUsize::new(threads).unwrap(),
        max_hashes_per_second: NonZeroU64::new(max_hashes_per_second),
        last_tip: None,
        extra_nonce: 7,
    }
}

async fn height_reaches(test: &RpcTest, height: u32) {
    let mut tips = test.context.chain.watch_tip();
    let reached = tips.wait_for(|tip| tip.height >= height);
    drop(tokio::time::timeout(Duration::from_secs(60), reached).await.unwrap().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_pay_to_the_address_until_the_node_stops() {
    let test = RpcTest::start(1).await;
    let running = tokio::spawn(miner(&test, 2, 0).run());
    height_reaches(&test, 5).await;
    test.context.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap().unwrap();
    let tip = test.context.chain.tip();
    let block = test.context.chain.call(move |chain| chain.block(&tip.hash)).await.unwrap().unwrap();
    assert_eq!(block.transaction(0).unwrap().output(0).unwrap().script_pubkey().to_hex_string(), SCRIPT);
    let metrics = &test.context.metrics.miner;
    assert_eq!(metrics.blocks(), u64::from(tip.height) - 1);
    assert!(metrics.hashes() >= metrics.blocks());
    // Each job has an extra nonce of its own.
    let script = block.transaction(0).unwrap().input(0).unwrap().script_sig().to_hex_string();
    assert!(!script.ends_with("0700000000000000"), "{script}");
}

/// A search for a block that is too hard to be found ends at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_stops_at_once() {
    let test = RpcTest::start_on(cairn_chain::params::ChainParams::main()).await;
    let running = tokio::spawn(miner(&test, 2, 0).run());
    while test.context.metrics.miner.hashes() == 0 && !running.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if test.context.started.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
    let start = StdInstant::now();
    test.context.shutdown.cancel();
    running.await.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert!(test.context.metrics.miner.hashes() > 0);
    assert_eq!(test.context.metrics.miner.blocks(), 0);
}

/// With two hashes a block the throttle has to hold over many short searches.
#[tokio::test(flavor = "multi_thread")]
async fn a_throttle_holds_on_average() {
    const RATE: u64 = 40;
    let test = RpcTest::start(1).await;
    let start = StdInstant::now();
    let running = tokio::spawn(miner(&test, 2, RATE).run());
    tokio::time::sleep(Duration::from_secs(3)).await;
    test.context.shutdown.cancel();
    running.await.unwrap().unwrap();
    let allowed = start.elapsed().as_millis() * u128::from(RATE) / 1000;
    let hashes = u128::from(test.context.metrics.miner.hashes());
    // One chunk of each thread may be done before it is paid for.
    assert!(hashes <= allowed + 4, "{hashes} hashes, {allowed} allowed");
    assert!(hashes >= allowed / 4, "{hashes} hashes, {allowed} allowed");
}

/// The miner rests while there are headers without bodies above the tip, and goes on when those came.
#[tokio::test(flavor = "multi_thread")]
async fn it_rests_while_the_chain_is_behind() {
    let ahead = RpcTest::start(1).await;
    let hashes = ahead.get("generatetoaddress", &json!([3, ADDRESS]).to_string()).await;
    let mut blocks = Vec::new();
    for hash in hashes.as_array().unwrap() {
        let hash: bitcoin::BlockHash = hash.as_str().unwrap().parse().unwrap();
        let block = ahead.context.chain.call(move |chain| chain.block(&hash)).await.unwrap().unwrap();
        blocks.push(
            deserialize_hex::<bitcoin::Block>(&bitcoin::hex::DisplayHex::to_lower_hex_string(block.bytes())).unwrap(),
        );
    }
    let test = RpcTest::start(1).await;
    for block in &blocks {
        test.get("submitheader", &json!([serialize_hex(&block.header)]).to_string()).await;
    }
    let running = tokio::spawn(miner(&test, 1, 0).run());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((test.context.chain.tip().height, test.context.metrics.miner.hashes()), (1, 0));
    for block in &blocks {
        test.get("submitblock", &json!([serialize_hex(block)]).to_string()).await;
    }
    height_reaches(&test, 6).await;
    test.context.shutdown.cancel();
    running.await.unwrap().unwrap();
    assert!(test.context.metrics.miner.blocks() >= 2);
}
