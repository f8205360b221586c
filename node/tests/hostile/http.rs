//! A client that says what it is told to.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::node_process::{Datadir, Node};

/// Time after which a node that does not answer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What is said of a connection that the other side has closed.
const CLOSED: [ErrorKind; 3] = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];

/// Where the node is, and the password.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) address: SocketAddr,
    pub(crate) authorization: String,
}

impl Access {
    pub(crate) fn of(datadir: &Datadir, node: &Node) -> Self {
        let cookie = fs::read(datadir.path().join("regtest").join(".cookie")).unwrap();
        Self {
            address: node.endpoints["rpc"][0].as_str().unwrap().parse().unwrap(),
            authorization: format!("Basic {}", STANDARD.encode(cookie)),
        }
    }

    /// A connection.
    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// The head of a request with a body of so many bytes.
    pub(crate) fn head(&self, length: usize) -> String {
        format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Length: {length}\r\n\r\n",
            self.address, self.authorization
        )
    }

    /// The result of a method; panics on an error.
    pub(crate) fn call(&self, method: &str, params: &str) -> Value {
        self.try_call(method, params).unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// What a method answers.
    pub(crate) fn try_call(&self, method: &str, params: &str) -> Result<Value, Value> {
        let body = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{params}}}"#);
        let response = Client::new(self.clone()).post(body.as_bytes(), PATIENCE).map_err(|error| error.to_string())?;
        let reply = serde_json::from_slice(&response.body);
        let mut reply: Value = reply.map_err(|_| format!("status {}", response.status))?;
        match reply["error"].take() {
            Value::Null => Ok(reply["result"].take()),
            error => Err(error),
        }
    }
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) is_json: bool,
    pub(crate) closes: bool,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Whether it tells of an error of a single call.
    pub(crate) fn has_error(&self) -> bool {
        self.body.windows(9).any(|window| window == b"\"error\":{")
    }
}

/// A client that keeps its connection as long as it may.
#[derive(Debug)]
pub(crate) struct Client {
    access: Access,
    stream: Option<TcpStream>,
}

impl Client {
    pub(crate) fn new(access: Access) -> Self {
        Self { access, stream: None }
    }

    /// Sends a body and reads the answer. A client that is not answered in time goes away.
    pub(crate) fn post(&mut self, body: &[u8], patience: Duration) -> io::Result<Response> {
        if let Some(stream) = self.stream.take() {
            match self.post_on(stream, body, patience) {
                // The server may have closed a connection that was not used for a while.
                Err(error) if CLOSED.contains(&error.kind()) => {}
                answer => return answer,
            }
        }
        self.post_on(self.access.connect()?, body, patience)
    }

    fn post_on(&mut self, mut stream: TcpStream, body: &[u8], patience: Duration) -> io::Result<Response> {
        stream.set_read_timeout(Some(patience))?;
        let sent = stream.write_all(self.access.head(body.len()).as_bytes()).and_then(|()| stream.write_all(body));
        // A server that refuses the head does not wait for the body: then there is an answer all the same.
        let mut bytes = Vec::new();
        let response = loop {
            if let Some((response, length)) = parse_response(&bytes, false)? {
                if length < bytes.len() {
                    return Err(invalid("an answer that nobody waits for"));
                }
                break response;
            }
            if !receive(&mut stream, &mut bytes)? {
                return Err(sent.err().unwrap_or_else(|| ErrorKind::UnexpectedEof.into()));
            }
        };
        if !response.closes && sent.is_ok() {
            self.stream = Some(stream);
        }
        Ok(response)
    }
}

/// Sends bytes on a connection of their own, and reads all answers until the server closes it.
pub(crate) fn exchange(access: &Access, bytes: &[u8], half_close: bool) -> io::Result<Vec<Response>> {
    let mut stream = access.connect()?;
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes);
    if half_close {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let start = Instant::now();
    loop {
        match receive(&mut stream, &mut answer) {
            Ok(true) if start.elapsed() > PATIENCE => return Err(ErrorKind::TimedOut.into()),
            Ok(true) => {}
            Ok(false) => break,
            // What the server did not read makes it reset the connection.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => break,
            Err(error) => return Err(error),
        }
    }
    let mut responses = Vec::new();
    let mut rest = &answer[..];
    while let Some((response, length)) = parse_response(rest, bytes.starts_with(b"HEAD "))? {
        rest = &rest[length..];
        responses.push(response);
    }
    if rest.is_empty() { Ok(responses) } else { Err(invalid("half an answer")) }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}

/// Reads what there is. False at the end of the connection.
pub(crate) fn receive(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 32 << 10];
    let length = stream.read(&mut chunk)?;
    bytes.extend_from_slice(&chunk[..length]);
    Ok(length > 0)
}

/// The response that bytes begin with, and its length; none if it has not come completely.
fn parse_response(bytes: &[u8], is_for_head: bool) -> io::Result<Option<(Response, usize)>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| invalid("a head that is no text"))?.to_lowercase();
    let status = head.strip_prefix("http/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    let status: u16 = status.ok_or_else(|| invalid("no status"))?;
    let header = |name: &str| {
        let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
    };
    let length: usize = header("content-length").map_or(Ok(0), str::parse).map_err(|_| invalid("no length"))?;
    let body = end + 4;
    let total = if is_for_head { body } else { body + length };
    if bytes.len() < total {
        return Ok(None);
    }
    // What comes before the answer (RFC 9110, section 15.2).
    if status == 100 {
        let answer = parse_response(&bytes[total..], is_for_head)?;
        return Ok(answer.map(|(response, length)| (response, total + length)));
    }
    let is_json = header("content-type") == Some("application/json");
    let closes = header("connection") == Some("close");
    Ok(Some((Response { status, is_json, closes, body: bytes[body..total].to_vec() }, total)))
}
