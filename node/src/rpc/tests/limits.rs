//! Clients that are slow, many or large.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::testing::{RpcTest, connect};
use super::super::{RpcLimits, RpcServerOptions};

const COUNT: &str = r#"{"method":"getblockcount","id":1}"#;

async fn start(change: impl FnOnce(&mut RpcLimits)) -> RpcTest {
    let test = RpcTest::start_with(0, |options: &mut RpcServerOptions| change(&mut options.limits)).await;
    test.server.warmup().finish(Arc::clone(&test.context));
    test
}

/// Runs something that blocks.
async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Reads until the other side closes, and how long that took.
fn read_all(mut stream: TcpStream) -> (String, Duration) {
    let start = Instant::now();
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => {}
    }
    (String::from_utf8_lossy(&bytes).into_owned(), start.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_up_to_the_limit_and_above() {
    let test = start(|limits| limits.body_bytes = 200_000).await;
    let fill = |length: usize| format!("{COUNT}{}", " ".repeat(length - COUNT.len()));
    assert_eq!(test.post(&fill(200_000)).await.status, 200);
    // Announced, and not.
    assert_eq!(test.post(&fill(200_001)).await.status, 413);
    let authorization = test.authorization();
    let chunk = format!("{:x}\r\n{}\r\n", 50_000, " ".repeat(50_000));
    let head =
        format!("POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let response = test.raw(format!("{head}{}0\r\n\r\n", chunk.repeat(5)).into_bytes()).await.unwrap();
    assert_eq!(response.status, 413);
    // A length that overflows is no length.
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: 99999999999999999999999\r\n\r\n"
    );
    assert_eq!(test.raw(head.into_bytes()).await.unwrap().status, 400);
    assert_eq!(test.post(COUNT).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_together_take_no_more_than_they_may() {
    let test = start(|limits| limits.all_bodies_bytes = 1 << 20).await;
    let body = format!(r#"{{"method":"echo","params":["{}"],"id":1}}"#, "x".repeat(800 << 10));
    let authorization = test.authorization();
    let address = test.address();
    // One client sends most of a body and waits.
    let head = format!("POST / HTTP/1.1\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n\r\n", body.len());
    let half = [head.as_bytes(), &body.as_bytes()[..700 << 10]].concat();
    let holder = blocking(move || {
        let mut stream = connect(address);
        stream.write_all(&half).unwrap();
        stream
    })
    .await;
    let charged = async {
        while test.server.free_body_bytes() > 400 << 10 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), charged).await.unwrap();
    assert_eq!(test.post(&body).await.status, 503);
    // Small ones go on, and so do large ones when there is room.
    assert_eq!(test.post(COUNT).await.status, 200);
    drop(holder);
    let given_back = async {
        while test.server.free_body_bytes() < 1 << 20 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), given_back).await.unwrap();
    assert_eq!(test.post(&body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_and_bodies_are_cut_off() {
    let test = start(|limits| limits.idle = Duration::from_millis(300)).await;
    let address = test.address();
    let authorization = test.authorization();
    let head = format!("POST / HTTP/1.1\r\nAuthorization: {authorization}\r\nContent-Length: 100\r\n\r\n");
    for (sent, expected) in [
        (String::new(), ""),
        ("POST / HTT".to_owned(), ""),
        ("POST / HTTP/1.1\r\nHost: x\r\n".to_owned(), ""),
        (head.clone(), "HTTP/1.1 408 "),
        (head + "{\"method\"", "HTTP/1.1 408 "),
    ] {
        let (text, took) = blocking(move || {
            let start = Instant::now();
            let mut stream = connect(address);
            stream.write_all(sent.as_bytes()).unwrap();
            (read_all(stream).0, start.elapsed())
        })
        .await;
        assert!(text.starts_with(expected), "{text}");
        assert!((Duration::from_millis(300)..Duration::from_secs(10)).contains(&took), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_cut_off_too() {
    let test = start(|limits| limits.body_time = Duration::from_millis(500)).await;
    let head = format!("POST / HTTP/1.1\r\nAuthorization: {}\r\nContent-Length: 100000\r\n\r\n", test.authorization());
    let address = test.address();
    let took = blocking(move || {
        let mut stream = connect(address);
        stream.write_all(head.as_bytes()).unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) && stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        start.elapsed()
    })
    .await;
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_an_answer_is_cut_off() {
    let test = start(|limits| {
        limits.idle = Duration::from_millis(300);
        limits.all_answers_bytes = 24 << 20;
    })
    .await;
    let body = format!(r#"{{"method":"echo","params":["{}"],"id":1}}"#, "x".repeat(20 << 20));
    let head =
        format!("POST / HTTP/1.1\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n", test.authorization(), body.len());
    let request = head + &body;
    let address = test.address();
    let silent = blocking(move || {
        let mut stream = connect(address);
        stream.write_all(request.as_bytes()).unwrap();
        stream
    })
    .await;
    // There is room for one such answer: the second comes when the first client is given up.
    let start = Instant::now();
    assert_eq!(test.post(&body).await.status, 200);
    assert!(start.elapsed() < Duration::from_secs(20));
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_idle_clients_harm_nobody() {
    let test = start(|limits| limits.connections = 505).await;
    let address = test.address();
    let idle = blocking(move || (0..500).map(|_| connect(address)).collect::<Vec<_>>()).await;
    for _ in 0..20 {
        let start = Instant::now();
        assert_eq!(test.post(COUNT).await.status, 200);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    // One more than there may be is told so, and takes nobody's place. Those that were served give theirs back a little
    // after their clients have read the answer.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let last = blocking(move || (0..5).map(|_| connect(address)).collect::<Vec<_>>()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = test.raw(Vec::new()).await.unwrap();
    assert_eq!((refused.status, &*refused.body), (503, "Too many connections"));
    drop(last);
    drop(idle);
    for _ in 0..100 {
        if test.raw(b"GET / HTTP/1.0\r\n\r\n".to_vec()).await.is_some_and(|response| response.status == 405) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the places were not given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_work_queue_is_told() {
    let test = Arc::new(
        start(|limits| {
            limits.executing = 1;
            limits.queued = 1;
        })
        .await,
    );
    // Holds the chain thread, so that the request that runs goes on running.
    let (release, released) = std::sync::mpsc::sync_channel::<()>(0);
    let context = Arc::clone(&test.context);
    let held = tokio::spawn(async move { context.chain.call(move |_| released.recv()).await });
    let ask = |test: &Arc<RpcTest>| {
        let test = Arc::clone(test);
        tokio::spawn(async move { test.post(r#"{"method":"getblockhash","params":[0],"id":1}"#).await })
    };
    let running = ask(&test);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let queued = ask(&test);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = test.post(COUNT).await;
    assert_eq!((refused.status, &*refused.body), (503, "Work queue depth exceeded"));
    release.send(()).unwrap();
    held.await.unwrap().unwrap().unwrap();
    assert_eq!(running.await.unwrap().status, 200);
    assert_eq!(queued.await.unwrap().status, 200);
    assert_eq!(test.post(COUNT).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded() {
    let test = start(|_| {}).await;
    let long = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(test.raw(long.into_bytes()).await.map(|response| response.status), Some(431));
    let many = format!("POST / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    assert_eq!(test.raw(many.into_bytes()).await.map(|response| response.status), Some(431));
    let path = format!("POST /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    assert!(matches!(test.raw(path.into_bytes()).await.map(|response| response.status), Some(414 | 431)));
}
