//! How a node starts and ends.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use crate::harness::node_process::{Datadir, HEIGHT, chain, wait_for};

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn status(datadir: &Datadir) -> Value {
    let output = datadir.run(&["chain", "status", "--network", "regtest", "--json"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn both_signals_end_a_node_in_order() {
    let datadir = Datadir::with_chain();
    for name in ["TERM", "INT"] {
        let node = datadir.start("regtest", &[]);
        assert_eq!(node.endpoints["pid"], node.id());
        node.signal(name);
        let output = node.wait();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = said(&output);
        let tip = format!("tip       height {}, {}", HEIGHT, chain().tip());
        for line in [tip.as_str(), "cairn 0.", "network regtest", "/metrics", "writing the chain state", "has stopped"]
        {
            assert!(said.contains(line), "{said}");
        }
        assert!(!datadir.path().join("regtest").join("endpoints.json").exists());
        assert_eq!(status(&datadir)["tip"], chain().tip().to_string());
    }
}

/// A request that never ends keeps the node from stopping for a while.
#[test]
fn a_second_signal_ends_a_node_at_once() {
    let datadir = Datadir::with_chain();
    let node = datadir.start("regtest", &[]);
    let mut slow = TcpStream::connect(node.endpoints["metrics"][0].as_str().unwrap()).unwrap();
    slow.write_all(b"GET /metr").unwrap();
    assert!(node.get("/healthy").starts_with("HTTP/1.1 200 "));
    node.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    node.signal("INT");
    assert_eq!(node.wait().status.code(), Some(5));
    assert_eq!(status(&datadir)["height"], HEIGHT);
}

#[test]
fn a_second_node_for_the_same_data_is_told_so() {
    let datadir = Datadir::new();
    let node = datadir.start("regtest", &[]);
    // Even at the same port the directory is what matters.
    let port = node.endpoints["metrics"][0].as_str().unwrap();
    for listen in [port, "127.0.0.1:0"] {
        let output = datadir.run(&["run", "--network", "regtest", "--metrics-listen", listen]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let expected = "is in use by another process; end that process, or choose another directory with --datadir\n";
        assert!(said(&output).ends_with(expected), "{output:?}");
    }
    assert!(node.get("/healthy").starts_with("HTTP/1.1 200 "));
    // Another network is other data.
    datadir.start("devnet", &[]).stop();
    node.stop();
}

#[test]
fn variables_name_the_node_unless_an_option_does() {
    let datadir = Datadir::new();
    let node = datadir.start("regtest", &[]);
    let url = format!("http://{}", node.endpoints["rpc"][0].as_str().unwrap());
    let elsewhere = Datadir::new();
    let ask = |url: &str, options: &[&str]| {
        let mut command = elsewhere.command(&[&["rpc"], options, &["getblockcount"]].concat());
        command.env("CAIRN_RPC_URL", url).env("CAIRN_RPC_COOKIE", datadir.path().join("regtest/.cookie"));
        command.output().unwrap()
    };
    let output = ask(&url, &[]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"0\n"[..]), "{output:?}");
    // A port at which nobody answers.
    assert_eq!(ask(&url, &["--rpc-port", "1"]).status.code(), Some(3));
    assert!(said(&ask("127.0.0.1", &[])).contains("expected CAIRN_RPC_URL to be such as http://127.0.0.1:8332"));
    node.stop();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let datadir = Datadir::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = datadir.run(&["run", "--network", "regtest", "--metrics-port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = said(&output);
    assert!(
        said.contains(&format!("error: cannot serve metrics at 127.0.0.1:{port}: Address already in use")),
        "{said}"
    );
    assert!(said.contains("--metrics-port 0 serves none"), "{said}");
}

#[test]
fn a_node_that_was_killed_starts_again() {
    let datadir = Datadir::with_chain();
    for _ in 0..3 {
        let node = datadir.start("regtest", &[]);
        node.signal("KILL");
        assert_eq!(node.wait().status.signal(), Some(9));
        assert!(datadir.path().join("regtest").join("endpoints.json").exists());
    }
    datadir.start("regtest", &[]).stop();
    assert_eq!(status(&datadir)["height"], HEIGHT);
}

#[test]
fn a_supervisor_is_told_when_the_node_runs_and_stops() {
    let datadir = Datadir::new();
    let path = datadir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut messages = Vec::new();
    let mut receive_until = |wanted: &str| {
        let mut buffer = [0; 4096];
        while !messages.iter().any(|message: &String| message.contains(wanted)) {
            let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{wanted}: {error}: {messages:?}"));
            messages.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        messages.clone()
    };
    let child = datadir.node_command("regtest", &[]).env("NOTIFY_SOCKET", &path).spawn().unwrap();
    let node = datadir.attach("regtest", child);
    let messages = receive_until("READY=1\n");
    assert!(messages[0].contains("STATUS=Loading block index…\n"), "{messages:?}");
    assert!(messages.last().unwrap().contains("STATUS=network regtest, height 0\n"), "{messages:?}");
    node.signal("TERM");
    receive_until("STOPPING=1\n");
    assert_eq!(node.wait().status.code(), Some(0));
}

#[test]
fn log_lines_can_be_objects() {
    let datadir = Datadir::new();
    let said = datadir.start("regtest", &["--log-format", "json"]).stop();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let running = lines.iter().find(|line| line["message"] == "running").unwrap();
    assert_eq!(
        (&running["network"], &running["height"], &running["level"]),
        (&"regtest".into(), &0.into(), &"INFO".into())
    );
}

#[test]
fn how_much_is_logged_can_be_chosen() {
    let datadir = Datadir::new();
    assert_eq!(datadir.start("regtest", &["-q"]).stop(), "");
    assert!(datadir.start("regtest", &["-v"]).stop().contains("DEBUG"));
    assert!(!datadir.start("regtest", &[]).stop().contains("DEBUG"));
    let only = datadir.start("regtest", &["--log-filter", "cairn::chain_service=info"]).stop();
    let lines: Vec<_> = only.lines().filter(|line| line.contains("INFO")).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("cairn::chain_service")), "{only}");
}

#[test]
fn metrics_can_be_off() {
    let datadir = Datadir::new();
    let mut child =
        datadir.command(&["run", "--network", "regtest", "--metrics-port", "0", "--rpc-port", "0"]).spawn().unwrap();
    let file = datadir.path().join("regtest").join("endpoints.json");
    let endpoints: Value = wait_for("the node to run", || serde_json::from_slice(&fs::read(&file).ok()?).unwrap());
    assert_eq!(endpoints["metrics"], Value::Array(Vec::new()));
    child.kill().unwrap();
    child.wait().unwrap();
}
