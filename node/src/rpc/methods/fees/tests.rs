use serde_json::json;

use crate::rpc::testing::RpcTest;
use crate::rpc::testing::coins::{Miner, hex, pay_fee};

#[tokio::test(flavor = "multi_thread")]
async fn there_is_always_an_estimate_where_there_is_nothing_to_learn() {
    let test = RpcTest::start(0).await;
    for (params, blocks) in [("[6]", 6), ("[1]", 1), ("[1008,\"CONSERVATIVE\"]", 1008), ("[2,\"unset\"]", 2)] {
        let fee = test.call("estimatesmartfee", params).await.unwrap();
        assert_eq!(fee.get(), format!("{{\"feerate\":0.00000100,\"blocks\":{blocks}}}"));
    }
    let target = (-8, "Invalid conf_target, must be between 1 and 1008".to_owned());
    for wrong in ["[0]", "[-1]", "[1009]"] {
        assert_eq!(test.error("estimatesmartfee", wrong).await, target);
        assert_eq!(test.error("estimaterawfee", wrong).await, target);
    }
    assert_eq!(
        test.error("estimatesmartfee", "[6,\"cheap\"]").await,
        (-8, "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"".to_owned())
    );
    assert_eq!(test.error("estimatesmartfee", "[6,7]").await.0, -3);
    assert_eq!(test.error("estimatesmartfee", "[1.5]").await, (-1, "JSON integer out of range".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_estimates_without_data() {
    let test = RpcTest::start(0).await;
    let fees = test.call("estimaterawfee", "[13]").await.unwrap();
    let horizon = |decay: &str, scale: u32| {
        format!(
            "{{\"decay\":{decay},\"scale\":{scale},\"fail\":{{\"startrange\":0,\"endrange\":1e+99,\"withintarget\":0,\
             \"totalconfirmed\":0,\"inmempool\":0,\"leftmempool\":0}},\"errors\":[\"Insufficient data or no feerate found \
             which meets threshold\"]}}"
        )
    };
    assert_eq!(fees.get(), format!("{{\"medium\":{},\"long\":{}}}", horizon("0.9952", 2), horizon("0.99931", 24)));
    assert_eq!(test.get("estimaterawfee", "[49,0.5]").await.as_object().unwrap().len(), 1);
    for threshold in ["-0.1", "1.1"] {
        let error = test.error("estimaterawfee", &format!("[6,{threshold}]")).await;
        assert_eq!(error, (-8, "Invalid threshold".to_owned()));
    }
}

/// Blocks that take what pays enough teach what is enough.
#[tokio::test(flavor = "multi_thread")]
async fn estimates_are_learned() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 40).await;
    for _ in 0..30 {
        let transaction = pay_fee(miner.take(), 9600);
        test.get("sendrawtransaction", &format!("[{}]", hex(&transaction))).await;
        miner.mine(&[transaction]).await;
    }
    let fees = test.get("estimaterawfee", "[2,0.5]").await;
    let short = &fees["short"];
    let feerate = short["feerate"].as_f64().unwrap();
    assert!((0.000_95..0.001_05).contains(&feerate), "100 satoshis a byte: {fees}");
    assert_eq!(short["scale"], 1);
    assert!(short["pass"]["withintarget"].as_f64().unwrap() > 10.0, "{fees}");
    assert!(short["fail"]["endrange"].as_f64() == short["pass"]["startrange"].as_f64(), "{fees}");
    assert!(short.get("errors").is_none(), "{fees}");
    let smart = test.get("estimatesmartfee", "[2]").await;
    assert!((0.000_95..0.001_05).contains(&smart["feerate"].as_f64().unwrap()), "{smart}");
    assert_ne!(smart["blocks"], json!(null));
}
