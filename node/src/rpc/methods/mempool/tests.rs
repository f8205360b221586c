use bitcoin::Sequence;
use cairn_chain::params::ChainParams;
use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;
use crate::rpc::testing::coins::{Coin, Miner, hex, output, pay, pay_fee};

async fn send(test: &RpcTest, transaction: &bitcoin::Transaction) -> String {
    test.get("sendrawtransaction", &format!("[{},0]", hex(transaction))).await.as_str().unwrap().to_owned()
}

fn param(txid: &str) -> String {
    format!("[\"{txid}\"]")
}

/// A parent that pays little, and a child that pays for both.
async fn parent_and_child(test: &RpcTest, coin: Coin) -> [String; 2] {
    let parent = pay(&[coin], &[coin.1 / 2, coin.1 / 2 - 200]);
    let child = pay_fee(output(&parent, 1), 5000);
    [send(test, &parent).await, send(test, &child).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_has_cores_fields() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let coin = miner.take();
    let parent = pay(&[coin], &[coin.1 / 2, coin.1 / 2 - 200]);
    let child = pay_fee(output(&parent, 1), 5000);
    let [parent_id, child_id] = [send(&test, &parent).await, send(&test, &child).await];
    let (time, height) = (miner.tip.time, miner.height);
    let entry = test.call("getmempoolentry", &param(&parent_id)).await.unwrap();
    assert_eq!(
        entry.get(),
        format!(
            "{{\"vsize\":139,\"weight\":553,\"time\":{time},\"height\":{height},\"descendantcount\":2,\
             \"descendantsize\":235,\"ancestorcount\":1,\"ancestorsize\":139,\"chunkweight\":934,\"wtxid\":\"{}\",\
             \"fees\":{{\"base\":0.00000200,\"modified\":0.00000200,\"ancestor\":0.00000200,\"descendant\":0.00005200,\
             \"chunk\":0.00005200}},\"depends\":[],\"spentby\":[\"{child_id}\"],\"unbroadcast\":true,\
             \"bip125-replaceable\":true}}",
            parent.compute_wtxid()
        )
    );
    let entry = test.get("getmempoolentry", &param(&child_id)).await;
    assert_eq!((&entry["depends"], &entry["spentby"]), (&json!([parent_id]), &json!([])));
    assert_eq!(
        (&entry["ancestorcount"], &entry["ancestorsize"], &entry["descendantcount"]),
        (&2.into(), &235.into(), &1.into())
    );
    assert_eq!(entry["fees"]["ancestor"].to_string(), "0.000052");

    assert_eq!(test.get("getmempoolancestors", &param(&child_id)).await, json!([parent_id]));
    assert_eq!(test.get("getmempoolancestors", &param(&parent_id)).await, json!([]));
    assert_eq!(test.get("getmempooldescendants", &param(&parent_id)).await, json!([child_id]));
    let verbose = test.get("getmempooldescendants", &format!("[\"{parent_id}\",true]")).await;
    assert_eq!(verbose, json!({ child_id.clone(): entry }));
    let verbose = test.get("getmempoolancestors", &format!("[\"{child_id}\",true]")).await;
    assert_eq!(verbose[&parent_id]["spentby"], json!([child_id]));

    let cluster = test.call("getmempoolcluster", &param(&child_id)).await.unwrap();
    assert_eq!(
        cluster.get(),
        format!(
            "{{\"clusterweight\":934,\"txcount\":2,\"chunks\":[{{\"chunkfee\":0.00005200,\"chunkweight\":934,\"txs\":\
             [\"{parent_id}\",\"{child_id}\"]}}]}}"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn replaceability_is_inherited() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let mut parent = pay_fee(miner.take(), 1000);
    parent.input[0].sequence = Sequence::MAX;
    let parent_id = send(&test, &parent).await;
    let mut child = pay_fee(output(&parent, 0), 1000);
    child.input[0].sequence = Sequence::ENABLE_LOCKTIME_NO_RBF;
    let child_id = send(&test, &child).await;
    let mut grandchild = pay_fee(output(&child, 0), 1000);
    grandchild.input[0].sequence = Sequence::ENABLE_RBF_NO_LOCKTIME;
    let grandchild_id = send(&test, &grandchild).await;
    let mut last = pay_fee(output(&grandchild, 0), 1000);
    last.input[0].sequence = Sequence::MAX;
    let last_id = send(&test, &last).await;
    for (txid, expected) in [(parent_id, false), (child_id, false), (grandchild_id, true), (last_id, true)] {
        assert_eq!(test.get("getmempoolentry", &param(&txid)).await["bip125-replaceable"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_alike() {
    let test = RpcTest::start(0).await;
    let absent = param(&"00".repeat(32));
    let missing = (-5, "Transaction not in mempool".to_owned());
    for method in ["getmempoolentry", "getmempoolancestors", "getmempooldescendants", "getmempoolcluster"] {
        assert_eq!(test.error(method, &absent).await, missing, "{method}");
        assert_eq!(
            test.error(method, "[\"00\"]").await,
            (-8, "txid must be of length 64 (not 2, for '00')".to_owned()),
            "{method}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_transactions_in_mining_order() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 3).await;
    assert_eq!(test.get("getrawmempool", "[]").await, json!([]));
    assert_eq!(test.get("getmempoolfeeratediagram", "[]").await, json!([{"weight": 0, "fee": 0.0}]));
    let low = send(&test, &pay_fee(miner.take(), 100)).await;
    let high = send(&test, &pay_fee(miner.take(), 100_000)).await;
    let [parent, child] = parent_and_child(&test, miner.take()).await;
    assert_eq!(test.get("getrawmempool", "[]").await, json!([high, parent, child, low]));
    assert_eq!(test.get("getrawmempool", "[false]").await, json!([high, parent, child, low]));
    assert_eq!(
        test.get("getrawmempool", "[false,true]").await,
        json!({"txids": [high, parent, child, low], "mempool_sequence": 5})
    );
    let verbose = test.get("getrawmempool", "[true]").await;
    assert_eq!(verbose.as_object().unwrap().len(), 4);
    assert_eq!(verbose[&low], test.get("getmempoolentry", &param(&low)).await);
    assert_eq!(
        test.error("getrawmempool", "[true,true]").await,
        (-8, "Verbose results cannot contain mempool sequence values.".to_owned())
    );
    let diagram = test.call("getmempoolfeeratediagram", "[]").await.unwrap();
    assert_eq!(
        diagram.get(),
        "[{\"weight\":0,\"fee\":0.00000000},{\"weight\":381,\"fee\":0.00100000},{\"weight\":1315,\"fee\":0.00105200},\
         {\"weight\":1696,\"fee\":0.00105300}]"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_as_a_whole() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let empty = test.call("getmempoolinfo", "[]").await.unwrap();
    let usage =
        |info: &str| info.split("\"usage\":").nth(1).unwrap().split(',').next().unwrap().parse::<usize>().unwrap();
    let text = |size: u32, bytes: u32, usage: usize, fee: &str, unbroadcast: u32| {
        format!(
            "{{\"loaded\":true,\"size\":{size},\"bytes\":{bytes},\"usage\":{usage},\"total_fee\":{fee},\
             \"maxmempool\":300000000,\"mempoolminfee\":0.00000100,\"minrelaytxfee\":0.00000100,\
             \"incrementalrelayfee\":0.00000100,\"unbroadcastcount\":{unbroadcast},\"permitbaremultisig\":true,\
             \"maxdatacarriersize\":100000,\"limitclustercount\":64,\"limitclustersize\":101000,\"optimal\":true,\
             \"fullrbf\":true}}"
        )
    };
    assert_eq!(empty.get(), text(0, 0, usage(empty.get()), "0.00000000", 0));
    send(&test, &pay_fee(miner.take(), 1234)).await;
    let one = test.call("getmempoolinfo", "[]").await.unwrap();
    assert_eq!(one.get(), text(1, 96, usage(one.get()), "0.00001234", 1));
    assert!(usage(one.get()) > usage(empty.get()) + 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn spenders_of_outputs() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let (coin, other) = (miner.take(), miner.take());
    let transaction = pay_fee(coin, 1000);
    let spender = send(&test, &transaction).await;
    let object = |coin: &Coin| format!("{{\"txid\":\"{}\",\"vout\":{}}}", coin.0.txid, coin.0.vout);
    let outputs = format!("[{},{}]", object(&coin), object(&other));
    let found = test.get("gettxspendingprevout", &format!("[{outputs}]")).await;
    assert_eq!(
        found,
        json!([
            {"txid": coin.0.txid.to_string(), "vout": 0, "spendingtxid": spender},
            {"txid": other.0.txid.to_string(), "vout": 0}
        ])
    );
    let found = test.get("gettxspendingprevout", &format!("[{outputs},{{\"return_spending_tx\":true}}]")).await;
    assert_eq!(format!("{}", found[0]["spendingtx"]), hex(&transaction));
    let named = format!("{{\"outputs\":[{}],\"mempool_only\":false}}", object(&coin));
    assert_eq!(test.get("gettxspendingprevout", &named).await[0]["spendingtxid"], spender);

    let error = |params: String| {
        let test = &test;
        async move { test.error("gettxspendingprevout", &params).await }
    };
    let unavailable = "Mempool lacks a relevant spend, and txospenderindex is unavailable.".to_owned();
    assert_eq!(error(format!("[{outputs},{{\"mempool_only\":false}}]")).await, (-1, unavailable));
    assert_eq!(error("[[]]".to_owned()).await, (-8, "Invalid parameter, outputs are missing".to_owned()));
    let negative = object(&coin).replace("\"vout\":0", "\"vout\":-1");
    assert_eq!(error(format!("[[{negative}]]")).await, (-8, "Invalid parameter, vout cannot be negative".to_owned()));
    let strange = object(&coin).replace("}", ",\"unknown\":1}");
    assert_eq!(error(format!("[[{strange}]]")).await, (-3, "Unexpected key unknown".to_owned()));
    assert_eq!(error("[[{\"vout\":1}]]".to_owned()).await, (-3, "Missing txid".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn priorities_change_the_order() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let low = send(&test, &pay_fee(miner.take(), 1000)).await;
    let high = send(&test, &pay_fee(miner.take(), 2000)).await;
    assert_eq!(test.get("getrawmempool", "[]").await, json!([high, low]));
    assert_eq!(test.get("prioritisetransaction", &format!("[\"{low}\",0.0,5000]")).await, true);
    assert_eq!(test.get("prioritisetransaction", &format!("{{\"txid\":\"{low}\",\"fee_delta\":-1}}")).await, true);
    assert_eq!(test.get("getrawmempool", "[]").await, json!([low, high]));
    let absent = "11".repeat(32);
    assert_eq!(test.get("prioritisetransaction", &format!("[\"{absent}\",null,-7]")).await, true);
    assert_eq!(
        test.get("getprioritisedtransactions", "[]").await,
        json!({
            low.clone(): {"fee_delta": 4999, "in_mempool": true, "modified_fee": 5999},
            absent: {"fee_delta": -7, "in_mempool": false}
        })
    );
    let entry = test.call("getmempoolentry", &param(&low)).await.unwrap();
    assert!(entry.get().contains("\"base\":0.00001000,\"modified\":0.00005999,"), "{}", entry.get());
    assert_eq!(
        test.error("prioritisetransaction", &format!("[\"{low}\",1,5000]")).await,
        (-8, "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.".to_owned())
    );
    assert_eq!(test.error("prioritisetransaction", &format!("[\"{low}\",0,0.5]")).await.0, -1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dust_gets_no_priority() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let coin = miner.take();
    let mut parent = pay(&[coin], &[coin.1, 0]);
    parent.output[1].script_pubkey = bitcoin::ScriptBuf::from_bytes(vec![0x51, 2, 0x4e, 0x73]);
    let mut child = pay(&[output(&parent, 0), output(&parent, 1)], &[coin.1 - 5000]);
    child.input[1].witness.clear();
    let package = test.get("submitpackage", &format!("[[{},{}]]", hex(&parent), hex(&child))).await;
    assert_eq!(package["package_msg"], "success", "{package}");
    assert_eq!(
        test.error("prioritisetransaction", &format!("[\"{}\",0,1]", parent.compute_txid())).await,
        (-8, "Priority is not supported for transactions with dust outputs.".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_is_saved_and_read_again() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let one = send(&test, &pay_fee(miner.take(), 1000)).await;
    let two = send(&test, &pay_fee(miner.take(), 2000)).await;
    test.get("prioritisetransaction", &format!("[\"{one}\",0,5000]")).await;
    let time = miner.tip.time;
    let file = test.directory.path().join("regtest").join("mempool.dat");
    assert_eq!(test.get("savemempool", "[]").await, json!({"filename": file.to_str().unwrap()}));

    // Another node with the same chain.
    let other = RpcTest::start(0).await;
    let mut copy = Miner::start(&other, 2).await;
    assert_eq!(copy.tip, miner.tip);
    copy.mine(&[]).await;
    let import = |options: &str| format!("[\"{}\",{options}]", file.display());
    assert_eq!(other.get("importmempool", &import("{}")).await, json!({}));
    assert_eq!(other.get("getrawmempool", "[]").await, json!([two, one]));
    let entry = other.get("getmempoolentry", &param(&one)).await;
    assert_eq!((&entry["time"], &entry["unbroadcast"]), (&copy.tip.time.into(), &false.into()));
    let all = "{\"use_current_time\":false,\"apply_fee_delta_priority\":true,\"apply_unbroadcast_set\":true}";
    assert_eq!(other.get("importmempool", &import(all)).await, json!({}));
    let entry = other.get("getmempoolentry", &param(&one)).await;
    assert_eq!(entry["unbroadcast"], true);
    assert_eq!(other.get("getrawmempool", "[]").await, json!([one, two]));

    let third = RpcTest::start(0).await;
    Miner::start(&third, 2).await;
    assert_eq!(third.get("importmempool", &import(all)).await, json!({}));
    assert_eq!(third.get("getmempoolentry", &param(&one)).await["time"], time);

    let failed = (-1, "Unable to import mempool file, see debug log for details.".to_owned());
    assert_eq!(third.error("importmempool", "[\"/nowhere/mempool.dat\"]").await, failed);
    std::fs::write(&file, b"garbage").unwrap();
    assert_eq!(third.error("importmempool", &import("{}")).await, failed);
    assert_eq!(third.error("importmempool", &import("{\"use_current_time\":1}")).await.0, -3);

    let syncing = RpcTest::start_on(ChainParams::main()).await;
    assert_eq!(
        syncing.error("importmempool", &import("{}")).await,
        (-10, "Can only import the mempool after the block download and sync is done.".to_owned())
    );
    syncing.context.mempool_loaded.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(syncing.error("savemempool", "[]").await, (-1, "The mempool was not loaded yet".to_owned()));
    let info: Value = syncing.get("getmempoolinfo", "[]").await;
    assert_eq!(info["loaded"], false);
}
