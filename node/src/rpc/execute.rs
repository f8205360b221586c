//! A body becomes calls, and their results an answer (Core: `ExecuteHTTPRPC`, `httprpc.cpp`).
//!
//! Version 1 tells of errors twice, in the body and by the status; version 2 in the body alone. A batch is answered with
//! status 200, element by element, in order.

use std::collections::HashSet;
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::value::RawValue;
use tracing::warn;

use super::budget::{Budget, Charge};
use super::call::Caller;
use super::dispatcher::Dispatcher;
use super::error::{RpcError, RpcErrorCode, RpcResult};
use super::json::{Elements, JsonType, parse_document};
use super::methods::handler_of_many;
use super::request::{Request, Sender, Version, parse_request};

/// Elements of a batch. Even errors for all of them are an answer of a bearable size.
pub(super) const MAX_BATCH: usize = 100_000;

/// Methods a user may call.
#[derive(Debug, Clone)]
pub(super) enum Permission {
    /// All of them.
    All,
    /// These (Core: `-rpcwhitelist`).
    Only(Arc<HashSet<String>>),
    /// None (Core: `-rpcwhitelistdefault`).
    Nothing,
}

impl Permission {
    fn allows(&self, method: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(methods) => methods.contains(method),
            Self::Nothing => false,
        }
    }
}

/// Calls of a batch that are handled together at most.
const MAX_TOGETHER: usize = 1024;

/// What is sent back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// JSON; empty where the status says everything.
    pub(super) body: Vec<u8>,
    /// The memory the body takes, as far as it was counted.
    pub(super) charge: Charge,
}

impl Reply {
    fn status(status: StatusCode) -> Self {
        Self { status, body: Vec::new(), charge: Charge::default() }
    }

    fn result(sender: &Sender<'_>, result: &RpcResult) -> Self {
        let mut body = Vec::new();
        write_reply(&mut body, sender, result);
        Self { status: StatusCode::OK, body, charge: Charge::default() }
    }

    /// Core: `JSONErrorReply`.
    pub(super) fn error(sender: &Sender<'_>, error: RpcError) -> Self {
        let status = match error.code {
            RpcErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
            RpcErrorCode::MethodNotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, ..Self::result(sender, &Err(error)) }
    }
}

/// Appends one answer (Core: `JSONRPCReplyObj`).
fn write_reply(body: &mut Vec<u8>, sender: &Sender<'_>, result: &RpcResult) {
    let (result, error) = match result {
        Ok(result) => (Some(result.get()), None),
        Err(error) => {
            let error = serde_json::to_string(error);
            (None, Some(error.expect("an object of numbers, strings and valid JSON can be written")))
        }
    };
    body.push(b'{');
    let mut separator = "";
    let mut member = |name: &str, value: &str| {
        body.extend_from_slice(separator.as_bytes());
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(value.as_bytes());
        separator = ",";
    };
    let is_legacy = sender.version == Version::Legacy;
    if !is_legacy {
        member("\"jsonrpc\":", "\"2.0\"");
    }
    if let Some(result) = result.or(is_legacy.then_some("null")) {
        member("\"result\":", result);
    }
    if let Some(error) = error.as_deref().or(is_legacy.then_some("null")) {
        member("\"error\":", error);
    }
    if let Some(id) = sender.id {
        member("\"id\":", id.get());
    }
    body.push(b'}');
}

/// Runs what a body asks for. `answers` bounds the memory that large answers take.
pub(super) async fn execute_body(
    dispatcher: &Arc<Dispatcher>,
    body: &[u8],
    permission: &Permission,
    caller: &Caller,
    answers: &Budget,
) -> Reply {
    let mut reply = match parse_document(body) {
        None => Reply::error(&Sender::UNKNOWN, RpcError::new(RpcErrorCode::ParseError, "Parse error")),
        Some(_) if matches!(permission, Permission::Nothing) => {
            warn!("an RPC user is not allowed to call any methods");
            return Reply::status(StatusCode::FORBIDDEN);
        }
        Some(value) => match JsonType::of(value) {
            JsonType::Object => execute_single(dispatcher, value, permission, caller).await,
            JsonType::Array => execute_batch(dispatcher, value, permission, caller, answers).await,
            _ => {
                let error = RpcError::new(RpcErrorCode::ParseError, "Top-level object parse error");
                Reply::error(&Sender::UNKNOWN, error)
            }
        },
    };
    if !reply.body.is_empty() {
        reply.body.push(b'\n');
    }
    reply.charge.grow_to(answers, reply.body.len()).await;
    reply
}

