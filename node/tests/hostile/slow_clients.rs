//! Hundreds of clients that hardly send, or never read what they asked for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::random::Random;

use crate::environment::seed;
use crate::harness::node_process::{Datadir, wait_for};
use crate::http::{Access, Client, PATIENCE};
use crate::process::Usage;
use crate::requests::{ShownLog, check_log, start};

/// Clients that do nothing quickly.
const CLIENTS: usize = 500;
/// How long the server waits for a silent client, in seconds; for a body it waits four times as long altogether.
const TIMEOUT: u64 = 3;
/// How long such a client may hold on: a head or a body that trickles in is cut off as a whole.
const CUT_OFF: Duration = Duration::from_secs(4 * TIMEOUT + 10);
/// How long others may have to wait meanwhile.
const RESPONSE_TIME: Duration = Duration::from_secs(2);
/// The most memory that the node may ever take, in KiB: 256 MiB for answers that are not read, 128 MiB for bodies, and as
/// much for all the rest.
const MOST_MEMORY: usize = 768 << 10;

/// A client that does nothing quickly.
struct SlowClient {
    stream: TcpStream,
    /// What is sent byte by byte.
    drip: Vec<u8>,
    sent: usize,
    /// When the server closed the connection.
    closed: Option<Duration>,
}

impl SlowClient {
    fn new(access: &Access, random: &mut Random, number: usize) -> Self {
        let mut stream = access.connect().unwrap();
        let echo = |length: usize| format!(r#"{{"method":"echo","params":["{}"],"id":1}}"#, "x".repeat(length));
        let (at_once, drip) = match number % 6 {
            // Says nothing.
            0 => (String::new(), String::new()),
            // A head that never ends.
            1 => ("POST / HTTP/1.1\r\n".to_owned(), "X: y\r\n".repeat(1000)),
            // A body that never ends.
            2 => (access.head(100_000), " ".repeat(1000)),
            // Half a request, and nothing more.
            3 => (access.head(100), String::new()),
            // An answer that is not read, of which there are some large ones.
            4 => {
                let body = echo(if number < 60 { 4 << 20 } else { random.between(1, 2000) });
                (access.head(body.len()) + &body, String::new())
            }
            // Many requests whose answers are not read.
            _ => {
                let body = r#"{"method":"help","id":1}"#;
                ((access.head(body.len()) + body).repeat(random.between(1, 300)), String::new())
            }
        };
        // The server reads no further than it has room.
        stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let _ = stream.write_all(at_once.as_bytes());
        stream.set_nonblocking(true).unwrap();
        Self { stream, drip: drip.into_bytes(), sent: 0, closed: None }
    }

    /// Sends a byte, if it is a client that sends any.
    fn drip(&mut self) {
        if let Some(byte) = self.drip.get(self.sent) {
            self.sent += usize::from(self.stream.write(&[*byte]).is_ok());
        }
    }

    /// Reads all there is. True if there will be no more.
    fn is_closed(&mut self) -> bool {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }
}

#[test]
fn slow_clients_are_cut_off_and_harm_nobody() {
    let mut random = Random::new(seed());
    let datadir = Datadir::new();
    let (node, log) = start(&datadir, &["--rpc-server-timeout", &TIMEOUT.to_string()]);
    let _shown = ShownLog(&log);
    let access = Access::of(&datadir, &node);
    access.call("getblockcount", "[]");
    let before = Usage::of(node.id());

    let begin = Instant::now();
    let mut clients: Vec<SlowClient> =
        (0..CLIENTS).map(|number| SlowClient::new(&access, &mut random, number)).collect();
    println!("{CLIENTS} clients after {:.1?}, {:?}", begin.elapsed(), Usage::of(node.id()));
    let mut normal = Client::new(access.clone());
    let mut slowest = Duration::ZERO;
    let begin = Instant::now();
    while begin.elapsed() < CUT_OFF {
        for client in &mut clients {
            client.drip();
        }
        let asked = Instant::now();
        let response = normal.post(br#"{"method":"getblockcount","id":1}"#, PATIENCE).unwrap();
        assert_eq!(response.status, 200, "{response:?}");
        // One on a connection of its own, with an answer of some size.
        access.call("help", "[]");
        slowest = slowest.max(asked.elapsed());
        assert!(asked.elapsed() < RESPONSE_TIME, "two answers took {:?}", asked.elapsed());
        thread::sleep(Duration::from_millis(100));
        // Those that send or say nothing are looked after; the others must be cut off without anybody reading.
        for client in clients.iter_mut().filter(|client| client.closed.is_none()) {
            let mut byte = [0];
            if matches!(client.stream.peek(&mut byte), Ok(0)) {
                client.closed = Some(begin.elapsed());
            }
        }
    }
    let usage = Usage::of(node.id());
    println!("two answers took {slowest:.1?} at most; {usage:?}");
    // All are closed, though none of them read anything so far.
    assert!(usage.files <= before.files + 2, "before {before:?}, now {usage:?}");
    assert!(clients.iter_mut().all(SlowClient::is_closed));
    assert!(usage.most_resident < MOST_MEMORY, "{usage:?}");
    wait_for("threads to be given back", || (Usage::of(node.id()).threads <= before.threads + 2).then_some(()));
    check_log(&log);
    access.call("stop", "[]");
    assert_eq!(node.wait().status.code(), Some(0));
}
