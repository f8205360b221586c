use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches};

use super::super::{Cli, Command};
use super::params::from_words;
use super::*;
use crate::rpc::testing::RpcTest;

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_owned()).collect()
}

fn params(method: &str, text: &[&str]) -> Result<String, String> {
    from_words(method, &words(text))
}

#[test]
fn words_become_what_the_table_says() {
    let good: &[(&str, &[&str], &str)] = &[
        ("getblockcount", &[], "[]"),
        ("getblockhash", &["5"], "[5]"),
        ("getblockhash", &["-1"], "[-1]"),
        ("getblockhash", &["height=5"], r#"{"height":5}"#),
        ("getblockhash", &["height=5", "height=6"], r#"{"height":6}"#),
        ("getblockheader", &["00ff", "false"], r#"["00ff",false]"#),
        ("getblockheader", &["5", "true"], r#"["5",true]"#),
        ("getblockheader", &["verbose=false", "00ff"], r#"{"verbose":false,"args":["00ff"]}"#),
        ("getblockheader", &["blockhash=a=b"], r#"{"blockhash":"a=b"}"#),
        // No name, and a name the method lacks: for the node to tell.
        ("getblockheader", &["a b=c"], r#"["a b=c"]"#),
        ("getblockheader", &["hash=00ff"], r#"{"hash":"00ff"}"#),
        ("help", &["a=b"], r#"["a=b"]"#),
        ("help", &["command=stop"], r#"{"command":"stop"}"#),
        ("echo", &["1", "\"x\"", "{}", "arg5=7"], r#"{"arg5":"7","args":["1","\"x\"","{}"]}"#),
        ("echojson", &["1", "\"x\"", "{}", "1.10", "null"], r#"[1,"x",{},1.10,null]"#),
        // A string is one without quotes here too, as any type is let through.
        ("echojson", &["x"], r#"["x"]"#),
        ("getblockcount", &["x", "1"], r#"["x",1]"#),
        ("newmethod", &["x", "1", "a=2", "b=y"], r#"{"a":2,"b":"y","args":["x",1]}"#),
        ("getblockhash", &["args=[1]"], r#"{"args":[1]}"#),
    ];
    for (method, text, expected) in good {
        assert_eq!(params(method, text).unwrap(), *expected, "{method} {text:?}");
    }
    assert_eq!(params("getblockhash", &["five"]).unwrap_err(), "height must be JSON, got five");
    assert_eq!(params("getblockheader", &["00", "verbose=maybe"]).unwrap_err(), "verbose must be JSON, got maybe");
}

/// Runs a command line against a node.
async fn cairn(test: &RpcTest, text: &[&str]) -> Result<String, (String, String)> {
    cairn_at(test, test.address().port(), text).await
}

async fn cairn_at(test: &RpcTest, port: u16, text: &[&str]) -> Result<String, (String, String)> {
    let datadir = test.directory.path().to_str().unwrap().to_owned();
    let port = port.to_string();
    let mut line = vec!["cairn", "rpc", "--network", "regtest", "--datadir", &datadir, "--rpc-port", &port];
    line.extend(text);
    let matches = Cli::command().try_get_matches_from(line).unwrap();
    let Command::Rpc(args) = Cli::from_arg_matches(&matches).unwrap().command else { unreachable!() };
    let run = move || {
        run(&args, &Given::new(&matches)).map_err(|error| {
            let code = error.downcast_ref::<Failure>().map(Failure::exit_code);
            (format!("{code:?}"), error.to_string())
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn code(code: u8) -> String {
    format!("{:?}", Some(std::process::ExitCode::from(code)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_called() {
    let test = RpcTest::start(2).await;
    assert_eq!(cairn(&test, &["getblockcount"]).await.unwrap(), "2\n");
    let genesis = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
    assert_eq!(cairn(&test, &["getblockhash", "0"]).await.unwrap(), format!("{genesis}\n"));
    let header = cairn(&test, &["getblockheader", &format!("blockhash={genesis}")]).await.unwrap();
    assert!(header.starts_with(&format!("{{\n  \"hash\": \"{genesis}\",\n  \"confirmations\": 3,\n")), "{header}");
    assert!(header.contains("\n  \"difficulty\": 4.656542373906925e-10,\n"), "{header}");
    assert_eq!(cairn(&test, &["echojson", "1.10", "[]", "null"]).await.unwrap(), "[\n  1.10,\n  [],\n  null\n]\n");
    let out_of_range = "Block height out of range (code -8)".to_owned();
    assert_eq!(cairn(&test, &["getblockhash", "-1"]).await.unwrap_err(), (code(8), out_of_range));
    let not_found = cairn(&test, &["nothinglikeit"]).await.unwrap_err();
    assert_eq!(not_found, (code((32601_u32 & 0xff) as u8), "Method not found (code -32601)".to_owned()));
    assert_eq!(cairn(&test, &["getblockhash", "x"]).await.unwrap_err().0, code(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_node_is_told() {
    let test = RpcTest::start_with(0, |_| {}).await;
    let starting = "RPC server started (code -28)".to_owned();
    assert_eq!(cairn(&test, &["uptime"]).await.unwrap_err(), (code(28), starting));
    test.server.warmup().finish(Arc::clone(&test.context));

    let cookie = test.context.directory.join(".cookie");
    let text = test.cookie();
    std::fs::write(&cookie, "__cookie__:00").unwrap();
    let (exit, message) = cairn(&test, &["uptime"]).await.unwrap_err();
    assert!(exit == "None" && message.contains("does not accept the cookie"), "{exit} {message}");
    std::fs::remove_file(&cookie).unwrap();
    let (exit, message) = cairn(&test, &["uptime"]).await.unwrap_err();
    assert!(exit == "None" && message.contains("there is no cookie"), "{exit} {message}");

    // Once more with the cookie's password, as a user's.
    let file = test.directory.path().join("password");
    std::fs::write(&file, text.split_once(':').unwrap().1.to_owned() + "\n").unwrap();
    let user = ["--rpc-user", "__cookie__", "--rpc-password-file", file.to_str().unwrap(), "getblockcount"];
    assert_eq!(cairn(&test, &user).await.unwrap(), "0\n");
    std::fs::write(&file, "wrong").unwrap();
    let (exit, message) = cairn(&test, &user).await.unwrap_err();
    assert!(exit == "None" && message.ends_with("does not accept the user and password"), "{exit} {message}");

    // A free port is one nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (exit, message) = cairn_at(&test, free, &["uptime"]).await.unwrap_err();
    assert!(exit == code(3) && message.contains("does not answer"), "{exit} {message}");
}
