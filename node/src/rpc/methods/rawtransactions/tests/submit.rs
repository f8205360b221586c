use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Builder;
use bitcoin::transaction::Version;
use bitcoin::{ScriptBuf, Witness};
use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;
use crate::rpc::testing::coins::{Miner, hex, output, pay, pay_fee};

async fn send(test: &RpcTest, transaction: &bitcoin::Transaction) -> Result<String, (i32, String)> {
    let result = test.call("sendrawtransaction", &format!("[{}]", hex(transaction))).await?;
    Ok(result.get().to_owned())
}

fn quoted(transaction: &bitcoin::Transaction) -> String {
    format!("\"{}\"", transaction.compute_txid())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_sent_mined_and_known_from_then_on() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let transaction = pay_fee(miner.take(), 1000);
    assert_eq!(send(&test, &transaction).await, Ok(quoted(&transaction)));
    assert_eq!(send(&test, &transaction).await, Ok(quoted(&transaction)), "it may be sent again");
    let entry = test.get("getmempoolentry", &format!("[{}]", quoted(&transaction))).await;
    assert_eq!(entry["unbroadcast"], true);

    miner.mine(std::slice::from_ref(&transaction)).await;
    assert_eq!(test.get("getrawmempool", "[]").await, json!([]));
    let known = (-27, "Transaction outputs already in utxo set".to_owned());
    assert_eq!(send(&test, &transaction).await, Err(known));
    let spender = pay_fee(output(&transaction, 0), 1000);
    miner.mine(&[spender]).await;
    let spent = (-25, "bad-txns-inputs-missingorspent".to_owned());
    assert_eq!(send(&test, &transaction).await, Err(spent));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sent_is_told_in_cores_words() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 6).await;
    let coin = miner.take();

    let decode = (-22, "TX decode failed. Make sure the tx has at least one input.".to_owned());
    for garbage in ["\"\"", "\"00\"", "\"xx\""] {
        assert_eq!(test.error("sendrawtransaction", &format!("[{garbage}]")).await, decode, "{garbage}");
    }
    let (code, _) = test.error("sendrawtransaction", "[1]").await;
    assert_eq!(code, -3);

    let mut no_inputs = pay(&[], &[1000]);
    no_inputs.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51]);
    let digits = "0200000000010100000000000000015100000000";
    assert_eq!(
        test.error("sendrawtransaction", &format!("[\"{digits}\"]")).await,
        (-26, "bad-txns-vin-empty".to_owned())
    );

    let cheap = pay_fee(coin, 9);
    let size = cheap.vsize();
    assert_eq!(send(&test, &cheap).await, Err((-26, format!("min relay fee not met, 9 < {}", size.div_ceil(10)))));

    let mut wrong = pay_fee(coin, 1000);
    wrong.input[0].witness = Witness::from_slice(&[vec![1_u8], vec![0x00]]);
    let (code, message) = send(&test, &wrong).await.unwrap_err();
    assert_eq!(code, -26);
    let txid = wrong.compute_txid();
    assert_eq!(
        message,
        format!(
            "mempool-script-verify-flag-failed (Witness program hash mismatch), input 0 of {txid} (wtxid {}), spending \
             {}:0",
            wrong.compute_wtxid(),
            coin.0.txid
        )
    );

    let missing = pay_fee((bitcoin::OutPoint::new(txid, 7), 5000), 1000);
    assert_eq!(send(&test, &missing).await, Err((-25, "bad-txns-inputs-missingorspent".to_owned())));

    // 0.1 BTC for each 1000 bytes are 10,000 satoshis for each byte.
    let generous = pay_fee(coin, 10_000 * 200);
    let too_much = (-25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)".to_owned());
    assert_eq!(send(&test, &generous).await, Err(too_much.clone()));
    let with_limit = |limit: &str| format!("[{},{limit}]", hex(&generous));
    assert_eq!(test.error("sendrawtransaction", &with_limit("0.00001")).await, too_much);
    assert_eq!(
        test.error("sendrawtransaction", &with_limit("1")).await,
        (-8, "Fee rates larger than or equal to 1BTC/kvB are not accepted".to_owned())
    );
    assert_eq!(test.error("sendrawtransaction", &with_limit("-1")).await, (-3, "Amount out of range".to_owned()));
    assert_eq!(test.get("getrawmempool", "[]").await, json!([]));
    assert_eq!(test.get("sendrawtransaction", &with_limit("\"0\"")).await.to_string(), quoted(&generous));
}

