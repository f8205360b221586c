//! Arrays of requests.

use super::super::testing::RpcTest;

#[tokio::test(flavor = "multi_thread")]
async fn elements_are_answered_in_order_whatever_their_version() {
    let test = RpcTest::start(1).await;
    let response = test
        .post(
            r#" [ {"method":"getblockcount","id":1} , {"jsonrpc":"2.0","method":"getblockhash","params":[9],"id":2},
                  {"jsonrpc":"2.0","method":"getblockcount"}, 5, {"id":3}, {"jsonrpc":"2.0","id":4,"method":"echo","params":[]},
                  {"jsonrpc":"2.0"} ] "#,
        )
        .await;
    assert_eq!(response.status, 200);
    let expected = [
        r#"{"result":1,"error":null,"id":1}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-8,"message":"Block height out of range"},"id":2}"#,
        r#"{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null}"#,
        r#"{"result":null,"error":{"code":-32600,"message":"Missing method"},"id":3}"#,
        r#"{"jsonrpc":"2.0","result":[],"id":4}"#,
    ];
    assert_eq!(response.body, format!("[{}]\n", expected.join(",")));
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_batches_and_batches_of_notifications() {
    let test = RpcTest::start(0).await;
    let response = test.post("[]").await;
    assert_eq!((response.status, &*response.body), (200, "[]\n"));
    let response = test.post(r#"[{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","method":"nothing"}]"#).await;
    assert_eq!((response.status, &*response.body), (204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_bounded_in_number_and_in_what_they_answer() {
    let test = RpcTest::start_with(0, |options| options.limits.all_answers_bytes = 1 << 20).await;
    test.server.warmup().finish(std::sync::Arc::clone(&test.context));
    let many = vec!["0"; super::super::execute::MAX_BATCH + 1].join(",");
    let response = test.post(&format!("[{many}]")).await;
    assert_eq!(response.status, 400);
    assert_eq!(response.json()["error"]["message"], "A batch of 100001 requests, at most 100000 are allowed");

    let large = "x".repeat(100_000);
    let element = format!(r#"{{"method":"echo","params":["{large}"],"id":1}}"#);
    let response = test.post(&format!("[{}]", vec![element; 40].join(","))).await;
    assert_eq!(response.status, 200);
    let json = response.json();
    let answers = json.as_array().unwrap();
    assert_eq!(answers.len(), 40);
    assert_eq!(answers[0]["result"][0], large);
    assert_eq!(answers[39]["error"]["code"], -37);
    assert!(response.body.len() < 2 << 20);
    // All of it was given back.
    let response = test.post(&format!(r#"{{"method":"echo","params":["{large}"],"id":1}}"#)).await;
    assert_eq!(response.status, 200);
}
