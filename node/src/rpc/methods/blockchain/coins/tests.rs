use cairn_chain::coins::CoinsHashType;
use serde_json::{Value, json};
use std::ops::ControlFlow;

use crate::rpc::methods::blockchain::testing::spending_node;
use crate::rpc::testing::RpcTest;
use crate::rpc::testing::coins::{Miner, output, pay_fee};

async fn coin(test: &RpcTest, (outpoint, _): (bitcoin::OutPoint, u64), with_mempool: bool) -> Value {
    test.get("gettxout", &json!([outpoint.txid.to_string(), outpoint.vout, with_mempool]).to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coin_until_it_is_spent() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let coinbase = miner.take();
    let text = test.call("gettxout", &json!([coinbase.0.txid.to_string(), 0]).to_string()).await.unwrap();
    let hash = test.context.chain.tip().hash;
    let known = coin(&test, coinbase, true).await;
    let confirmations = known["confirmations"].as_u64().unwrap();
    assert!(confirmations >= 100, "{known}");
    let address = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85";
    let script = "00204ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260";
    let expected = format!(
        "{{\"bestblock\":\"{hash}\",\"confirmations\":{confirmations},\"value\":50.00000000,\"scriptPubKey\":{{\
         \"asm\":\"0 {}\",\"desc\":\"addr({address})#vch92e55\",\"hex\":\"{script}\",\"address\":\"{address}\",\
         \"type\":\"witness_v0_scripthash\"}},\"coinbase\":true}}",
        &script[4..]
    );
    assert_eq!(text.get(), expected);

    // Spent by the pool, and not yet by a block.
    let spend = pay_fee(coinbase, 1000);
    let made = output(&spend, 0);
    test.get("sendrawtransaction", &json!([bitcoin::consensus::encode::serialize_hex(&spend)]).to_string()).await;
    assert_eq!(coin(&test, coinbase, true).await, Value::Null);
    assert_eq!(coin(&test, coinbase, false).await, known);
    let pooled = coin(&test, made, true).await;
    assert_eq!((&pooled["confirmations"], &pooled["coinbase"]), (&json!(0), &json!(false)));
    assert_eq!(pooled["bestblock"], hash.to_string());
    assert_eq!(coin(&test, made, false).await, Value::Null);

    miner.mine(&[spend]).await;
    assert_eq!(coin(&test, coinbase, false).await, Value::Null);
    assert_eq!(coin(&test, made, false).await["confirmations"], 1);
    assert_eq!(coin(&test, (bitcoin::OutPoint::new(made.0.txid, 1), 0), true).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_coins() {
    let (test, _) = spending_node().await;
    let expected = test.context.chain.call(|chain| {
        let mut on = |_| ControlFlow::Continue(());
        let mut compute = |kind| chain.chainstate.coins_statistics(kind, 1 << 20, &mut on).unwrap();
        (compute(CoinsHashType::HashSerialized3), compute(CoinsHashType::MuHash))
    });
    let (serialized, muhash) = expected.await.unwrap();
    let hex = |hash: Option<[u8; 32]>| {
        let reversed: Vec<u8> = hash.unwrap().into_iter().rev().collect();
        json!(bitcoin::hex::DisplayHex::to_lower_hex_string(&reversed[..]))
    };
    let told = test.get("gettxoutsetinfo", "[]").await;
    let tip = test.context.chain.tip();
    assert_eq!((&told["height"], &told["bestblock"]), (&json!(tip.height), &json!(tip.hash.to_string())));
    assert_eq!(told["hash_serialized_3"], hex(serialized.hash));
    assert!(told.get("muhash").is_none());
    assert_eq!(told["txouts"], serialized.transaction_outputs);
    assert_eq!(told["transactions"], serialized.transactions);
    assert_eq!(told["bogosize"], serialized.bogo_size);
    let subsidies = f64::from(tip.height) * 50.0;
    let total = told["total_amount"].as_f64().unwrap();
    // Fees went to nobody.
    assert!(total <= subsidies && total > subsidies - 0.01, "{told}");

    assert_eq!(test.get("gettxoutsetinfo", "[\"muhash\"]").await["muhash"], hex(muhash.hash));
    let none = test.get("gettxoutsetinfo", "[\"none\"]").await;
    assert!(none.get("muhash").is_none() && none.get("hash_serialized_3").is_none());
    let wrong = (-8, "'foo' is not a valid hash_type".to_owned());
    assert_eq!(test.error("gettxoutsetinfo", "[\"foo\"]").await, wrong);
    let no_index = (-8, "Querying specific block heights requires coinstatsindex".to_owned());
    assert_eq!(test.error("gettxoutsetinfo", "[\"none\", 1]").await, no_index);
}
