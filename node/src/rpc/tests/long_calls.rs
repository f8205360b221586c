//! Calls that take long, whose clients go away, or that fail.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::super::RpcLimits;
use super::super::testing::{RpcTest, connect};

async fn start(change: impl FnOnce(&mut RpcLimits)) -> RpcTest {
    let test = RpcTest::start_with(1, |options| change(&mut options.limits)).await;
    test.server.warmup().finish(Arc::clone(&test.context));
    test
}

/// Sends a request and waits for no answer.
fn send(test: &RpcTest, method: &str) -> TcpStream {
    let body = format!(r#"{{"method":"{method}","id":1,"params":[]}}"#);
    let length = body.len();
    let authorization = test.authorization();
    let mut stream = connect(test.address());
    write!(stream, "POST / HTTP/1.0\r\nAuthorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    stream
}

/// Waits until that many calls run, `getrpcinfo` itself included.
async fn expect_active(test: &RpcTest, count: usize) {
    let mut info = String::new();
    for _ in 0..6_000 {
        info = test.call("getrpcinfo", "[]").await.unwrap().get().to_owned();
        if info.matches("\"method\"").count() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} expected: {info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_are_in_nobodys_way_and_go_with_their_clients() {
    let test = start(|limits| {
        limits.executing = 1;
        limits.queued = 1;
    })
    .await;
    let mut waiting: Vec<_> = Vec::new();
    for count in 1..=8 {
        waiting.push(send(&test, "waitforever"));
        expect_active(&test, count + 1).await;
    }
    assert_eq!(test.call("getblockcount", "[]").await.unwrap().get(), "1");
    let last = waiting.pop();
    drop(waiting);
    expect_active(&test, 2).await;
    // Those who are left are told that the node stops.
    test.call("stop", "[]").await.unwrap();
    let text = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        last.unwrap().read_to_string(&mut text).unwrap();
        text
    });
    let text = text.await.unwrap();
    assert!(text.contains(r#"{"code":-9,"message":"Shutting down"}"#), "{text}");
    test.server.join().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_may_take_longer_than_a_client_may_be_idle_and_outlives_its_client() {
    let test = Arc::new(start(|limits| limits.idle = Duration::from_millis(200)).await);
    let (release, released) = std::sync::mpsc::sync_channel::<()>(0);
    let context = Arc::clone(&test.context);
    let held = tokio::spawn(async move { context.chain.call(move |_| released.recv()).await });
    let asked = Arc::clone(&test);
    let asked = tokio::spawn(async move { asked.call("getblockhash", "[0]").await });
    let left = send(&test, "getblockhash");
    let hash = test.call("getblockhash", "[]").await;
    assert_eq!(hash.unwrap_err().0, -1);
    drop(left);
    let body = br#"{"method":"getblockhash","params":[1],"id":1}"#;
    let head =
        format!("POST / HTTP/1.0\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n", test.authorization(), body.len());
    let mut left = connect(test.address());
    left.write_all(&[head.as_bytes(), body].concat()).unwrap();
    expect_active(&test, 3).await;
    drop(left);
    tokio::time::sleep(Duration::from_millis(700)).await;
    // Nobody waits for it any more, and it still runs.
    expect_active(&test, 3).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap().unwrap();
    assert_eq!(asked.await.unwrap().unwrap().get().len(), 66);
    expect_active(&test, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_told_and_leaves_nothing_behind() {
    let test = start(|limits| limits.executing = 1).await;
    for _ in 0..3 {
        let response = test.post(r#"[{"method":"getblockcount","id":1},{"method":"panic","id":2}]"#).await;
        assert_eq!(response.status, 500);
        assert_eq!(response.json()["error"]["code"], -32603);
    }
    expect_active(&test, 1).await;
    assert_eq!(test.call("getblockcount", "[]").await.unwrap().get(), "1");
}
