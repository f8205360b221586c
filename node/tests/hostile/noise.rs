//! HTTP that is wrong, or none at all.

use cairn_tests::random::Random;

use crate::calls::call;
use crate::world::World;

/// Statuses of requests that are no HTTP, or of heads beyond their bounds. Core knows 400 alone; the others are those of RFC
/// 6585, section 5, and RFC 9110, section 15.5.15.
const NO_HTTP: &[u16] = &[400, 414, 431];

/// Bytes for a connection of their own.
#[derive(Debug)]
pub(crate) struct Noise {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Whether the client says that it will send no more; otherwise the server must close the connection by itself.
    pub(crate) half_close: bool,
    /// What the first answer may be; none if there need not be any.
    pub(crate) statuses: Option<&'static [u16]>,
}

const COUNT: &str = r#"{"method":"getblockcount","id":1}"#;
/// Where the password goes.
pub(crate) const AUTHORIZATION: &str = "Authorization: PASSWORD\r\n";

/// Noise that comes of this randomness.
pub(crate) fn noise(random: &mut Random, world: &World) -> Noise {
    // Wrong passwords cost a quarter of a second each.
    match random.below(100) {
        0..15 => method(random),
        15..30 => path(random),
        30..38 => without_password(random),
        38..40 => wrong_password(random),
        40..55 => wrong_length(random),
        55..70 => chunks(random),
        70..80 => head(random),
        80..87 => pipelined(random, world),
        _ => garbage(random),
    }
}

fn noise_of(kind: &'static str, text: impl Into<Vec<u8>>, half_close: bool, statuses: Option<&'static [u16]>) -> Noise {
    Noise { kind, bytes: text.into(), half_close, statuses }
}

