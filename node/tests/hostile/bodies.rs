//! A body for each kind of request, and what must be answered to it.

use cairn_tests::random::Random;

use crate::calls::{Call, Sender, Version, call, odd_request, write};
use crate::noise::{Noise, noise};
use crate::values::{any, no_value};
use crate::world::World;

/// Bytes that one body may have (Core: `MAX_BODY_SIZE`, `httpserver.h`).
const MAX_BODY: usize = 32 << 20;
/// Levels that one document may have (Core: `MAX_JSON_DEPTH`, `univalue_read.cpp`).
const MAX_DEPTH: usize = 512;
/// Calls of a large batch.
const LARGE_BATCH: usize = 10_000;

/// What is sent.
#[derive(Debug)]
pub(crate) enum Request {
    /// A body, with everything around it in order.
    Body {
        kind: &'static str,
        body: Vec<u8>,
        expected: Expected,
        /// Whether the answer may be a long time coming.
        may_wait: bool,
        /// The method, if it is a single call.
        method: Option<String>,
    },
    /// Bytes on a connection of their own.
    Raw(Noise),
}

/// What must be answered.
#[derive(Debug)]
pub(crate) enum Expected {
    /// One answer.
    Single(Sender),
    /// An answer to each that waits for one.
    Batch(Vec<Sender>),
    /// That it is no JSON.
    ParseError,
    /// That it is too large.
    TooLarge,
    /// Anything that is an answer.
    Anything,
}

/// The request that comes of this randomness.
pub(crate) fn request(random: &mut Random, world: &World) -> Request {
    match random.below(10_000) {
        0..500 => Request::Raw(noise(random, world)),
        500..6900 => single(random, world),
        6900..7400 => body("odd", odd_request(random, world), Expected::Anything),
        7400..8400 => mutated(random, world),
        8400..8800 => truncated(random, world),
        8800..9150 => malformed(random),
        9150..9300 => body("value", any(random, world, 0), Expected::Anything),
        9300..9750 => batch(random, world),
        9750..9990 => nested(random),
        9990..9995 => deeply_nested(random),
        9995..9997 => large_batch(random, world),
        _ => huge(random),
    }
}

fn body(kind: &'static str, text: impl Into<Vec<u8>>, expected: Expected) -> Request {
    Request::Body { kind, body: text.into(), expected, may_wait: false, method: None }
}

fn single(random: &mut Random, world: &World) -> Request {
    let Call { method, json, sender, may_wait } = call(random, world, true);
    let (body, expected) = (json.into_bytes(), Expected::Single(sender));
    Request::Body { kind: "call", body, expected, may_wait, method: Some(method) }
}

/// A request some of whose bytes are others. It may be right all the same.
fn mutated(random: &mut Random, world: &World) -> Request {
    let mut bytes = call(random, world, false).json.into_bytes();
    // Digits are left as they are: with another number a method might work for long.
    let others = b"{}[],:\"\\ue.tfn \x00\xff\xc3-";
    for _ in 0..random.between(1, 5) {
        let at = random.below(bytes.len());
        if bytes[at].is_ascii_digit() {
            continue;
        }
        match random.below(3) {
            0 => bytes[at] = random.pick(others),
            1 => bytes.insert(at, random.pick(others)),
            _ => _ = bytes.remove(at),
        }
    }
    Request::Body { kind: "mutated", body: bytes, expected: Expected::Anything, may_wait: true, method: None }
}

fn truncated(random: &mut Random, world: &World) -> Request {
    let mut json = call(random, world, false).json.into_bytes();
    json.truncate(random.below(json.len()));
    body("truncated", json, Expected::ParseError)
}

