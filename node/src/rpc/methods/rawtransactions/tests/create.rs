use crate::rpc::testing::RpcTest;

const TXID: &str = "a3b807410df0b60fcb9736768df5823938b2f838694939ba45f3c0a1bff150ed";
const TXID_BYTES: &str = "ed50f1bfa1c0f345ba39496938f8b2383982f58d763697cb0fb6f00d4107b8a3";
/// The witness program of BIP173's examples, on regtest.
const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const SCRIPT: &str = "160014751e76e8199196d454941c45d1b3a323f1433bd6";

fn inputs(more: &str) -> String {
    format!("[{{\"txid\":\"{TXID}\",\"vout\":0{more}}}]")
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_written_as_core_writes_them() {
    let test = RpcTest::start(0).await;
    let output = format!("00e1f50500000000{SCRIPT}");
    let expected = |sequence: &str, outputs: &str, lock_time: &str| {
        format!("0200000001{TXID_BYTES}0000000000{sequence}{outputs}{lock_time}")
    };
    let pay = format!("{{\"{ADDRESS}\":1}}");
    for (params, wanted) in [
        (format!("[{},{pay}]", inputs("")), expected("fdffffff", &format!("01{output}"), "00000000")),
        (format!("[{},[{pay}]]", inputs("")), expected("fdffffff", &format!("01{output}"), "00000000")),
        (format!("[{},{pay},0,false]", inputs("")), expected("ffffffff", &format!("01{output}"), "00000000")),
        (format!("[{},{pay},17,false]", inputs("")), expected("feffffff", &format!("01{output}"), "11000000")),
        (
            format!("[{},{pay},4294967295,true]", inputs(",\"sequence\":1")),
            expected("01000000", &format!("01{output}"), "ffffffff"),
        ),
        (
            format!("[{},[{{\"data\":\"99\"}},{pay}]]", inputs("")),
            expected("fdffffff", &format!("020000000000000000036a0199{output}"), "00000000"),
        ),
        (format!("[{},{{\"data\":10}}]", inputs("")), expected("fdffffff", "010000000000000000036a0110", "00000000")),
        (format!("[{},[]]", inputs("")), expected("fdffffff", "00", "00000000")),
        (format!("[[],{pay}]"), format!("020000000001{output}00000000")),
        (format!("{{\"inputs\":[],\"outputs\":{pay},\"version\":3}}"), format!("030000000001{output}00000000")),
    ] {
        assert_eq!(test.get("createrawtransaction", &params).await, wanted, "{params}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_told_in_cores_words() {
    let test = RpcTest::start(0).await;
    let pay = format!("{{\"{ADDRESS}\":1}}");
    let (good, txid) = (inputs(""), TXID);
    let cases = [
        (format!("[{good},{pay},-1]"), -8, "Invalid parameter, locktime out of range".to_owned()),
        (format!("[{good},{pay},4294967296]"), -8, "Invalid parameter, locktime out of range".to_owned()),
        (format!("[{good},{pay},0,true,0]"), -8, "Invalid parameter, version out of range(1~3)".to_owned()),
        (format!("[{good},{pay},0,true,4]"), -8, "Invalid parameter, version out of range(1~3)".to_owned()),
        (format!("[[{{\"txid\":\"{txid}\"}}],{pay}]"), -8, "Invalid parameter, missing vout key".to_owned()),
        (
            format!("[[{{\"txid\":\"{txid}\",\"vout\":\"1\"}}],{pay}]"),
            -8,
            "Invalid parameter, missing vout key".to_owned(),
        ),
        (
            format!("[[{{\"txid\":\"{txid}\",\"vout\":-1}}],{pay}]"),
            -8,
            "Invalid parameter, vout cannot be negative".to_owned(),
        ),
        (format!("[[{{\"vout\":0}}],{pay}]"), -3, "JSON value of type null is not of expected type string".to_owned()),
        (
            format!("[{},{pay}]", inputs(",\"sequence\":4294967296")),
            -8,
            "Invalid parameter, sequence number is out of range".to_owned(),
        ),
        (
            format!("[{},{pay},0,true]", inputs(",\"sequence\":4294967294")),
            -8,
            "Invalid parameter combination: Sequence number(s) contradict replaceable option".to_owned(),
        ),
        (format!("[{good},null]"), -8, "Invalid parameter, output argument must be non-null".to_owned()),
        (format!("[{good},\"foo\"]"), -3, "JSON value of type string is not of expected type array".to_owned()),
        (format!("[{good},[\"foo\"]]"), -8, "Invalid parameter, key-value pair not an object as expected".to_owned()),
        (
            format!("[{good},[{{\"a\":1,\"b\":2}}]]"),
            -8,
            "Invalid parameter, key-value pair must contain exactly one key".to_owned(),
        ),
        (format!("[{good},{{\"foo\":0}}]"), -5, "Invalid Bitcoin address: foo".to_owned()),
        (format!("[{good},{{\"{ADDRESS}\":\"foo\"}}]"), -3, "Invalid amount".to_owned()),
        (format!("[{good},{{\"{ADDRESS}\":-1}}]"), -3, "Amount out of range".to_owned()),
        (format!("[{good},[{pay},{pay}]]"), -8, format!("Invalid parameter, duplicated address: {ADDRESS}")),
        (
            format!("[{good},[{{\"data\":\"99\"}},{{\"data\":\"99\"}}]]"),
            -8,
            "Invalid parameter, duplicate key: data".to_owned(),
        ),
        (format!("[{good},{{\"data\":\"foo\"}}]"), -8, "Data must be hexadecimal string (not 'foo')".to_owned()),
    ];
    for (params, code, message) in cases {
        assert_eq!(test.error("createrawtransaction", &params).await, (code, message), "{params}");
    }
}
