//! One HTTP request.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::failure::Failure;
use super::connection::Connection;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Posts a body. In HTTP/1.0, whose answers end with the connection.
pub(super) fn post(connection: &Connection, body: &str) -> Result<Response, Failure> {
    let stream = connect(connection).map_err(|error| connection.unreachable(error))?;
    let text = exchange(stream, connection, body).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => connection.unreachable("it takes too long"),
        _ => connection.unreachable(error),
    })?;
    parse(&text).ok_or_else(|| connection.unreachable("what came back is not HTTP, or not all of it"))
}

/// Tries each of the addresses that the host has.
fn connect(connection: &Connection) -> io::Result<TcpStream> {
    // As in URLs, an IPv6 address may be in brackets.
    let host = connection.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&connection.host);
    let mut outcome = Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
    for address in (host, connection.port).to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn exchange(mut stream: TcpStream, connection: &Connection, body: &str) -> io::Result<String> {
    stream.set_read_timeout(connection.timeout)?;
    stream.set_write_timeout(connection.timeout)?;
    let mut head = format!(
        "POST / HTTP/1.0\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        connection.host,
        body.len()
    );
    if let Some(user_password) = &connection.user_password {
        head += &format!("Authorization: Basic {}\r\n", STANDARD.encode(user_password.reveal()));
    }
    head += "\r\n";
    // A node that has heard enough answers before it has read all.
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => Ok(text),
        Ok(_) => sent.and(Err(io::ErrorKind::UnexpectedEof.into())),
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> Option<Response> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    match length {
        Some(Ok(length)) if length != body.len() => None,
        Some(Err(_)) => None,
        _ => Some(Response { status, body: body.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_whole_or_none() {
        let response = |status, body: &str| Some(Response { status, body: body.to_owned() });
        assert_eq!(parse("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab"), response(200, "ab"));
        assert_eq!(parse("HTTP/1.1 503 Service Unavailable\r\n\r\nab"), response(503, "ab"));
        assert_eq!(parse("HTTP/1.1 204\r\n\r\n"), response(204, ""));
        for text in [
            "",
            "x",
            "HTTP/1.0 200 OK\r\n",
            "HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nab",
            "HTTP/1.0 200 OK\r\ncontent-length: x\r\n\r\nab",
            "HTTP/1.0\r\n\r\n",
            "SSH-2.0 200\r\n\r\n",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
