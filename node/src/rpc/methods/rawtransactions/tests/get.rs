use std::time::Duration;

use bitcoin::Txid;
use bitcoin::consensus::encode::serialize_hex;
use serde_json::json;
use serde_json::value::RawValue;

use crate::rpc::testing::coins::{Miner, hex, output, pay_fee};
use crate::rpc::testing::{RpcTest, TxIndexing};

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_the_pool() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let transaction = pay_fee(miner.take(), 1000);
    let txid = transaction.compute_txid();
    test.get("sendrawtransaction", &format!("[{}]", hex(&transaction))).await;
    for params in [format!("[\"{txid}\"]"), format!("[\"{txid}\",0]"), format!("[\"{txid}\",false]")] {
        assert_eq!(test.get("getrawtransaction", &params).await, serialize_hex(&transaction));
    }
    let decoded = test.get("decoderawtransaction", &format!("[{}]", hex(&transaction))).await;
    for params in [format!("[\"{txid}\",1]"), format!("[\"{txid}\",true]"), format!("[\"{txid}\",2]")] {
        let mut told = test.get("getrawtransaction", &params).await;
        assert_eq!(told.as_object_mut().unwrap().remove("hex").unwrap(), serialize_hex(&transaction));
        assert_eq!(told, decoded, "{params}");
    }
    let named = format!("{{\"txid\":\"{txid}\",\"verbose\":true}}");
    assert_eq!(test.get("getrawtransaction", &named).await["txid"], txid.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_a_block() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let parent = pay_fee(miner.take(), 1000);
    let transaction = pay_fee(output(&parent, 0), 2000);
    let other = pay_fee(miner.take(), 3000);
    let block = miner.mine(&[other, parent.clone(), transaction.clone()]).await;
    miner.mine(&[]).await;
    let (txid, hash, time) = (transaction.compute_txid(), block.block_hash(), block.header.time);
    let get = |verbosity: i32| {
        let test = &test;
        async move { test.get("getrawtransaction", &format!("[\"{txid}\",{verbosity},\"{hash}\"]")).await }
    };
    assert_eq!(get(0).await, serialize_hex(&transaction));
    let told = get(1).await;
    assert_eq!(
        (&told["in_active_chain"], &told["blockhash"], &told["confirmations"]),
        (&json!(true), &json!(hash.to_string()), &json!(2))
    );
    assert_eq!((&told["time"], &told["blocktime"]), (&json!(time), &json!(time)));
    assert!(told.get("fee").is_none() && told["vin"][0].get("prevout").is_none());
    let told = get(2).await;
    assert_eq!(told["fee"].to_string(), "0.00002");
    let prevout = &told["vin"][0]["prevout"];
    assert_eq!((&prevout["generated"], &prevout["height"]), (&json!(false), &json!(miner.height - 1)));
    assert_eq!(prevout["value"].as_f64().unwrap(), 49.999_99);
    // A coinbase spends nothing that could be shown.
    let coinbase = block.txdata[0].compute_txid();
    let told = test.get("getrawtransaction", &format!("[\"{coinbase}\",2,\"{hash}\"]")).await;
    assert!(told["vin"][0].get("coinbase").is_some() && told.get("fee").is_none());
    // Core's order of the fields, around those of the transaction.
    let text = test.call("getrawtransaction", &format!("[\"{txid}\",1,\"{hash}\"]")).await.unwrap();
    assert!(text.get().starts_with("{\"in_active_chain\":true,\"txid\":"), "{}", text.get());
    let end = format!("\"blockhash\":\"{hash}\",\"confirmations\":2,\"time\":{time},\"blocktime\":{time}}}");
    assert!(text.get().ends_with(&end), "{}", text.get());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_beside_the_chain_confirms_nothing() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let transaction = pay_fee(miner.take(), 1000);
    let block = miner.mine(std::slice::from_ref(&transaction)).await;
    let (txid, hash) = (transaction.compute_txid(), block.block_hash());
    test.context.chain.call(move |chain| chain.chainstate.invalidate_block(&hash)).await.unwrap().unwrap();
    let told = test.get("getrawtransaction", &format!("[\"{txid}\",1,\"{hash}\"]")).await;
    assert_eq!((&told["in_active_chain"], &told["confirmations"]), (&json!(false), &json!(0)));
    assert!(told.get("time").is_none() && told.get("blocktime").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_found_is_told_in_cores_words() {
    let test = RpcTest::start(1).await;
    let absent = "11".repeat(32);
    let tip = test.get("getbestblockhash", "[]").await;
    let error = |params: String| {
        let test = &test;
        async move { test.error("getrawtransaction", &params).await }
    };
    assert_eq!(
        error(format!("[\"{absent}\"]")).await,
        (
            -5,
            "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries. \
             Use gettransaction for wallet transactions."
                .to_owned()
        )
    );
    assert_eq!(
        error(format!("[\"{absent}\",0,{tip}]")).await,
        (-5, "No such transaction found in the provided block. Use gettransaction for wallet transactions.".to_owned())
    );
    assert_eq!(error(format!("[\"{absent}\",0,\"{absent}\"]")).await, (-5, "Block hash not found".to_owned()));
    assert_eq!(
        error("[\"00\"]".to_owned()).await,
        (-8, "parameter 1 must be of length 64 (not 2, for '00')".to_owned())
    );
    assert_eq!(
        error(format!("[\"{absent}\",0,\"00\"]")).await,
        (-8, "parameter 3 must be of length 64 (not 2, for '00')".to_owned())
    );
    assert_eq!(
        error("[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"]".to_owned()).await,
        (-5, "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved".to_owned())
    );
    assert_eq!(error(format!("[\"{absent}\",\"1\"]")).await.0, -3);
}

/// Waits until the index knows the chain.
async fn indexed(test: &RpcTest) {
    let tip = test.context.chain.tip();
    let known = || async {
        let index = test.get("getindexinfo", "[\"txindex\"]").await;
        index["txindex"] == json!({ "synced": true, "best_block_height": tip.height })
    };
    while !known().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_knows_every_transaction_of_the_chain() {
    let test = RpcTest::start_with_tx_index(0, TxIndexing::Runs).await;
    let mut miner = Miner::start(&test, 2).await;
    indexed(&test).await;
    let parent = pay_fee(miner.take(), 1000);
    let transaction = pay_fee(output(&parent, 0), 2000);
    let other = pay_fee(miner.take(), 3000);
    let block = miner.mine(&[other, parent, transaction.clone()]).await;
    // At once: the call waits for the index.
    let (txid, hash) = (transaction.compute_txid(), block.block_hash());
    assert_eq!(test.get("getrawtransaction", &format!("[\"{txid}\"]")).await, serialize_hex(&transaction));
    for verbosity in [1, 2] {
        let mut named = test.get("getrawtransaction", &format!("[\"{txid}\",{verbosity},\"{hash}\"]")).await;
        assert_eq!(named.as_object_mut().unwrap().remove("in_active_chain"), Some(json!(true)));
        let found = test.get("getrawtransaction", &format!("[\"{txid}\",{verbosity}]")).await;
        assert_eq!(found, named, "{verbosity}");
        assert_eq!((&found["blockhash"], &found["confirmations"]), (&json!(hash.to_string()), &json!(1)));
    }
    let coinbase = block.txdata[0].compute_txid();
    let told = test.get("getrawtransaction", &format!("[\"{coinbase}\",2]")).await;
    assert!(told["vin"][0].get("coinbase").is_some() && told.get("fee").is_none());
    let absent = "11".repeat(32);
    assert_eq!(
        test.error("getrawtransaction", &format!("[\"{absent}\"]")).await,
        (-5, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.".to_owned())
    );
    // A block that is named is the only one that is looked at.
    let first = test.get("getblockhash", "[1]").await;
    assert_eq!(test.error("getrawtransaction", &format!("[\"{txid}\",0,{first}]")).await.0, -5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_follows_a_reorganisation() {
    let test = RpcTest::start_with_tx_index(0, TxIndexing::Runs).await;
    let mut miner = Miner::start(&test, 2).await;
    let (fork, height) = (miner.tip, miner.height);
    let transaction = pay_fee(miner.take(), 1000);
    let txid = transaction.compute_txid();
    let left = miner.mine(std::slice::from_ref(&transaction)).await;
    let get = |txid: Txid| {
        let test = &test;
        async move { test.call("getrawtransaction", &format!("[\"{txid}\",1]")).await }
    };
    let block_of = |told: Box<RawValue>| {
        let told: serde_json::Value = serde_json::from_str(told.get()).unwrap();
        (told["blockhash"].clone(), told["confirmations"].clone())
    };
    assert_eq!(block_of(get(txid).await.unwrap()), (json!(left.block_hash().to_string()), json!(1)));
    // Another branch, where it comes one block later and behind another transaction.
    (miner.tip, miner.height) = (fork, height);
    let empty = miner.mine(&[]).await;
    let other = pay_fee(miner.take(), 5000);
    let joined = miner.mine(&[other, transaction]).await;
    assert_eq!(test.context.chain.tip().hash, joined.block_hash());
    assert_eq!(block_of(get(txid).await.unwrap()), (json!(joined.block_hash().to_string()), json!(1)));
    // What only the block that left had is nowhere.
    let coinbase = left.txdata[0].compute_txid();
    assert_ne!(coinbase, empty.txdata[0].compute_txid());
    assert_eq!(get(coinbase).await.unwrap_err().1.split('.').next(), Some("No such mempool or blockchain transaction"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_being_built_says_so() {
    let test = RpcTest::start_with_tx_index(2, TxIndexing::Rests).await;
    let block = test.get("getblock", &format!("[\"{}\"]", test.context.chain.tip().hash)).await;
    assert_eq!(
        test.error("getrawtransaction", &format!("[{}]", block["tx"][0])).await,
        (
            -5,
            "No such mempool transaction. Blockchain transactions are still in the process of being indexed. Use \
             gettransaction for wallet transactions."
                .to_owned()
        )
    );
    let told = test.get("getindexinfo", "[]").await;
    assert_eq!(told, json!({ "txindex": { "synced": false, "best_block_height": 0 } }));
}
