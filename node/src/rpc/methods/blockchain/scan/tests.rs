use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;

const XPUB: &str =
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B";

async fn with_checksum(test: &RpcTest, descriptor: &str) -> String {
    let info = test.get("getdescriptorinfo", &json!([descriptor]).to_string()).await;
    info["descriptor"].as_str().unwrap().to_owned()
}

async fn start(test: &RpcTest, objects: Value) -> Value {
    test.get("scantxoutset", &json!(["start", objects]).to_string()).await
}

/// Mines a block for the script of a descriptor; its address and the hash of the block.
async fn mine(test: &RpcTest, descriptor: &str, index: u32) -> (String, Value) {
    let descriptor = with_checksum(test, descriptor).await;
    let range = if descriptor.contains('*') { json!([descriptor, [index, index]]) } else { json!([descriptor]) };
    let address = test.get("deriveaddresses", &range.to_string()).await[0].as_str().unwrap().to_owned();
    let hashes = test.get("generatetoaddress", &json!([1, address]).to_string()).await;
    (address, hashes[0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn coins_of_a_wallet_are_found() {
    let test = RpcTest::start(0).await;
    let ranged = format!("wpkh({XPUB}/1/1/*)");
    let (_, first) = mine(&test, &ranged, 0).await;
    let (address, second) = mine(&test, &ranged, 7).await;
    let (_, _) = mine(&test, &format!("tr({XPUB}/2/*)"), 1).await;
    let (_, _) = mine(&test, &format!("sh(sortedmulti(1,{XPUB}/3/0,{XPUB}/3/1))"), 0).await;

    let found = start(&test, json!([{"desc": ranged, "range": 6}, {"desc": ranged, "range": [7, 7]}])).await;
    let tip = test.get("getbestblockhash", "[]").await;
    assert_eq!((&found["success"], &found["txouts"]), (&json!(true), &json!(4)));
    assert_eq!((&found["height"], &found["bestblock"]), (&json!(4), &tip));
    assert_eq!(found["total_amount"], 100.0);
    let mut unspents = found["unspents"].as_array().unwrap().clone();
    assert_eq!(unspents.len(), 2);
    unspents.sort_by_key(|unspent| unspent["height"].as_u64());
    for (unspent, block, height) in [(&unspents[0], &first, 1), (&unspents[1], &second, 2)] {
        assert_eq!((&unspent["blockhash"], &unspent["height"]), (block, &json!(height)));
        assert_eq!(unspent["confirmations"], 5 - height);
        assert_eq!((&unspent["coinbase"], &unspent["vout"]), (&json!(true), &json!(0)));
        assert_eq!(unspent["amount"], 50.0);
        let told = test.get("gettxout", &json!([unspent["txid"], 0]).to_string()).await;
        assert_eq!(told["scriptPubKey"]["hex"], unspent["scriptPubKey"]);
    }
    // The key in it, where that comes from, and nothing of the others.
    let desc = unspents[1]["desc"].as_str().unwrap();
    assert!(desc.starts_with("wpkh([0c5f9a1e/1/1/7]0"), "{desc}");
    let same = test.get("deriveaddresses", &json!([desc]).to_string()).await;
    assert_eq!(same, json!([address]));

    // A range that is not given has a thousand and one scripts.
    assert_eq!(start(&test, json!([ranged])).await["unspents"].as_array().unwrap().len(), 2);
    assert_eq!(start(&test, json!([])).await["unspents"], json!([]));

    // The order of the keys of a script is all it says of how they were ordered.
    let multi = start(&test, json!([format!("sh(sortedmulti(1,{XPUB}/3/0,{XPUB}/3/1))")])).await;
    let desc = multi["unspents"][0]["desc"].as_str().unwrap();
    assert!(desc.starts_with("sh(multi(1,[0c5f9a1e/3/"), "{desc}");
    let tr = start(&test, json!([format!("tr({XPUB}/2/*)")])).await;
    assert!(tr["unspents"][0]["desc"].as_str().unwrap().starts_with("tr([0c5f9a1e/2/1]"), "{tr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_keys_is_described_by_itself() {
    let test = RpcTest::start(0).await;
    let (address, _) = mine(&test, &format!("pkh({XPUB}/0)"), 0).await;
    let known = with_checksum(&test, &format!("addr({address})")).await;
    let script = test.get("validateaddress", &json!([address]).to_string()).await["scriptPubKey"].clone();
    let raw = format!("raw({})", script.as_str().unwrap());
    for object in [json!(known), json!({"desc": raw})] {
        let found = start(&test, json!([object])).await;
        assert_eq!(found["unspents"][0]["desc"], json!(known));
    }
    // Each form of an output for one key.
    let combo = start(&test, json!([format!("combo({XPUB}/0)")])).await;
    assert!(combo["unspents"][0]["desc"].as_str().unwrap().starts_with("pkh([0c5f9a1e/0]"), "{combo}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_runs() {
    let test = RpcTest::start(2).await;
    assert_eq!(test.get("scantxoutset", "[\"status\"]").await, Value::Null);
    assert_eq!(test.get("scantxoutset", "[\"abort\"]").await, json!(false));
    let running = test.context.coin_scans.begin_search().unwrap();
    running.search.set_progress(0.25);
    assert_eq!(test.get("scantxoutset", "[\"status\"]").await, json!({"progress": 25}));
    let busy = (-8, "Scan already in progress, use action \"abort\" or \"status\"".to_owned());
    assert_eq!(test.error("scantxoutset", "[\"start\",[\"raw(51)\"]]").await, busy);
    assert!(!running.search.is_aborted());
    assert_eq!(test.get("scantxoutset", "[\"abort\"]").await, json!(true));
    assert!(running.search.is_aborted());
    drop(running);
    assert_eq!(test.get("scantxoutset", "[\"status\"]").await, Value::Null);
    start(&test, json!(["raw(51)"])).await;
    assert!(test.context.coin_scans.begin_search().is_some(), "the last one ended");
}

/// `rpc_scantxoutset.py` of Core.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_searched_for() {
    let test = RpcTest::start(0).await;
    let hardened = format!("wpkh({XPUB}/0h/*)");
    for (params, code, message) in [
        (json!(["invalid_command"]), -8, "Invalid action 'invalid_command'".to_owned()),
        (json!(["start"]), -1, "scanobjects argument is required for the start action".to_owned()),
        (json!(["start", [{}]]), -8, "Descriptor needs to be provided in scan object".to_owned()),
        (json!(["start", [7]]), -8, "Scan object needs to be either a string or an object".to_owned()),
        (json!(["start", ["raw(51)#xxxxxxxx"]]), -5, String::new()),
        (
            json!(["start", [{"desc": hardened, "range": 1}]]),
            -5,
            format!("Cannot derive script without private keys: '{hardened}'"),
        ),
        (json!(["start", [{"desc": "raw(51)", "range": -1}]]), -8, "End of range is too high".to_owned()),
        (
            json!(["start", [{"desc": "raw(51)", "range": [1, 0]}]]),
            -8,
            "Range specified as [begin,end] must not have begin after end".to_owned(),
        ),
    ] {
        let (got, told) = test.error("scantxoutset", &params.to_string()).await;
        assert_eq!(got, code, "{params}: {told}");
        assert!(message.is_empty() || told == message, "{params}: {told}");
    }
    assert!(test.context.coin_scans.begin_search().is_some(), "none of them is still running");
}
