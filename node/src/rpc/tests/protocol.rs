//! One request at a time: versions, statuses, errors.

use super::super::testing::{HttpResponse, RpcTest};
use super::super::{RpcErrorCode, Warmup};
use std::sync::Arc;

/// Status and body.
fn answer(response: &HttpResponse) -> (u16, &str) {
    (response.status, response.body.trim_end_matches('\n'))
}

#[tokio::test(flavor = "multi_thread")]
async fn version_1_has_result_and_error_and_http_tells_of_errors() {
    let test = RpcTest::start(2).await;
    let response = test.post(r#"{"method":"getblockcount","id":"a"}"#).await;
    assert_eq!(answer(&response), (200, r#"{"result":2,"error":null,"id":"a"}"#));
    assert!(response.has_header("content-type: application/json"));
    assert!(response.body.ends_with('\n'));
    // What has no id is answered without one.
    let response = test.post(r#"{"jsonrpc":"1.0","method":"getblockcount","params":null}"#).await;
    assert_eq!(answer(&response), (200, r#"{"result":2,"error":null}"#));
    let response = test.post(r#"{"jsonrpc":null,"method":"getblockhash","params":[3],"id":null}"#).await;
    let body = r#"{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":null}"#;
    assert_eq!(answer(&response), (500, body));
    let response = test.post(r#"{"method":"gteblock","id":7}"#).await;
    assert_eq!(response.status, 404);
    assert_eq!(response.json()["error"]["code"], -32601);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_2_tells_of_errors_in_the_body() {
    let test = RpcTest::start(2).await;
    let response = test.post(r#"{"jsonrpc":"2.0","method":"getblockcount","id":1.50}"#).await;
    assert_eq!(answer(&response), (200, r#"{"jsonrpc":"2.0","result":2,"id":1.50}"#));
    let response = test.post(r#"{"jsonrpc":"2.0","method":"getblockhash","params":[3],"id":[1,{}]}"#).await;
    let body = r#"{"jsonrpc":"2.0","error":{"code":-8,"message":"Block height out of range"},"id":[1,{}]}"#;
    assert_eq!(answer(&response), (200, body));
    let response = test.post(r#"{"jsonrpc":"2.0","method":"nothinglikeit","id":1}"#).await;
    let body = r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}"#;
    assert_eq!(answer(&response), (200, body));
    // A result that is null is still a result.
    let response = test.post(r#"{"jsonrpc":"2.0","method":"echo","params":[null],"id":null}"#).await;
    assert_eq!(answer(&response), (200, r#"{"jsonrpc":"2.0","result":[null],"id":null}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_run_and_are_not_answered() {
    let test = RpcTest::start(0).await;
    for body in [r#"{"jsonrpc":"2.0","method":"getblockcount"}"#, r#"{"jsonrpc":"2.0","method":"nothinglikeit"}"#] {
        let response = test.post(body).await;
        assert_eq!(answer(&response), (204, ""));
    }
    let response = test.post(r#"{"jsonrpc":"2.0","method":"stop"}"#).await;
    assert_eq!(response.status, 204);
    assert!(test.context.shutdown.is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_none_are_answered_as_core_answers_them() {
    let test = RpcTest::start(0).await;
    let cases = [
        ("", 500, -32700, "Parse error"),
        ("{", 500, -32700, "Parse error"),
        (r#"{"method":"echo"}x"#, 500, -32700, "Parse error"),
        ("1", 500, -32700, "Top-level object parse error"),
        ("null", 500, -32700, "Top-level object parse error"),
        (r#""help""#, 500, -32700, "Top-level object parse error"),
        ("{}", 400, -32600, "Missing method"),
        (r#"{"method":null}"#, 400, -32600, "Missing method"),
        (r#"{"method":5}"#, 400, -32600, "Method must be a string"),
        (r#"{"method":["echo"]}"#, 400, -32600, "Method must be a string"),
        (r#"{"method":"echo","params":5}"#, 400, -32600, "Params must be an array or object"),
        (r#"{"method":"echo","params":"5"}"#, 400, -32600, "Params must be an array or object"),
        (r#"{"method":"echo","params":false}"#, 400, -32600, "Params must be an array or object"),
        (r#"{"jsonrpc":2.0,"method":"echo"}"#, 400, -32600, "jsonrpc field must be a string"),
        (r#"{"jsonrpc":"3.0","method":"echo"}"#, 400, -32600, "JSON-RPC version not supported"),
        (r#"{"jsonrpc":"2.0","id":3}"#, 400, -32600, "Missing method"),
    ];
    for (body, status, code, message) in cases {
        let response = test.post(body).await;
        assert_eq!(response.status, status, "{body}");
        let json = response.json();
        assert_eq!((&json["error"]["code"], &json["error"]["message"]), (&code.into(), &message.into()), "{body}");
    }
    // The id is found before the error.
    let response = test.post(r#"{"id":9,"params":5,"method":"echo"}"#).await;
    assert_eq!(response.json()["id"], 9);
    // Of members that come twice the first counts.
    let response = test.post(r#"{"method":"getblockcount","method":"help","id":1,"id":2}"#).await;
    assert_eq!(answer(&response), (200, r#"{"result":0,"error":null,"id":1}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_http_methods() {
    let test = RpcTest::start(0).await;
    let body = br#"{"method":"getblockcount","id":1}"#;
    let authorization = test.authorization();
    let headers = [("Authorization", &*authorization)];
    for path in ["/", "/wallet/", "/wallet/a%20b"] {
        assert_eq!(test.http("POST", path, &headers, body).await.status, 200, "{path}");
    }
    for path in ["/x", "/wallet", "//", "/rest/chaininfo.json"] {
        assert_eq!(test.http("POST", path, &headers, body).await.status, 404, "{path}");
    }
    for method in ["GET", "PUT"] {
        let response = test.http(method, "/", &headers, b"").await;
        assert_eq!(answer(&response), (405, "JSONRPC server handles only POST requests"));
    }
    assert_eq!(test.http("DELETE", "/x", &headers, b"").await.status, 405);
    assert_eq!(test.http("GET", "/x", &headers, b"").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_many_requests() {
    let test = RpcTest::start(0).await;
    let authorization = test.authorization();
    let body = r#"{"method":"getblockcount","id":1}"#;
    let one = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let last = one.replacen("Host: x", "Connection: close", 1);
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    // Wrong requests before good ones do not end the connection either.
    let wrong = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let response = test.raw([&*one, wrong, &chunked, &one, &last].concat().into_bytes()).await.unwrap();
    assert_eq!(response.body.matches(r#"{"result":0,"error":null,"id":1}"#).count(), 4);
    assert_eq!(response.body.matches("405 Method Not Allowed").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_says_how_far_it_is() {
    let test = RpcTest::start_with(1, |_| {}).await;
    let warmup: Warmup = test.server.warmup();
    let in_warmup = RpcErrorCode::InWarmup.number();
    assert_eq!(test.call("help", "[]").await.unwrap_err(), (in_warmup, "RPC server started".to_owned()));
    warmup.set_status("Loading block index…");
    let response = test.post(r#"{"method":"nothinglikeit","id":1}"#).await;
    let body = r#"{"result":null,"error":{"code":-28,"message":"Loading block index…"},"id":1}"#;
    assert_eq!(answer(&response), (500, body));
    warmup.finish(Arc::clone(&test.context));
    warmup.set_status("too late");
    assert_eq!(test.call("getblockcount", "[]").await.unwrap().get(), "1");
    assert_eq!(warmup.finished().await.chain.tip().height, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_answers_what_runs_and_removes_the_cookie() {
    let test = RpcTest::start(0).await;
    let cookie = test.context.directory.join(".cookie");
    assert!(cookie.exists());
    // Idle connections do not hold the server up.
    let _idle = super::super::testing::connect(test.address());
    assert_eq!(test.call("stop", "[500]").await.unwrap().get(), "\"Cairn stopping\"");
    let RpcTest { server, context, .. } = test;
    assert!(context.shutdown.is_cancelled());
    let address = server.local_addr();
    server.join().await;
    assert!(!cookie.exists());
    assert!(std::net::TcpStream::connect(address).is_err());
}
