use serde_json::{Value, json};

use crate::rpc::testing::RpcTest;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_peers_says_so() {
    let test = RpcTest::start(0).await;
    assert_eq!(test.call("getconnectioncount", "[]").await.unwrap().get(), "0");
    assert_eq!(test.call("getpeerinfo", "[]").await.unwrap().get(), "[]");
    assert_eq!(test.call("ping", "[]").await.unwrap().get(), "null");
    let totals: Value = serde_json::from_str(test.call("getnettotals", "[]").await.unwrap().get()).unwrap();
    assert_eq!((&totals["totalbytesrecv"], &totals["totalbytessent"]), (&json!(0), &json!(0)));
    assert!(totals["timemillis"].as_u64().unwrap() > 1_700_000_000_000);
}

/// What LND, Fulcrum and Core Lightning look at.
#[tokio::test(flavor = "multi_thread")]
async fn clients_take_us_for_a_recent_node_of_bitcoin() {
    let test = RpcTest::start(0).await;
    let text = test.call("getnetworkinfo", "[]").await.unwrap();
    let info: Value = serde_json::from_str(text.get()).unwrap();
    assert!(info["version"].as_u64().unwrap() >= 280_000);
    let subversion = info["subversion"].as_str().unwrap();
    assert!(subversion.starts_with("/Satoshi:31.99.0/Cairn:") && subversion.ends_with('/'), "{subversion}");
    assert_eq!((&info["localrelay"], &info["connections"], &info["warnings"]), (&json!(true), &json!(0), &json!([])));
    assert!(text.get().contains("\"relayfee\":0.00000100,\"incrementalfee\":0.00000100,"), "{}", text.get());
    let names: Vec<_> = info["networks"].as_array().unwrap().iter().map(|network| &network["name"]).collect();
    assert_eq!(names, ["ipv4", "ipv6", "onion", "i2p", "cjdns"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_there_is_nobody_to_speak_of() {
    let test = RpcTest::start(0).await;
    for (method, params) in [
        ("addnode", r#"["192.0.2.1:1", "add"]"#),
        ("getaddednodeinfo", "[]"),
        ("disconnectnode", r#"["192.0.2.1:1"]"#),
        ("setban", r#"["192.0.2.1", "add"]"#),
        ("listbanned", "[]"),
        ("clearbanned", "[]"),
        ("setnetworkactive", "[false]"),
        ("getnodeaddresses", "[]"),
        ("getlinks", "[]"),
        ("setlink", r#"["*", {}]"#),
    ] {
        let (code, message) = test.error(method, params).await;
        assert_eq!((code, &*message), (-31, "Error: Peer-to-peer functionality missing or disabled"), "{method}");
    }
    for (params, message) in [("[-1]", "Address count out of range"), (r#"[1, "x"]"#, "Network not recognized: x")] {
        assert_eq!(test.error("getnodeaddresses", params).await, (-8, message.to_owned()));
    }
    assert_eq!(test.error("addnode", r#"["192.0.2.1:1", "twice"]"#).await.0, -1);
    assert_eq!(test.error("setban", r#"["192.0.2.1", "twice"]"#).await.0, -1);
    let info: Value = serde_json::from_str(test.call("getnetworkinfo", "[]").await.unwrap().get()).unwrap();
    assert_eq!((&info["networkactive"], &info["localaddresses"]), (&json!(false), &json!([])));
    assert_eq!(
        (&info["localservices"], &info["localservicesnames"]),
        (&json!("0000000000000009"), &json!(["NETWORK", "WITNESS"]))
    );
}