async fn execute_single(
    dispatcher: &Arc<Dispatcher>,
    value: &RawValue,
    permission: &Permission,
    caller: &Caller,
) -> Reply {
    let (sender, request) = parse_request(value);
    let request = match request {
        Ok(request) => request,
        Err(error) => return Reply::error(&sender, error),
    };
    if !permission.allows(&request.method) {
        return forbidden(&request.method);
    }
    let result = execute(dispatcher, &request, caller).await;
    if sender.is_notification() {
        return Reply::status(StatusCode::NO_CONTENT);
    }
    match result {
        Err(error) if sender.version == Version::Legacy => Reply::error(&sender, error),
        result => Reply::result(&sender, &result),
    }
}

async fn execute_batch(
    dispatcher: &Arc<Dispatcher>,
    batch: &RawValue,
    permission: &Permission,
    caller: &Caller,
    answers: &Budget,
) -> Reply {
    let count = Elements::of(batch).count();
    if count > MAX_BATCH {
        let message = format!("A batch of {count} requests, at most {MAX_BATCH} are allowed");
        return Reply::error(&Sender::UNKNOWN, RpcError::invalid_request(message));
    }
    if let Some(refusal) = check_batch_permission(batch, permission) {
        return refusal;
    }
    let mut reply = Reply::status(StatusCode::OK);
    reply.body.push(b'[');
    let mut elements = Elements::of(batch).map(parse_request).peekable();
    while let Some((sender, request)) = elements.next() {
        let request = match request {
            // What there is no room to tell about is not done either.
            Ok(_) if !reply.charge.try_grow_to(answers, reply.body.len()) => {
                Err(RpcError::new(RpcErrorCode::LimitExceeded, "The answers to the batch take too much memory"))
            }
            request => request,
        };
        match request {
            Err(error) => push_reply(&mut reply.body, &sender, &Err(error)),
            Ok(request) => match handler_of_many(&request.method) {
                None => push_reply(&mut reply.body, &sender, &execute(dispatcher, &request, caller).await),
                Some(handler) => {
                    let (mut senders, mut params) = (vec![sender], vec![request.params]);
                    while let Some((sender, Ok(next))) =
                        elements.next_if(|(_, next)| senders.len() < MAX_TOGETHER && is_call_of(next, &request.method))
                    {
                        senders.push(sender);
                        params.push(next.params);
                    }
                    let results = dispatcher.execute_many(&request.method, handler, &params).await;
                    for (sender, result) in senders.iter().zip(&results) {
                        push_reply(&mut reply.body, sender, result);
                    }
                }
            },
        }
    }
    // An empty batch is answered by an empty array, for clients older than version 2.
    if reply.body.len() == 1 && count > 0 {
        return Reply::status(StatusCode::NO_CONTENT);
    }
    reply.body.push(b']');
    reply
}

fn is_call_of(request: &Result<Request<'_>, RpcError>, method: &str) -> bool {
    request.as_ref().is_ok_and(|request| request.method == method)
}

/// Appends one answer of a batch; nothing where none is wanted.
fn push_reply(body: &mut Vec<u8>, sender: &Sender<'_>, result: &RpcResult) {
    if !sender.is_notification() {
        if body.len() > 1 {
            body.push(b',');
        }
        write_reply(body, sender, result);
    }
}

/// Refuses a batch as a whole if the user may not call one of its methods.
fn check_batch_permission(batch: &RawValue, permission: &Permission) -> Option<Reply> {
    let Permission::Only(methods) = permission else {
        return None;
    };
    Elements::of(batch).find_map(|element| match parse_request(element).1 {
        Ok(request) if methods.contains(&request.method) => None,
        Ok(request) => Some(forbidden(&request.method)),
        Err(error) => Some(Reply::error(&Sender::UNKNOWN, error)),
    })
}

fn forbidden(method: &str) -> Reply {
    // The name comes from the client: its start will do.
    let method: String = method.chars().take(40).collect();
    warn!(method, "an RPC user is not allowed to call this method");
    Reply::status(StatusCode::FORBIDDEN)
}

async fn execute(dispatcher: &Arc<Dispatcher>, request: &Request<'_>, caller: &Caller) -> RpcResult {
    dispatcher.execute(&request.method, request.params, caller).await
}
