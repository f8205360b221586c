#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers"
)]

use bitcoin::consensus::deserialize;
use bitcoin::hex::DisplayHex;
use serde_json::{Value, json};

use crate::rpc::methods::blockchain::testing::{call, empty_blocks, spending_node, submit};
use crate::rpc::testing::RpcTest;

const GENESIS: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
const GENESIS_TX: &str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
const GENESIS_SCRIPT_SIG: &str = "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66\
    207365636f6e64206261696c6f757420666f722062616e6b73";
const GENESIS_KEY: &str = "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112d\
    e5c384df7ba0b8d578a4c702b6bf11d5f";

/// Bitcoin Core's answers for regtest's genesis on a chain of nothing else, to the byte.
#[tokio::test(flavor = "multi_thread")]
async fn genesis_as_core_tells_it() {
    let test = RpcTest::start(0).await;
    let head = format!(
        "{{\"hash\":\"{GENESIS}\",\"confirmations\":1,\"height\":0,\"version\":1,\"versionHex\":\"00000001\",\
         \"merkleroot\":\"{GENESIS_TX}\",\"time\":1296688602,\"mediantime\":1296688602,\"nonce\":2,\"bits\":\"207fffff\",\
         \"target\":\"7fffff0000000000000000000000000000000000000000000000000000000000\",\
         \"difficulty\":4.656542373906925e-10,\
         \"chainwork\":\"0000000000000000000000000000000000000000000000000000000000000002\",\"nTx\":1,\
         \"strippedsize\":285,\"size\":285,\"weight\":1140,\
         \"coinbase_tx\":{{\"version\":1,\"locktime\":0,\"sequence\":4294967295,\"coinbase\":\"{GENESIS_SCRIPT_SIG}\"}},\"tx\":["
    );
    let txids = test.call("getblock", &format!("[\"{GENESIS}\"]")).await.unwrap();
    assert_eq!(txids.get(), format!("{head}\"{GENESIS_TX}\"]}}"));
    let named = test.call("getblock", &format!("{{\"blockhash\":\"{GENESIS}\",\"verbose\":true}}")).await.unwrap();
    assert_eq!(named.get(), txids.get());

    let raw = test.call("getblock", &format!("[\"{GENESIS}\",0]")).await.unwrap();
    let bytes = test.context.params.genesis.block.to_lower_hex_string();
    assert_eq!(raw.get(), format!("\"{bytes}\""));
    let also_raw = test.call("getblock", &format!("[\"{GENESIS}\",false]")).await.unwrap();
    assert_eq!(also_raw.get(), raw.get());

    let transaction = format!(
        "{{\"txid\":\"{GENESIS_TX}\",\"hash\":\"{GENESIS_TX}\",\"version\":1,\"size\":204,\"vsize\":204,\"weight\":816,\
         \"locktime\":0,\"vin\":[{{\"coinbase\":\"{GENESIS_SCRIPT_SIG}\",\"sequence\":4294967295}}],\
         \"vout\":[{{\"value\":50.00000000,\"n\":0,\"scriptPubKey\":{{\"asm\":\"{GENESIS_KEY} OP_CHECKSIG\",\
         \"desc\":\"pk({GENESIS_KEY})#vlz6ztea\",\"hex\":\"41{GENESIS_KEY}ac\",\"type\":\"pubkey\"}}}}],\
         \"hex\":\"{}\"}}",
        &bytes[162..]
    );
    for verbosity in [2, 3] {
        let whole = test.call("getblock", &format!("[\"{GENESIS}\",{verbosity}]")).await.unwrap();
        assert_eq!(whole.get(), format!("{head}{transaction}]}}"));
    }
}

