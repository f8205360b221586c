use std::sync::Arc;

use bitcoin::CompactTarget;
use bitcoin::consensus::serialize;
use cairn_chain::primitives::Block;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use serde_json::Value;

use super::header::difficulty;
use crate::rpc::testing::RpcTest;

const GENESIS: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";

/// Bitcoin Core's answer for regtest's genesis, but for what depends on the blocks above it.
#[tokio::test(flavor = "multi_thread")]
async fn the_header_of_genesis() {
    let test = RpcTest::start(3).await;
    let next = test.call("getblockhash", "[1]").await.unwrap();
    let header = test.call("getblockheader", &format!("[\"{GENESIS}\"]")).await.unwrap();
    let expected = format!(
        "{{\"hash\":\"{GENESIS}\",\"confirmations\":4,\"height\":0,\"version\":1,\"versionHex\":\"00000001\",\
         \"merkleroot\":\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\",\"time\":1296688602,\
         \"mediantime\":1296688602,\"nonce\":2,\"bits\":\"207fffff\",\
         \"target\":\"7fffff0000000000000000000000000000000000000000000000000000000000\",\
         \"difficulty\":4.656542373906925e-10,\
         \"chainwork\":\"0000000000000000000000000000000000000000000000000000000000000002\",\"nTx\":1,\
         \"nextblockhash\":{}}}",
        next.get()
    );
    assert_eq!(header.get(), expected);
    let raw = test.call("getblockheader", &format!("[\"{GENESIS}\",false]")).await.unwrap();
    assert_eq!(
        raw.get(),
        "\"0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc8\
         1bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000\""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_is_told_block_by_block() {
    let test = RpcTest::start(15).await;
    assert_eq!(test.call("getblockcount", "[]").await.unwrap().get(), "15");
    let tip = test.call("getblockhash", "[15]").await.unwrap();
    assert_eq!(test.call("getbestblockhash", "[]").await.unwrap().get(), tip.get());
    let header: Value =
        serde_json::from_str(test.call("getblockheader", &format!("[{}]", tip.get())).await.unwrap().get()).unwrap();
    assert_eq!((&header["confirmations"], &header["height"]), (&1.into(), &15.into()));
    assert!(header.get("nextblockhash").is_none());
    let mut times = Vec::new();
    for height in 5..=15 {
        let hash = test.call("getblockhash", &format!("[{height}]")).await.unwrap();
        let named = format!("{{\"verbose\":true,\"args\":[{}]}}", hash.get());
        let header: Value = serde_json::from_str(test.call("getblockheader", &named).await.unwrap().get()).unwrap();
        times.push(header["time"].as_u64().unwrap());
    }
    times.sort_unstable();
    assert_eq!(header["mediantime"], times[5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_beside_the_chain_has_no_confirmations() {
    let test = RpcTest::start(3).await;
    let options = ChainOptions { blocks: 1, transactions_per_block: 0, coins: 0, seed: 2 };
    let other = ChainGenerator::new(options).next().unwrap();
    let block = Arc::new(Block::decode(serialize(&other.block)).unwrap());
    let hash = block.hash();
    let outcome = test.context.chain.call(|chain| chain.chainstate.process_new_block(block, true)).await.unwrap();
    outcome.unwrap().unwrap();
    let header = test.call("getblockheader", &format!("[\"{hash}\"]")).await.unwrap();
    let header: Value = serde_json::from_str(header.get()).unwrap();
    assert_eq!((&header["confirmations"], &header["height"]), (&(-1).into(), &1.into()));
    assert_eq!(header["previousblockhash"], GENESIS);
    assert!(header.get("nextblockhash").is_none());
}

/// `blockchain_tests.cpp` of Core.
#[test]
fn difficulties_of_cores_tests() {
    let vectors = [
        (0x1f11_1111, 0.000_001),
        (0x1ef8_8f6f, 0.000_016),
        (0x1df8_8f6f, 0.004_023),
        (0x1cf8_8f6f, 1.029_916),
        (0x12345678, 5_913_134_931_067_755_359_633_408.0),
        (0x1d00_ffff, 1.0),
    ];
    for (bits, expected) in vectors {
        let got = difficulty(CompactTarget::from_consensus(bits));
        assert!((got - expected).abs() <= 0.000_001_f64.max(expected * 1e-10), "{bits:x}: {got}");
    }
}