fn malformed(random: &mut Random) -> Request {
    let value = no_value(random);
    let text = match random.below(5) {
        0 => value,
        1 => format!(r#"{{"method":"echo","params":[{value}],"id":1,"jsonrpc":"2.0"}}"#),
        2 => format!(r#"{{"method":"echo","params":{{"arg0":{value}}},"id":1}}"#),
        3 => format!(r#"[{{"method":"getblockcount","id":1}},{value}]"#),
        _ => format!(r#"{{"method":"getblockcount","id":{value}}}"#),
    };
    body("malformed", text, Expected::ParseError)
}

/// A batch: of calls, of values that are none, of batches, of nothing.
fn batch(random: &mut Random, world: &World) -> Request {
    let count = random.pick(&[0, 1, 2, 3, 10]);
    let mut elements = Vec::with_capacity(count);
    let mut senders = Vec::with_capacity(count);
    for _ in 0..count {
        if random.chance(80) {
            let call = call(random, world, false);
            elements.push(call.json);
            senders.push(call.sender);
        } else {
            let values = ["null", "1", "\"a\"", "[]", "[{\"method\":\"getblockcount\",\"id\":1}]", "{}", "true"];
            elements.push(random.pick(&values).to_owned());
            // An object without an `id` that is none of version 2 is told so without one.
            let id = (elements.last().unwrap() != "{}").then(|| "null".to_owned());
            senders.push(Sender { version: Version::Legacy, id });
        }
    }
    body("batch", format!("[{}]", elements.join(",")), Expected::Batch(senders))
}

fn large_batch(random: &mut Random, world: &World) -> Request {
    let method =
        random.pick(&["getblockcount", "sendrawtransaction", "getblockhash", "decoderawtransaction", "nothing"]);
    let mut elements = Vec::with_capacity(LARGE_BATCH);
    let mut senders = Vec::with_capacity(LARGE_BATCH);
    for _ in 0..LARGE_BATCH {
        let transaction = &world.transactions[random.below(world.transactions.len())];
        // Short ones, so that the batch is as large as batches are.
        let transaction = if transaction.len() < 2000 { transaction } else { "00" };
        let params = random.pick(&["[]", "[1]", format!("[\"{transaction}\"]").as_str()]).to_owned();
        let call = write(random, &format!("\"{method}\""), &params, false);
        elements.push(call.json);
        senders.push(call.sender);
    }
    body("large batch", format!("[{}]", elements.join(",")), Expected::Batch(senders))
}

/// Values within values, about as deep as they may be.
fn nested(random: &mut Random) -> Request {
    let depth = random.pick(&[10, 100, MAX_DEPTH - 3, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 2000]);
    // The request and its parameters are two levels.
    let is_too_deep = depth + 2 > MAX_DEPTH;
    let (open, close) = if random.chance(50) { ("[", "]") } else { ("{\"a\":", "}") };
    let inner = if open == "[" { "" } else { "1" };
    let (opened, closed) = (open.repeat(depth), close.repeat(depth));
    let method = random.pick(&["echo", "getblock", "sendrawtransaction", "createrawtransaction", "submitpackage"]);
    let text = format!(r#"{{"method":"{method}","params":[{opened}{inner}{closed}],"id":7}}"#);
    let sender = Sender { version: Version::Legacy, id: Some("7".to_owned()) };
    body("nested", text, if is_too_deep { Expected::ParseError } else { Expected::Single(sender) })
}

fn deeply_nested(random: &mut Random) -> Request {
    let depth = 100_000;
    let text = match random.below(5) {
        0 => "[".repeat(depth),
        1 => "{\"a\":".repeat(depth),
        2 => format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        3 => format!("{{\"method\":\"echo\",\"params\":{}1{}}}", "{\"a\":[".repeat(depth), "]}".repeat(depth)),
        _ => "[{\"id\":".repeat(depth),
    };
    body("deeply nested", text, Expected::ParseError)
}

/// Megabytes: of one string, of one number, of blanks, of many members, of arguments, and more than there may be.
fn huge(random: &mut Random) -> Request {
    let length = random.between(1 << 20, 12 << 20);
    let sender = |id: &str| Expected::Single(Sender { version: Version::Legacy, id: Some(id.to_owned()) });
    match random.below(8) {
        0 => body("huge", format!(r#"{{"method":"echo","params":["{}"],"id":1}}"#, "x".repeat(length)), sender("1")),
        1 => {
            let method =
                random.pick(&["sendrawtransaction", "submitblock", "decoderawtransaction", "decodescript", "getblock"]);
            let text = format!(r#"{{"method":"{method}","params":["{}"],"id":1}}"#, "00".repeat(length / 2));
            body("huge", text, sender("1"))
        }
        2 => {
            let id = "9".repeat(length);
            body("huge", format!(r#"{{"method":"getblockcount","id":{id}}}"#), sender(&id))
        }
        3 => body("huge", format!(r#"{{"method":"getblockcount","id":1{}}}"#, " ".repeat(length)), sender("1")),
        4 => {
            let members = "\"id\":2,".repeat(length / 7);
            body("huge", format!(r#"{{"id":1,{members}"method":"getblockcount"}}"#), sender("1"))
        }
        5 => {
            let arguments = "0,".repeat(length / 2);
            body("huge", format!(r#"{{"method":"testmempoolaccept","params":[[{arguments}0]],"id":1}}"#), sender("1"))
        }
        6 => {
            let (name, end) = ("m".repeat(length), "\"}");
            body("huge", format!("{{\"id\":1,\"method\":\"{name}{end}"), sender("1"))
        }
        _ => body("huge", vec![b' '; MAX_BODY + random.between(1, 1 << 20)], Expected::TooLarge),
    }
}
