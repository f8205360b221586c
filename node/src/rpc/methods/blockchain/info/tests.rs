use cairn_chain::params::ChainParams;
use serde_json::json;

use crate::rpc::testing::RpcTest;

const GENESIS: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
const TARGET: &str = "7fffff0000000000000000000000000000000000000000000000000000000000";

/// Bitcoin Core's answer for a chain of nothing but regtest's genesis, to the byte, but for sizes and for what asks the clock; and
/// for `initialblockdownload`: a test network of one's own is never loading.
#[tokio::test(flavor = "multi_thread")]
async fn genesis_as_core_tells_it() {
    let test = RpcTest::start(0).await;
    let told = test.call("getblockchaininfo", "[]").await.unwrap();
    let (before, after) = told.get().split_once("\"verificationprogress\":").unwrap();
    let head = format!(
        "{{\"chain\":\"regtest\",\"blocks\":0,\"headers\":0,\"bestblockhash\":\"{GENESIS}\",\"bits\":\"207fffff\",\
         \"target\":\"{TARGET}\",\"difficulty\":4.656542373906925e-10,\"time\":1296688602,\"mediantime\":1296688602,"
    );
    assert_eq!(before, head);
    let (_, after) = after.split_once(",\"initialblockdownload\":").unwrap();
    let (start, end) = after.split_once("\"size_on_disk\":").unwrap();
    let work = format!("{}2", "0".repeat(63));
    assert_eq!(start, format!("false,\"chainwork\":\"{work}\","));
    assert!(end.ends_with(",\"pruned\":false,\"warnings\":[]}"), "{end}");

    assert_eq!(test.call("getdifficulty", "[]").await.unwrap().get(), "4.656542373906925e-10");
    let states = test.get("getchainstates", "[]").await;
    assert_eq!(states["headers"], 0);
    assert_eq!(states["chainstates"].as_array().unwrap().len(), 1);
    let state = &states["chainstates"][0];
    assert_eq!((&state["bestblockhash"], &state["validated"]), (&json!(GENESIS), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_and_the_headers_beyond_it() {
    let test = RpcTest::start(3).await;
    let address = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85";
    let made = test.get("generateblock", &json!([address, [], false]).to_string()).await;
    let header = made["hex"].as_str().unwrap()[..160].to_owned();
    test.get("submitheader", &json!([header]).to_string()).await;
    let told = test.get("getblockchaininfo", "[]").await;
    assert_eq!((&told["blocks"], &told["headers"]), (&json!(3), &json!(4)));
    assert_eq!(told["bestblockhash"], test.context.chain.tip().hash.to_string());
    assert_eq!(told["chainwork"], format!("{}8", "0".repeat(63)));
    assert!(told["size_on_disk"].as_u64().unwrap() > 0);
}

/// Tools know the name of each network, and signet's rule.
#[tokio::test(flavor = "multi_thread")]
async fn networks_have_names_that_tools_know() {
    for (params, name, is_loading) in [
        (ChainParams::main(), "main", true),
        (ChainParams::testnet4(), "testnet4", true),
        (ChainParams::cairn(), "regtest", true),
    ] {
        let told = RpcTest::start_on(params).await.get("getblockchaininfo", "[]").await;
        assert_eq!((&told["chain"], &told["initialblockdownload"]), (&json!(name), &json!(is_loading)), "{told}");
        assert!(told.get("signet_challenge").is_none());
    }
}