/// A request that is right, with something in the place of its first line and more headers.
fn with(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("{line}\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

fn method(random: &mut Random) -> Noise {
    let (method, statuses): (_, &[u16]) = random.pick(&[
        ("GET", [405].as_slice()),
        ("HEAD", &[405]),
        ("PUT", &[405]),
        ("DELETE", &[405]),
        ("OPTIONS", &[405]),
        ("PATCH", &[405]),
        ("TRACE", &[405]),
        ("post", &[400, 405]),
        ("FOO", &[400, 405]),
        ("P\u{f6}ST", &[400]),
        ("", &[400]),
    ]);
    noise_of("method", with(&format!("{method} / HTTP/1.1"), AUTHORIZATION, COUNT), false, Some(statuses))
}

fn path(random: &mut Random) -> Noise {
    let (path, statuses): (_, &[u16]) = random.pick(&[
        ("/x", [404].as_slice()),
        ("//", &[404]),
        ("/wallet", &[404]),
        ("/wallet/a", &[200]),
        ("/wallet/%00%ff", &[200]),
        ("/?a=b", &[404]),
        ("/../etc/passwd", &[404]),
        ("*", &[404, 400]),
        ("x", &[400, 404]),
        ("http://x/", &[200, 404]),
        ("/ /", &[400]),
        ("/\u{0}", &[400]),
        ("", &[400]),
    ]);
    noise_of("path", with(&format!("POST {path} HTTP/1.1"), AUTHORIZATION, COUNT), false, Some(statuses))
}

fn without_password(random: &mut Random) -> Noise {
    let body = random.pick(&[COUNT, "", "garbage"]);
    noise_of("no password", with("POST / HTTP/1.1", "", body), false, Some(&[401]))
}

fn wrong_password(random: &mut Random) -> Noise {
    let header = random.pick(&[
        "Basic ",
        "Basic YTpi",
        "Basic !!!!",
        "Bearer x",
        "",
        "basic YTpi",
        "Basic X19jb29raWVfXzo=",
        "Basic Og==",
    ]);
    noise_of(
        "wrong password",
        with("POST / HTTP/1.1", &format!("Authorization: {header}\r\n"), COUNT),
        false,
        Some(&[401]),
    )
}

/// Lengths that are none, or are not those of the body.
fn wrong_length(random: &mut Random) -> Noise {
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{AUTHORIZATION}");
    let (length, half_close, statuses): (_, _, Option<&[u16]>) = random.pick(&[
        ("-1", false, Some([400].as_slice())),
        ("x", false, Some(&[400])),
        ("99999999999999999999999", false, Some(&[400])),
        // A length that hyper keeps for itself, and takes for a head without bounds.
        ("18446744073709551615", false, Some(&[400, 413, 431])),
        ("9223372036854775807", false, Some(&[413])),
        ("33554433", false, Some(&[413])),
        ("33, 33", false, Some(&[200, 400])),
        ("33\r\nContent-Length: 34", false, Some(&[400])),
        ("+33", false, Some(&[400, 200])),
        (" 33 ", false, Some(&[200])),
        // Less than was sent.
        ("0", false, Some(&[500])),
        ("10", false, Some(&[500])),
        // More than will be sent.
        ("34", true, None),
        ("33554432", true, None),
    ]);
    noise_of("length", format!("{head}Content-Length: {length}\r\n\r\n{COUNT}"), half_close, statuses)
}

/// Bodies in chunks, right and wrong.
fn chunks(random: &mut Random) -> Noise {
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{AUTHORIZATION}");
    let (first, second) = COUNT.split_at(10);
    let length = second.len();
    // The encoding counts, not the length (RFC 9112, section 6.3).
    let coding =
        random.pick(&["Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"]);
    let right = format!("a\r\n{first}\r\n{length:x}\r\n{second}\r\n0\r\n\r\n");
    let (body, half_close, statuses): (String, _, Option<&[u16]>) = match random.below(9) {
        0 => (right, false, Some(&[200, 400])),
        1 => {
            (format!("A;x=y\r\n{first}\r\n{length:X}\r\n{second}\r\n0\r\nTrailer: x\r\n\r\n"), false, Some(&[200, 400]))
        }
        2 => (format!("g\r\n{right}"), false, Some(&[400, 408])),
        3 => (format!("-1\r\n{right}"), false, Some(&[400, 408])),
        4 => ("ffffffffffffffff\r\nx".to_owned(), true, None),
        5 => ("fffffffffffffffffffff\r\nx".to_owned(), false, Some(&[400, 408])),
        6 => (right[..random.below(right.len() - 2)].to_owned(), true, None),
        7 => (format!("a;{}\r\n{right}", "x".repeat(100_000)), false, Some(&[200, 400, 408])),
        _ => (format!("{}0\r\n\r\n", "1\r\n \r\n".repeat(5000)), false, Some(&[400, 500])),
    };
    noise_of("chunks", format!("{head}{coding}\r\n{body}"), half_close, statuses)
}

/// Heads that are too long, or have lines that are none.
fn head(random: &mut Random) -> Noise {
    let refused = Some(NO_HTTP);
    let (text, statuses) = match random.below(10) {
        0 => (with("POST / HTTP/1.1", &format!("X: {}\r\n", "x".repeat(100_000)), COUNT), refused),
        1 => (with("POST / HTTP/1.1", &"X: y\r\n".repeat(3000), COUNT), refused),
        2 => (with(&format!("POST /{} HTTP/1.1", "x".repeat(100_000)), "", COUNT), refused),
        3 => (with("POST / HTTP/1.1", "no colon\r\n", COUNT), refused),
        4 => (with("POST / HTTP/1.1", "X : y\r\n", COUNT), refused),
        5 => (with("POST / HTTP/1.1", "X: a\r\n folded\r\n", COUNT), refused),
        6 => (with("POST / HTTP/1.1", "X: \u{0}\r\n", COUNT), refused),
        7 => (with("POST / HTTP/9.9", AUTHORIZATION, COUNT), refused),
        8 => (with("POST / HTTP/1.0", AUTHORIZATION, COUNT), Some([200].as_slice())),
        _ => {
            let headers = format!("Expect: 100-continue\r\nUpgrade: h2c\r\n{AUTHORIZATION}");
            (with("POST / HTTP/1.1", &headers, COUNT), Some([200].as_slice()))
        }
    };
    noise_of("head", text, false, statuses)
}

/// Several requests at once, on one connection.
fn pipelined(random: &mut Random, world: &World) -> Noise {
    let mut bytes = String::new();
    for left in (0..random.between(2, 5)).rev() {
        let json = call(random, world, false).json;
        let connection = if left == 0 { "Connection: close\r\n" } else { "" };
        let length = json.len();
        bytes += &format!("POST / HTTP/1.1\r\n{connection}{AUTHORIZATION}Content-Length: {length}\r\n\r\n{json}");
    }
    noise_of("pipelined", bytes, false, Some(&[200, 204, 400, 404, 500]))
}

/// Bytes of other protocols, and of none.
fn garbage(random: &mut Random) -> Noise {
    let mut bytes = match random.below(6) {
        0 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        1 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        2 => b"\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00".to_vec(),
        3 => b"\r\n\r\n\r\n\r\n".to_vec(),
        4 => b"POST / HTTP/1.1\r\n".to_vec(),
        _ => Vec::new(),
    };
    let length = random.below(500);
    bytes.extend(random.bytes(length));
    noise_of("garbage", bytes, true, None)
}
