//! Whatever is sent, the server answers with JSON, or not at all, and goes on.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::testing::RpcTest;

/// Requests in each of the two tests; each takes a connection.
const CASES: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting_is_a_parse_error() {
    let test = RpcTest::start(0).await;
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"method":"echo","params":[{open}{close}],"id":1}}"#)
    };
    assert_eq!(test.post(&nested(510)).await.status, 200);
    for body in [nested(511), nested(1_000_000), "[".repeat(1_000_000), "{\"a\":".repeat(100_000)] {
        let response = test.post(&body).await;
        assert_eq!(response.status, 500);
        assert_eq!(response.json()["error"]["code"], -32700);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strings_and_numbers_at_the_edges() {
    let test = RpcTest::start(0).await;
    for params in [r#"["\ud800"]"#, r#"["\udc00"]"#, "[\"\u{1}\"]", r#"["\q"]"#, "[01]", "[1.]", "[NaN]"] {
        let body = format!(r#"{{"method":"echo","params":{params},"id":1}}"#);
        let json = test.post(&body).await.json();
        assert_eq!(
            (json["error"]["code"].as_i64(), json["error"]["message"].as_str()),
            (Some(-32700), Some("Parse error")),
            "{params}"
        );
    }
    // Text comes back as it came, however large the number.
    for params in [r#"["\ud834\udd1e"]"#, "[1e999999]", "[-0.0]", "[123456789012345678901234567890]", "[1.10000000]"] {
        assert_eq!(test.call("echo", params).await.unwrap().get(), params);
    }
}

/// A request, and changes to some of its bytes.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let requests = [
        r#"{"jsonrpc":"2.0","method":"getblockheader","params":{"blockhash":"00ff","verbose":true},"id":[1,"a\u0041"]}"#,
        r#"[{"method":"help","params":["getblockhash"],"id":1},{"method":"echo","params":{"arg1":{"b":-1.5e3},"args":[1]}}]"#,
        r#"{"id":null,"method":"getblockhash","params":[0],"jsonrpc":"1.0"}"#,
    ];
    let change = (any::<prop::sample::Index>(), 0..3_u8, prop::sample::select(b"{}[],:\"\\u0e-.tfn \x00\xff".to_vec()));
    (prop::sample::select(requests.to_vec()), prop::collection::vec(change, 1..6)).prop_map(|(request, changes)| {
        let mut bytes = request.as_bytes().to_vec();
        for (index, kind, byte) in changes {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ if bytes.len() > 1 => _ = bytes.remove(at),
                _ => {}
            }
        }
        bytes
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn any_body_is_answered() {
    let test = RpcTest::start(2).await;
    let authorization = test.authorization();
    let headers = [("Authorization", &*authorization)];
    let handle = tokio::runtime::Handle::current();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    tokio::task::block_in_place(|| {
        TestRunner::new(config)
            .run(&prop_oneof![mutated(), prop::collection::vec(any::<u8>(), 0..300)], |body| {
                let response = handle.block_on(test.http("POST", "/", &headers, &body));
                prop_assert!([200, 204, 400, 404, 500].contains(&response.status), "{:?}", response);
                if response.status != 204 {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(&response.body).is_ok(), "{:?}", response);
                }
                Ok(())
            })
            .unwrap();
    });
    assert_eq!(test.call("getblockcount", "[]").await.unwrap().get(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_leave_the_server_as_it_was() {
    let test = RpcTest::start(0).await;
    let handle = tokio::runtime::Handle::current();
    let starts =
        prop::sample::select(vec!["", "POST / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nContent-Length: ", "GET ", "\r\n"]);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    tokio::task::block_in_place(|| {
        TestRunner::new(config)
            .run(&(starts, prop::collection::vec(any::<u8>(), 0..200)), |(start, bytes)| {
                // An end of the head, so that the server does not wait for one.
                let request = [start.as_bytes(), &bytes, b"\r\n\r\n\x00\r\n\r\n"].concat();
                let address = test.address();
                handle.block_on(async {
                    tokio::task::spawn_blocking(move || {
                        use std::io::{Read, Write};
                        let mut stream = super::super::testing::connect(address);
                        let _ = stream.write_all(&request);
                        let _ = stream.shutdown(std::net::Shutdown::Write);
                        let _ = stream.read_to_end(&mut Vec::new());
                    })
                    .await
                    .unwrap();
                });
                Ok(())
            })
            .unwrap();
    });
    assert_eq!(test.call("getblockcount", "[]").await.unwrap().get(), "0");
}
