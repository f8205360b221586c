//! Calls of a node that runs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Datadir, Node};

/// Time after which a call that is not answered is an error.
const PATIENCE: Duration = Duration::from_secs(60);

/// Calls a method of a node on regtest: its result, or its error.
pub(crate) fn try_call(datadir: &Datadir, node: &Node, method: &str, params: &Value) -> Result<Value, Value> {
    let cookie = fs::read_to_string(datadir.path().join("regtest").join(".cookie")).unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let address = node.endpoints["rpc"][0].as_str().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let authorization = STANDARD.encode(cookie);
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Basic {authorization}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut answer: Value = serde_json::from_str(body).unwrap();
    match answer.get_mut("error") {
        Some(error) => Err(error.take()),
        None => Ok(answer["result"].take()),
    }
}

/// The result of a call that succeeds.
pub(crate) fn call(datadir: &Datadir, node: &Node, method: &str, params: &Value) -> Value {
    try_call(datadir, node, method, params).unwrap_or_else(|error| panic!("{method} {params}: {error}"))
}
