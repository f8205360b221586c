//! A connection that is kept.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Result;

/// A client that waits for each answer.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Client {
    pub(crate) fn connect(address: &str, cookie: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let authorization = STANDARD.encode(cookie);
        let head = format!("POST / HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {authorization}\r\n");
        Ok(Self { stream: BufReader::new(stream), head })
    }

    /// The result of a call.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        let answer = self.call_raw(method, params)?;
        result_of(serde_json::from_slice(&answer)?, method)
    }

    /// The whole answer to a call, as bytes.
    pub(crate) fn call_raw(&mut self, method: &str, params: &Value) -> Result<Vec<u8>> {
        self.post(&json!({"id": 1, "method": method, "params": params}).to_string())
    }

    /// Calls a method several times in one request, each of which has to succeed.
    pub(crate) fn call_all(&mut self, method: &str, params: &[Value]) -> Result<()> {
        let calls: Vec<_> = params.iter().map(|params| json!({"id": 1, "method": method, "params": params})).collect();
        let answers: Vec<Value> = serde_json::from_slice(&self.post(&Value::from(calls).to_string())?)?;
        answers.into_iter().try_for_each(|answer| result_of(answer, method).map(drop))
    }

    fn post(&mut self, body: &str) -> Result<Vec<u8>> {
        let mut request = self.head.clone();
        write!(request, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut length = None;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        let mut answer = vec![0; length.ok_or("an answer without a length")?];
        self.stream.read_exact(&mut answer)?;
        Ok(answer)
    }
}

fn result_of(mut answer: Value, method: &str) -> Result<Value> {
    match &answer["error"] {
        Value::Null => Ok(answer["result"].take()),
        error => Err(format!("{method}: {error}").into()),
    }
}
