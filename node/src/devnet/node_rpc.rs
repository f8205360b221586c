//! JSON-RPC of a node of ours.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::DevnetError;
use crate::rpc::Secret;

/// The longest answer that is read, in bytes: a block in hex is 8 MB.
const MAX_ANSWER: usize = 64 << 20;
/// How long an ordinary call may take.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// One call: the method and its parameters.
pub(crate) type RpcCall = (&'static str, Value);

/// A node that can be called.
#[derive(Debug, Clone)]
pub(crate) struct NodeRpc {
    /// Its name, for messages.
    name: String,
    address: SocketAddr,
    /// User and password, separated by a colon.
    user_password: Secret,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    result: Value,
    error: Option<ReplyError>,
}

#[derive(Deserialize)]
struct ReplyError {
    code: i64,
    message: String,
}

impl NodeRpc {
    /// The node with this name at an address, and the content of its cookie.
    pub(crate) fn new(name: &str, address: SocketAddr, cookie: &str) -> Self {
        Self { name: name.to_owned(), address, user_password: Secret::new(cookie.trim_end()) }
    }

    /// Calls a method.
    ///
    /// # Errors
    ///
    /// When the node does not answer, or answers with an error.
    pub(crate) async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, DevnetError> {
        self.call_within(CALL_TIMEOUT, method, params).await
    }

    /// Calls a method that may take another time than most.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub(crate) async fn call_within<T: DeserializeOwned>(
        &self,
        limit: Duration,
        method: &str,
        params: Value,
    ) -> Result<T, DevnetError> {
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
        let reply: Reply = self.exchange(limit, method, &body).await?;
        self.read(method, reply)
    }

    /// Calls several methods, one after the other. The results in the same order.
    ///
    /// # Errors
    ///
    /// As [`Self::call`], for the first that fails.
    pub(crate) async fn batch(&self, limit: Duration, calls: &[RpcCall]) -> Result<Vec<Value>, DevnetError> {
        let method = calls.first().map_or("nothing", |(method, _)| *method);
        let request =
            |(method, params): &RpcCall| json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
        let body: Vec<Value> = calls.iter().map(request).collect();
        let replies: Vec<Reply> = self.exchange(limit, method, &Value::from(body)).await?;
        if replies.len() != calls.len() {
            let reason = format!("expected {} answers, got {}", calls.len(), replies.len());
            return Err(self.unanswered(method, reason));
        }
        calls.iter().zip(replies).map(|((method, _), reply)| self.read(method, reply)).collect()
    }

    fn read<T: DeserializeOwned>(&self, method: &str, reply: Reply) -> Result<T, DevnetError> {
        if let Some(ReplyError { code, message }) = reply.error {
            return Err(DevnetError::Refused { name: self.name.clone(), method: method.to_owned(), code, message });
        }
        serde_json::from_value(reply.result).map_err(|error| self.unanswered(method, error.to_string()))
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        limit: Duration,
        method: &str,
        body: &Value,
    ) -> Result<T, DevnetError> {
        let answer = match timeout(limit, self.post(body.to_string())).await {
            Ok(answer) => answer.map_err(|error| self.unanswered(method, error.to_string()))?,
            Err(_) => return Err(self.unanswered(method, format!("no answer within {} s", limit.as_secs()))),
        };
        serde_json::from_slice(&answer).map_err(|error| {
            let start: String = String::from_utf8_lossy(&answer).chars().take(200).collect();
            self.unanswered(method, format!("{error} in {start:?}"))
        })
    }

    /// Sends a body on a connection of its own, and waits for the answer.
    async fn post(&self, body: String) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = hyper::Request::post("/")
            .header(HOST, self.address.to_string())
            .header(CONNECTION, "close")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(self.user_password.reveal())))
            .body(Full::new(Bytes::from(body)))?;
        let answer = async move {
            let response = sender.send_request(request).await?;
            if response.status() == hyper::StatusCode::UNAUTHORIZED {
                return Err("it does not accept our cookie".into());
            }
            Ok(Limited::new(response.into_body(), MAX_ANSWER).collect().await?.to_bytes())
        };
        // The connection ends with the answer, and says nothing that the answer does not.
        tokio::join!(answer, connection).0
    }

    fn unanswered(&self, method: &str, reason: String) -> DevnetError {
        DevnetError::Unanswered { name: self.name.clone(), method: method.to_owned(), reason }
    }
}
