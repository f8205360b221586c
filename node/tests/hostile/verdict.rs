//! Whether an answer is one that Core could have given.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bodies::Expected;
use crate::calls::{Sender, Version};
use crate::http::Response;

/// Numbers of errors (Core: `RPCErrorCode`, `rpc/protocol.h`), those of wallets left out.
const CODES: &[i64] = &[
    -32600, -32601, -32602, -32603, -32700, -1, -3, -5, -7, -8, -20, -22, -25, -26, -27, -28, -32, -37, -9, -10, -23,
    -24, -29, -30, -31, -34, -33, -4, -18,
];
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INTERNAL_ERROR: i64 = -32603;
const PARSE_ERROR: i64 = -32700;
/// What a miner is told whose block somebody else calls invalid before it is there; Core, too, takes it for a fault of its own
/// (`GenerateBlock`, `rpc/mining.cpp`).
const NOT_ACCEPTED: &str = "ProcessNewBlock, block not accepted";

/// Statuses that an answer may have (Core: `HTTPStatusCode`, `rpc/protocol.h`). Beside them there are those of requests that
/// are not finished in time (408) and of heads beyond their bounds (414, 431), where Core closes the connection or says 400.
const STATUSES: &[u16] = &[200, 204, 400, 401, 403, 404, 405, 408, 413, 414, 431, 500, 503];

type Verdict = Result<(), String>;

macro_rules! check {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

/// Judges the answer to a body.
pub(crate) fn judge(response: &Response, expected: &Expected) -> Verdict {
    judge_form(response)?;
    // All clients together have sent more than the node takes at a time.
    if response.status == 503 {
        return Ok(());
    }
    match expected {
        Expected::Anything => Ok(()),
        Expected::TooLarge => {
            check!(response.status == 413, "not told that it is too large");
            Ok(())
        }
        Expected::ParseError => {
            let error = judge_reply(parse(&response.body)?, &Sender::unknown())?;
            check!(error == Some(PARSE_ERROR) && response.status == 500, "not told that it is no JSON: {error:?}");
            Ok(())
        }
        Expected::Single(sender) if sender.is_notification() => {
            check!(response.status == 204 && response.body.is_empty(), "an answer to a notification");
            Ok(())
        }
        Expected::Single(sender) => {
            let error = judge_reply(parse(&response.body)?, sender)?;
            let status = match (sender.version, error) {
                (Version::V2, _) | (_, None) => 200,
                (_, Some(INVALID_REQUEST)) => 400,
                (_, Some(METHOD_NOT_FOUND)) => 404,
                _ => 500,
            };
            check!(response.status == status, "expected status {status}");
            Ok(())
        }
        Expected::Batch(senders) => judge_batch(response, senders),
    }
}

fn judge_batch(response: &Response, senders: &[Sender]) -> Verdict {
    let waiting: Vec<&Sender> = senders.iter().filter(|sender| !sender.is_notification()).collect();
    if waiting.is_empty() && !senders.is_empty() {
        check!(response.status == 204 && response.body.is_empty(), "an answer to notifications");
        return Ok(());
    }
    check!(response.status == 200, "expected status 200");
    let replies: Vec<&RawValue> = serde_json::from_slice(&response.body).map_err(|error| error.to_string())?;
    check!(replies.len() == waiting.len(), "{} answers, expected {}", replies.len(), waiting.len());
    for (reply, sender) in replies.into_iter().zip(waiting) {
        judge_reply(reply, sender)?;
    }
    Ok(())
}

/// Judges what every answer has, whatever was sent.
pub(crate) fn judge_form(response: &Response) -> Verdict {
    check!(STATUSES.contains(&response.status), "a status of no kind");
    if response.body.is_empty() {
        check!(![200, 500].contains(&response.status), "nothing with this status");
        return Ok(());
    }
    if !response.is_json {
        check!(![200, 204, 400, 404, 500].contains(&response.status), "no JSON with this status");
        return Ok(());
    }
    check!(response.body.ends_with(b"\n"), "no end of the line");
    let value = parse(&response.body)?;
    // The errors of a batch are judged one by one where it is known who asked.
    if value.get().starts_with('{') { judge_error(&members(value)?).map(|_| ()) } else { Ok(()) }
}

fn parse(body: &[u8]) -> Result<&RawValue, String> {
    serde_json::from_slice(body).map_err(|error| format!("no JSON: {error}"))
}

fn members(reply: &RawValue) -> Result<BTreeMap<&str, &RawValue>, String> {
    serde_json::from_str(reply.get()).map_err(|error| format!("no object: {error}"))
}

/// Judges an answer to this sender, and returns the number of its error.
fn judge_reply(reply: &RawValue, sender: &Sender) -> Result<Option<i64>, String> {
    let members = members(reply)?;
    let error = judge_error(&members)?;
    let mut expected = vec!["result", "error"];
    if sender.version == Version::V2 {
        expected.retain(|name| (*name == "error") == error.is_some());
        expected.push("jsonrpc");
        check!(members.get("jsonrpc").is_some_and(|value| value.get() == "\"2.0\""), "another version");
    } else if error.is_some() {
        check!(members.get("result").is_some_and(|value| value.get() == "null"), "a result and an error");
    }
    expected.extend(sender.id.is_some().then_some("id"));
    expected.sort_unstable();
    let names: Vec<&str> = members.keys().copied().collect();
    check!(names == expected, "has {names:?}, expected {expected:?}");
    check!(members.get("id").map(|id| id.get()) == sender.id.as_deref(), "an answer to somebody else");
    Ok(error)
}

/// Judges the error of an answer, and returns its number.
fn judge_error(members: &BTreeMap<&str, &RawValue>) -> Result<Option<i64>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Error<'a> {
        code: i64,
        message: String,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let Some(error) = members.get("error").filter(|error| error.get() != "null") else {
        return Ok(None);
    };
    let Error { code, message, data } = serde_json::from_str(error.get()).map_err(|error| error.to_string())?;
    check!(CODES.contains(&code), "an error of no kind: {code}");
    check!(!message.is_empty(), "an error without words: {code} {data:?}");
    check!(!message.contains("Internal bug"), "a fault of the node: {message}");
    check!(code != INTERNAL_ERROR || message == NOT_ACCEPTED, "a fault of the node: {message}");
    Ok(Some(code))
}
