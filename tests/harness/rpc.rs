//! JSON-RPC by hand, so that what tests ask the node for owes nothing to any client.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::node_process::{Datadir, Node, PATIENCE};

/// Where a node answers JSON-RPC, and as whom to ask.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    address: SocketAddr,
    cookie: String,
}

/// What the node says to one call; the result is the text that it sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Reply {
    pub(crate) result: Option<Box<RawValue>>,
    pub(crate) error: Option<Failure>,
}

/// An error of JSON-RPC.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    pub(crate) message: String,
}

impl Rpc {
    /// The JSON-RPC of a node that runs, with its cookie.
    pub(crate) fn of(datadir: &Datadir, network: &str, node: &Node) -> Self {
        let address = node.endpoints["rpc"][0].as_str().unwrap().parse().unwrap();
        let cookie = fs::read_to_string(datadir.path().join(network).join(".cookie")).unwrap();
        Self { address, cookie }
    }

    /// Where clients find it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls a method with positional parameters, as version 1.0 of JSON-RPC.
    pub(crate) fn reply(&self, method: &str, params: &Value) -> Reply {
        let body = json!({ "id": 1, "method": method, "params": params }).to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            STANDARD.encode(self.cookie.trim()),
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{method}: {error}: {answer}"))
    }

    /// The text of a result.
    pub(crate) fn text(&self, method: &str, params: &Value) -> String {
        let reply = self.reply(method, params);
        assert_eq!(reply.error, None, "{method} {params}");
        reply.result.map_or_else(|| "null".to_owned(), |result| result.get().to_owned())
    }

    /// A result.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        serde_json::from_str(&self.text(method, params)).unwrap()
    }

    /// The error of a call that fails.
    pub(crate) fn failure(&self, method: &str, params: &Value) -> Failure {
        self.reply(method, params).error.unwrap_or_else(|| panic!("{method} {params} succeeds"))
    }
}
