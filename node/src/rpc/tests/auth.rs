//! Who may call, and what.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::super::testing::RpcTest;
use super::super::{RpcServer, RpcServerError, RpcServerOptions, Secret};

/// The entry of Core's functional test `rpc_users.py` for the user `rt`, and its password.
const RPCAUTH: &str =
    "rt:93648e835a54c573682c2eb19f882535$7681e9c5b74bdd85e78166031d2058e1069b3ed7ed967c93fc63abba06f31144";
const PASSWORD: &str = "cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM=";
const COUNT: &str = r#"{"method":"getblockcount","id":1}"#;
const HELP: &str = r#"{"method":"help","id":1}"#;

async fn start(change: impl FnOnce(&mut RpcServerOptions)) -> RpcTest {
    let test = RpcTest::start_with(0, change).await;
    test.server.warmup().finish(Arc::clone(&test.context));
    test
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_works_and_no_other() {
    let test = start(|options| {
        options.auth.rpcauth = vec![RPCAUTH.parse().unwrap()];
        options.auth.user = Some(("alice".to_owned(), Secret::new("pass:word")));
    })
    .await;
    let good = [test.cookie(), format!("rt:{PASSWORD}"), "alice:pass:word".to_owned()];
    for user in &good {
        assert_eq!(test.post_as(user, COUNT).await.status, 200, "{user}");
    }
    let bad = [
        "",
        ":",
        "rt",
        "rt:",
        "rt:x",
        "alice:pass",
        "alice:pass:wor",
        "alice:pass:word2",
        "Alice:pass:word",
        ":pass:word",
        "__cookie__:",
        "bob:pass:word",
    ];
    for user in bad {
        let response = test.post_as(user, COUNT).await;
        assert_eq!((response.status, &*response.body), (401, ""), "{user}");
        assert!(response.has_header("www-authenticate: basic realm=\"jsonrpc\""));
    }
    assert_eq!(test.post_as(&format!("alice:{PASSWORD}"), COUNT).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_no_password() {
    let test = start(|_| {}).await;
    let start = Instant::now();
    let response = test.http("POST", "/", &[], COUNT.as_bytes()).await;
    assert_eq!(response.status, 401);
    assert!(start.elapsed() < Duration::from_millis(250), "only guesses are answered late");
    for header in ["Basic", "Basic ", "Basic !!!", "Bearer eA==", "Basic eA==", "Basic /////w=="] {
        let start = Instant::now();
        let response = test.http("POST", "/", &[("Authorization", header)], COUNT.as_bytes()).await;
        assert_eq!(response.status, 401, "{header}");
        assert!(start.elapsed() >= Duration::from_millis(250), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_do_not_delay_those_who_know() {
    let test = Arc::new(start(|_| {}).await);
    let guesses: Vec<_> = (0..64)
        .map(|_| {
            let test = Arc::clone(&test);
            tokio::spawn(async move { test.post_as("__cookie__:x", COUNT).await.status })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    assert_eq!(test.post(COUNT).await.status, 200);
    let known = start.elapsed();
    let start = Instant::now();
    for guess in guesses {
        assert_eq!(guess.await.unwrap(), 401);
    }
    assert!(known < Duration::from_millis(250), "{known:?}");
    // 16 at a time, a quarter of a second each.
    assert!(start.elapsed() > Duration::from_millis(500));
}

#[tokio::test(flavor = "multi_thread")]
async fn whitelists_say_what_users_may_call() {
    let test = start(|options| {
        options.auth.rpcauth = vec![RPCAUTH.parse().unwrap()];
        options.auth.user = Some(("alice".to_owned(), Secret::new("x")));
        options.auth.whitelist =
            vec!["rt:getblockcount, echo".parse().unwrap(), "rt:getblockcount,help".parse().unwrap()];
    })
    .await;
    let rt = format!("rt:{PASSWORD}");
    assert_eq!(test.post_as(&rt, COUNT).await.status, 200);
    for body in [HELP, r#"{"jsonrpc":"2.0","method":"echo","id":1}"#, r#"{"method":"nothing","id":1}"#] {
        let response = test.post_as(&rt, body).await;
        assert_eq!((response.status, &*response.body), (403, ""), "{body}");
    }
    assert_eq!(test.post_as(&rt, &format!("[{COUNT},{COUNT}]")).await.status, 200);
    // One method that may not be called, and nothing of the batch runs.
    let stop = r#"{"method":"stop","id":1}"#;
    assert_eq!(test.post_as(&rt, &format!("[{COUNT},{stop}]")).await.status, 403);
    assert!(!test.context.shutdown.is_cancelled());
    assert_eq!(test.post_as(&rt, "[5]").await.status, 400);
    // Who is in no whitelist may call nothing once there is one, but is told of bad JSON.
    assert_eq!(test.post_as("alice:x", COUNT).await.status, 403);
    assert_eq!(test.post_as("alice:x", "{").await.status, 500);
    assert_eq!(test.post(COUNT).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_for_users_without_whitelist_can_be_set() {
    let test = start(|options| {
        options.auth.whitelist = vec!["rt:help".parse().unwrap()];
        options.auth.whitelist_default = Some(false);
    })
    .await;
    assert_eq!(test.post(COUNT).await.status, 200);
    let test = start(|options| options.auth.whitelist_default = Some(true)).await;
    assert_eq!(test.post(COUNT).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_private_and_new_each_time() {
    let test = start(|_| {}).await;
    let path = test.context.directory.join(".cookie");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = test.cookie();
    let (user, password) = first.split_once(':').unwrap();
    assert_eq!(user, "__cookie__");
    assert_eq!(password.len(), 64);
    assert!(password.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));

    // What a crash left behind does no harm, even if others may read it.
    let temporary = test.context.directory.join(".cookie.tmp");
    std::fs::write(&temporary, "left").unwrap();
    std::fs::set_permissions(&temporary, PermissionsExt::from_mode(0o666)).unwrap();
    let options = RpcServerOptions::new(vec!["127.0.0.1:0".parse().unwrap()], &test.context.directory);
    let other = RpcServer::start(options, CancellationToken::new()).await.unwrap();
    assert_ne!(test.cookie(), first);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!temporary.exists());
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_others_can_reach_needs_users() {
    let directory = tempfile::TempDir::new().unwrap();
    let shutdown = CancellationToken::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let bind = vec!["127.0.0.1:0".parse().unwrap(), address.parse().unwrap()];
        let options = RpcServerOptions::new(bind, directory.path());
        let error = RpcServer::start(options, shutdown.clone()).await.unwrap_err();
        assert!(matches!(error, RpcServerError::Exposed { .. }), "{address}: {error}");
        assert!(!directory.path().join(".cookie").exists());
    }
    let mut options = RpcServerOptions::new(vec!["0.0.0.0:0".parse().unwrap()], directory.path());
    options.auth.rpcauth = vec![RPCAUTH.parse().unwrap()];
    let server = RpcServer::start(options, shutdown.clone()).await.unwrap();
    // A port that is taken.
    let taken = server.local_addr();
    let mut options = RpcServerOptions::new(vec![taken], directory.path());
    options.auth.rpcauth = vec![RPCAUTH.parse().unwrap()];
    let error = RpcServer::start(options, shutdown).await.unwrap_err();
    assert!(matches!(error, RpcServerError::Bind { address, .. } if address == taken));
    assert!(directory.path().join(".cookie").exists(), "the cookie of the server that runs stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_shown() {
    let test = start(|options| {
        options.auth.user = Some(("alice".to_owned(), Secret::new("open sesame")));
        options.auth.rpcauth = vec![RPCAUTH.parse().unwrap()];
        assert!(!format!("{options:?}").contains("open sesame"));
        assert!(!format!("{options:?}").contains("7681e9c5"));
    })
    .await;
    let shown = format!("{:?}", test.server);
    let cookie = test.cookie();
    for secret in ["open sesame", "93648e83", cookie.split_once(':').unwrap().1] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let error = "user:hunter2".parse::<super::super::RpcAuth>().unwrap_err();
    assert!(!error.to_string().contains("hunter2"));
}
