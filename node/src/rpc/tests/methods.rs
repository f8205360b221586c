//! Methods and their arguments, through the whole server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::RpcObserver;
use super::super::table::list_methods;
use super::super::testing::RpcTest;

#[tokio::test(flavor = "multi_thread")]
async fn control() {
    let test = RpcTest::start(0).await;
    assert!(test.call("uptime", "[]").await.unwrap().get().parse::<u64>().is_ok());
    let info = test.call("getrpcinfo", "{}").await.unwrap();
    assert!(info.get().starts_with(r#"{"active_commands":[{"method":"getrpcinfo","duration":"#), "{}", info.get());
    assert_eq!(test.call("echojson", r#"[1,null,{"a":[]}]"#).await.unwrap().get(), r#"[1,null,{"a":[]}]"#);
    assert!(!test.context.shutdown.is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn help_knows_every_method() {
    let test = RpcTest::start(0).await;
    let text = |raw: Box<serde_json::value::RawValue>| serde_json::from_str::<String>(raw.get()).unwrap();
    let list = text(test.call("help", "[]").await.unwrap());
    assert!(list.contains("== Blockchain ==\ngetbestblockhash\n"), "{list}");
    assert!(
        list.contains("\n\n== Control ==\ngetmemoryinfo ( \"mode\" )\ngetrpcinfo\nhelp ( \"command\" )\nstop\nuptime"),
        "{list}"
    );
    assert!(list.contains("getblockheader \"blockhash\" ( verbose )\n"), "{list}");
    assert!(!list.contains("echo"), "{list}");
    for method in list_methods() {
        let help = text(test.call("help", &format!("[\"{}\"]", method.name)).await.unwrap());
        assert!(help.starts_with(&method.signature()) && help.lines().count() > 2, "{help}");
    }
    assert_eq!(text(test.call("help", "[\"nothing\"]").await.unwrap()), "help: unknown command: nothing");
    assert_eq!(text(test.call("help", "[\"\"]").await.unwrap()), list);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_told_as_core_tells_them() {
    let test = RpcTest::start(3).await;
    let (code, message) = test.call("getblockhash", "[]").await.unwrap_err();
    assert_eq!(code, -1);
    assert!(message.starts_with("getblockhash height\n\nReturns hash of block"), "{message}");
    assert_eq!(test.call("getblockhash", "[1,2]").await.unwrap_err(), (code, message));
    let cases = [
        (
            "getblockhash",
            "[\"1\"]",
            -3,
            "Wrong type passed:\n{\n    \"Position 1 (height)\": \"JSON value of type string is not of expected type number\"\n}",
        ),
        (
            "getblockheader",
            "[5,\"x\"]",
            -3,
            "Wrong type passed:\n{\n    \"Position 1 (blockhash)\": \"JSON value of type number is not of expected type string\",\n    \"Position 2 (verbose)\": \"JSON value of type string is not of expected type bool\"\n}",
        ),
        (
            "getblockheader",
            "[null]",
            -3,
            "Wrong type passed:\n{\n    \"Position 1 (blockhash)\": \"JSON value of type null is not of expected type string\"\n}",
        ),
        ("getblockhash", "[1.5]", -1, "JSON integer out of range"),
        ("getblockhash", "[3000000000]", -1, "JSON integer out of range"),
        ("getblockhash", "[-1]", -8, "Block height out of range"),
        ("getblockhash", "[4]", -8, "Block height out of range"),
        ("getblockheader", "[\"abc\"]", -8, "hash must be of length 64 (not 3, for 'abc')"),
        ("getblockheader", "{\"hash\":\"abc\"}", -8, "Unknown named parameter hash"),
        ("getblockheadr", "[]", -32601, "Method not found (nearest: getblockheader)"),
        ("getBlockCount", "[]", -32601, "Method not found (nearest: getblockcount)"),
        ("getnewaddress", "[]", -32601, "Method not found (the node keeps no wallet)"),
    ];
    for (method, params, code, message) in cases {
        assert_eq!(test.call(method, params).await.unwrap_err(), (code, message.to_owned()), "{method} {params}");
    }
    let hash = format!("{}g", "0".repeat(63));
    let expected = format!("hash must be hexadecimal string (not '{hash}')");
    assert_eq!(test.call("getblockheader", &format!("[\"{hash}\"]")).await.unwrap_err(), (-8, expected));
    let unknown = format!("[\"{}\"]", "0".repeat(64));
    assert_eq!(test.call("getblockheader", &unknown).await.unwrap_err(), (-5, "Block not found".to_owned()));
}

#[derive(Debug, Default)]
struct Calls(Mutex<Vec<String>>);

impl RpcObserver for Calls {
    fn started(&self, method: &'static str) {
        self.0.lock().unwrap().push(format!("{method}…"));
    }

    fn finished(&self, method: &'static str, duration: Duration, error: Option<i32>) {
        assert!(duration < Duration::from_secs(60));
        self.0.lock().unwrap().push(format!("{method} {error:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_is_told_of_methods_that_exist() {
    let calls = Arc::new(Calls::default());
    let observer = Arc::clone(&calls);
    let test = RpcTest::start_with(0, move |options| options.observer = Some(observer)).await;
    test.call("uptime", "[]").await.unwrap_err();
    test.server.warmup().finish(Arc::clone(&test.context));
    test.call("uptime", "[]").await.unwrap();
    test.call("nothing", "[]").await.unwrap_err();
    test.call("getblockhash", "[7]").await.unwrap_err();
    let told = calls.0.lock().unwrap().clone();
    assert_eq!(told, ["uptime…", "uptime None", "getblockhash…", "getblockhash Some(-8)"]);
}