#[tokio::test(flavor = "multi_thread")]
async fn burnt_coins_need_leave() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 1).await;
    let coin = miner.take();
    let mut burns = pay(&[coin], &[coin.1 - 3000, 2000]);
    burns.output[1].script_pubkey = Builder::new().push_opcode(OP_RETURN).into_script();
    let refused = (-25, "Unspendable output exceeds maximum configured by user (maxburnamount)".to_owned());
    assert_eq!(send(&test, &burns).await, Err(refused.clone()));
    let with_limit = |limit: &str| format!("{{\"hexstring\":{},\"maxburnamount\":{limit}}}", hex(&burns));
    assert_eq!(test.error("sendrawtransaction", &with_limit("0.00001999")).await, refused);
    let package = format!("{{\"package\":[{}],\"maxburnamount\":0.00001999}}", hex(&burns));
    assert_eq!(test.error("submitpackage", &package).await, refused);
    test.get("sendrawtransaction", &with_limit("0.00002000")).await;
    // An operation that does not exist can never be executed.
    burns.output[1].script_pubkey = ScriptBuf::from_bytes(vec![0x51, 0xff]);
    assert_eq!(send(&test, &burns).await, Err(refused));
}

/// Elements of a batch are answered as if they came alone, in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_does_what_single_calls_do() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 80).await;
    let mut calls = Vec::new();
    let mut expected = Vec::new();
    let mut coins = Vec::new();
    let call = |digits: String| format!("{{\"method\":\"sendrawtransaction\",\"params\":[{digits}],\"id\":1}}");
    let good = |transaction: &bitcoin::Transaction| json!(transaction.compute_txid().to_string());
    for number in 0..75_u64 {
        let transaction = pay_fee(miner.take(), 1000 + number);
        coins.push(output(&transaction, 0));
        calls.push(call(hex(&transaction)));
        expected.push(good(&transaction));
    }
    // Children of those before, some of which are in another window.
    for coin in coins.clone() {
        let child = pay_fee(coin, 500);
        calls.push(call(hex(&child)));
        expected.push(good(&child));
    }
    // A child before its parent, the same twice, a conflict, garbage, a wrong witness, and one that is good again.
    let parent = pay_fee(miner.take(), 1000);
    let child = pay_fee(output(&parent, 0), 1000);
    let conflict = pay_fee(coins[0], 400);
    let mut wrong = pay_fee(output(&parent, 0), 2000);
    wrong.input[0].witness = Witness::from_slice(&[vec![0x52_u8]]);
    let last = pay_fee(miner.take(), 1000);
    for transaction in [&child, &parent, &parent, &child, &conflict, &wrong, &last] {
        calls.push(call(hex(transaction)));
    }
    calls.insert(calls.len() - 1, call("\"00\"".to_owned()));
    calls.insert(calls.len() - 1, "{\"method\":\"sendrawtransaction\",\"params\":[],\"id\":1}".to_owned());
    calls.insert(calls.len() - 1, "{\"method\":\"getmempoolinfo\",\"id\":1}".to_owned());

    let reply = test.post(&format!("[{}]", calls.join(","))).await.json();
    let replies = reply.as_array().unwrap();
    assert_eq!(replies.len(), calls.len());
    for (reply, expected) in replies.iter().zip(&expected) {
        assert_eq!((&reply["result"], &reply["error"]), (expected, &Value::Null));
    }
    let rest = &replies[expected.len()..];
    assert_eq!(rest[0]["error"], json!({"code": -25, "message": "bad-txns-inputs-missingorspent"}));
    for (reply, transaction) in rest[1..4].iter().zip([&parent, &parent, &child]) {
        assert_eq!(reply["result"], good(transaction));
    }
    let message = rest[4]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("insufficient fee, rejecting replacement"), "{message}");
    let message = rest[5]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("mempool-script-verify-flag-failed (Witness program hash mismatch)"), "{message}");
    assert_eq!(rest[6]["error"]["code"], -22);
    assert_eq!(rest[7]["error"]["code"], -1);
    assert_eq!(rest[8]["result"]["size"], 152);
    assert_eq!(rest[9]["result"], good(&last));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_what_would_happen() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 3).await;
    let coin = miner.take();
    let good = pay_fee(coin, 1000);
    let (txid, wtxid) = (good.compute_txid().to_string(), good.compute_wtxid().to_string());
    let accepted = test.call("testmempoolaccept", &format!("[[{}]]", hex(&good))).await.unwrap();
    // 1000 satoshis for 111 virtual bytes.
    assert_eq!(good.vsize(), 96);
    assert_eq!(
        accepted.get(),
        format!(
            "[{{\"txid\":\"{txid}\",\"wtxid\":\"{wtxid}\",\"allowed\":true,\"vsize\":96,\"fees\":{{\"base\":0.00001000,\
             \"effective-feerate\":0.00010416,\"effective-includes\":[\"{wtxid}\"]}}}}]"
        )
    );
    assert_eq!(test.get("getrawmempool", "[]").await, json!([]), "nothing was added");

    let limited = test.get("testmempoolaccept", &format!("[[{}],0.0001]", hex(&good))).await;
    assert_eq!(limited, json!([{"txid": txid, "wtxid": wtxid, "allowed": false, "reject-reason": "max-fee-exceeded"}]));

    let missing = pay_fee(output(&pay_fee(miner.take(), 500), 0), 1000);
    let told = &test.get("testmempoolaccept", &format!("[[{}]]", hex(&missing))).await[0];
    assert_eq!((&told["allowed"], &told["reject-reason"]), (&json!(false), &json!("missing-inputs")));
    assert!(told.get("reject-details").is_none());

    send(&test, &good).await.unwrap();
    let told = &test.get("testmempoolaccept", &format!("[[{}]]", hex(&good))).await[0];
    assert_eq!(
        (&told["reject-reason"], &told["reject-details"]),
        (&json!("txn-already-in-mempool"), &json!("txn-already-in-mempool"))
    );
    let cheap = pay_fee(output(&good, 0), 1);
    let told = &test.get("testmempoolaccept", &format!("[[{}]]", hex(&cheap))).await[0];
    assert_eq!(told["reject-details"], "min relay fee not met, 1 < 10");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_tested_as_one() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 3).await;
    let parent = pay_fee(miner.take(), 1000);
    let child = pay_fee(output(&parent, 0), 2000);
    let both = test.get("testmempoolaccept", &format!("[[{},{}]]", hex(&parent), hex(&child))).await;
    for (told, transaction) in both.as_array().unwrap().iter().zip([&parent, &child]) {
        assert_eq!(told["allowed"], true);
        assert_eq!(told["txid"], transaction.compute_txid().to_string());
        assert_eq!(told["fees"]["effective-includes"], json!([transaction.compute_wtxid().to_string()]));
    }
    let unsorted = test.get("testmempoolaccept", &format!("[[{},{}]]", hex(&child), hex(&parent))).await;
    for told in unsorted.as_array().unwrap() {
        assert_eq!(told["package-error"], "package-not-sorted");
        assert!(told.get("allowed").is_none());
    }
    // What follows one whose fee is too high is not told of.
    let limited = test.get("testmempoolaccept", &format!("[[{},{}],0.0001]", hex(&parent), hex(&child))).await;
    assert_eq!(limited[0]["reject-reason"], "max-fee-exceeded");
    assert!(limited[1].get("allowed").is_none());

    let count = (-8, "Array must contain between 1 and 25 transactions.".to_owned());
    assert_eq!(test.error("testmempoolaccept", "[[]]").await, count);
    let many = vec!["\"00\""; 26].join(",");
    for method in ["testmempoolaccept", "submitpackage"] {
        assert_eq!(test.error(method, &format!("[[{many}]]")).await, count);
        let garbage = (-22, "TX decode failed: 00 Make sure the tx has at least one input.".to_owned());
        assert_eq!(test.error(method, "[[\"00\"]]").await, garbage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_pays_for_its_parent() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 2).await;
    let coin = miner.take();
    let mut parent = pay_fee(coin, 0);
    parent.version = Version::non_standard(3);
    let mut child = pay_fee(output(&parent, 0), 2000);
    child.version = Version::non_standard(3);
    let (parent_wtxid, child_wtxid) = (parent.compute_wtxid().to_string(), child.compute_wtxid().to_string());
    let (code, _) = send(&test, &parent).await.unwrap_err();
    assert_eq!(code, -26);
    let result = test.call("submitpackage", &format!("[[{},{}]]", hex(&parent), hex(&child))).await.unwrap();
    let rate = "0.00010416";
    let fees = |base: &str| {
        format!(
            "{{\"base\":{base},\"effective-feerate\":{rate},\"effective-includes\":[\"{parent_wtxid}\",\"{child_wtxid}\"]}}"
        )
    };
    assert_eq!(
        result.get(),
        format!(
            "{{\"package_msg\":\"success\",\"tx-results\":{{\"{parent_wtxid}\":{{\"txid\":{},\"vsize\":96,\"fees\":{}}},\
             \"{child_wtxid}\":{{\"txid\":{},\"vsize\":96,\"fees\":{}}}}},\"replaced-transactions\":[]}}",
            quoted(&parent),
            fees("0.00000000"),
            quoted(&child),
            fees("0.00002000"),
        )
    );
    // Again: both are there, and nothing is told of rates.
    let again = test.get("submitpackage", &format!("[[{},{}]]", hex(&parent), hex(&child))).await;
    assert_eq!(again["package_msg"], "success");
    assert_eq!(
        again["tx-results"][&child_wtxid],
        json!({"txid": child.compute_txid().to_string(), "vsize": 96, "fees": {"base": 0.000_02}})
    );

    // One that pays more takes the place of both.
    let better = pay_fee(coin, 10_000);
    let replaced = test.get("submitpackage", &format!("[[{}]]", hex(&better))).await;
    let mut expected = [parent.compute_txid(), child.compute_txid()];
    expected.sort();
    let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(replaced["replaced-transactions"], json!(expected));
    assert_eq!(test.get("getrawmempool", "[]").await, json!([better.compute_txid().to_string()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_that_are_refused() {
    let test = RpcTest::start(0).await;
    let mut miner = Miner::start(&test, 4).await;
    let (one, other) = (pay_fee(miner.take(), 1000), pay_fee(miner.take(), 1000));
    let topology = "package topology disallowed. not child-with-parents or parents depend on each other.".to_owned();
    assert_eq!(
        test.error("submitpackage", &format!("[[{},{}]]", hex(&one), hex(&other))).await,
        (-25, topology.clone())
    );
    // A grandparent whose child is a parent too.
    let middle = pay(&[output(&one, 0)], &[1_000_000, 1_000_000]);
    let last = pay_fee(output(&middle, 0), 1000);
    assert_eq!(
        test.error("submitpackage", &format!("[[{},{},{}]]", hex(&one), hex(&middle), hex(&last))).await,
        (-25, topology)
    );
    // One fails by a consensus rule: nothing else is looked at.
    let parent = pay_fee(miner.take(), 1000);
    let mut child = pay_fee(output(&parent, 0), 1000);
    child.input[0].witness = Witness::from_slice(&[vec![0x52_u8]]);
    let refused = test.get("submitpackage", &format!("[[{},{}]]", hex(&parent), hex(&child))).await;
    assert_eq!(refused["package_msg"], "transaction failed");
    let told = &refused["tx-results"][child.compute_wtxid().to_string()];
    let error = told["error"].as_str().unwrap();
    assert!(
        error.starts_with("mempool-script-verify-flag-failed (Witness program hash mismatch), input 0 of"),
        "{error}"
    );
    assert_eq!(refused["tx-results"][parent.compute_wtxid().to_string()]["vsize"], 96, "the parent is good by itself");
    // A fee beyond the limit of the client.
    let rich = pay_fee(miner.take(), 100_000);
    let refused = test.get("submitpackage", &format!("[[{}],0.001]", hex(&rich))).await;
    assert_eq!(refused["tx-results"][rich.compute_wtxid().to_string()]["error"], "max feerate exceeded");
}