/// What is told of a block with spends is what rust-bitcoin reads in its bytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_with_spends_at_every_verbosity() {
    let (test, blocks) = spending_node().await;
    let last = blocks.last().unwrap();
    let at = |verbosity: u8| format!("[\"{}\",{verbosity}]", last.hash());
    let raw = call(&test, "getblock", &at(0)).await;
    assert_eq!(raw, last.bytes().to_lower_hex_string());
    let block: bitcoin::Block = deserialize(last.bytes()).unwrap();
    assert!(block.txdata.len() > 5, "{}", block.txdata.len());

    let txids: Vec<Value> = block.txdata.iter().map(|tx| tx.compute_txid().to_string().into()).collect();
    let one = call(&test, "getblock", &at(1)).await;
    assert_eq!(one["tx"], Value::from(txids));
    assert_eq!((&one["nTx"], &one["size"]), (&block.txdata.len().into(), &last.total_size().into()));
    assert_eq!((&one["weight"], &one["strippedsize"]), (&last.weight().into(), &last.stripped_size().into()));
    let witness = &block.txdata[0].input[0].witness[0];
    assert_eq!(one["coinbase_tx"]["witness"], witness.to_lower_hex_string());

    let (two, three) = (call(&test, "getblock", &at(2)).await, call(&test, "getblock", &at(3)).await);
    let mut spent_by_all = 0;
    for (index, tx) in block.txdata.iter().enumerate() {
        let (detail, with_prevouts) = (&two["tx"][index], &three["tx"][index]);
        assert_eq!(detail["hex"], bitcoin::consensus::encode::serialize_hex(tx));
        assert_eq!(detail["vsize"], tx.vsize());
        assert_eq!(detail["hash"], tx.compute_wtxid().to_string());
        let prevouts: Vec<&Value> = (0..tx.input.len()).map(|input| &with_prevouts["vin"][input]["prevout"]).collect();
        if index == 0 {
            assert!(detail.get("fee").is_none() && prevouts[0].is_null());
            continue;
        }
        let satoshis = |value: &Value| (value.as_f64().unwrap() * 1e8).round() as i64;
        let spent: i64 = prevouts.iter().map(|prevout| satoshis(&prevout["value"])).sum();
        let created: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        assert_eq!(satoshis(&detail["fee"]), spent - i64::try_from(created).unwrap());
        assert_eq!(detail["fee"], with_prevouts["fee"]);
        for prevout in prevouts {
            assert!(prevout["height"].as_u64().unwrap() < 106);
            assert!(prevout["scriptPubKey"]["hex"].is_string());
        }
        assert!(detail["vin"][0].get("prevout").is_none());
        spent_by_all += tx.input.len();
    }
    assert!(spent_by_all > 5);
    assert_eq!(call(&test, "getblock", &at(9)).await, three);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_beside_the_chain_shows_no_fees() {
    let test = RpcTest::start(2).await;
    let beside = &empty_blocks(1, 9)[0];
    submit(&test, beside).await;
    let block = call(&test, "getblock", &format!("[\"{}\",3]", beside.hash())).await;
    assert_eq!((&block["confirmations"], &block["tx"][0].get("fee")), (&json!(-1), &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_are_not_there() {
    let test = RpcTest::start(2).await;
    let error = |params: String| {
        let test = &test;
        async move { test.call("getblock", &params).await.unwrap_err() }
    };
    let unknown = "00".repeat(32);
    assert_eq!(error(format!("[\"{unknown}\"]")).await, (-5, "Block not found".to_owned()));
    assert_eq!(error("[\"ff\"]".to_owned()).await, (-8, "blockhash must be of length 64 (not 2, for 'ff')".to_owned()));
    assert_eq!(
        error(format!("[\"{GENESIS}\",\"2\"]")).await,
        (-3, "JSON value of type string is not of expected type number".to_owned())
    );
    let header = *empty_blocks(1, 8)[0].header();
    let accepted = test.context.chain.call(move |chain| chain.chainstate.accept_headers(&[header], true)).await;
    accepted.unwrap().unwrap().unwrap();
    for verbosity in [0, 1] {
        let params = format!("[\"{}\",{verbosity}]", header.block_hash());
        assert_eq!(error(params).await, (-1, "Block not available (not fully downloaded)".to_owned()));
    }
}
