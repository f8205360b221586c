//! One JSON-RPC request (Core: `JSONRPCRequest::parse`, `rpc/request.cpp`).

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{RpcError, RpcErrorCode};
use super::json::JsonType;

/// The version of the protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Version {
    /// 1.0 and 1.1: answers have both a result and an error, and HTTP tells of errors too.
    #[default]
    Legacy,
    /// 2.0.
    V2,
}

/// Whom an answer is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    /// The `id` of the request, if it has one.
    pub(super) id: Option<&'a RawValue>,
    /// The version it was made in.
    pub(super) version: Version,
}

impl Sender<'_> {
    /// Who sent something that is no request.
    pub(super) const UNKNOWN: Self = Self { id: Some(RawValue::NULL), version: Version::Legacy };

    /// Whether no answer is wanted (Core: `IsNotification`).
    pub(super) fn is_notification(&self) -> bool {
        self.id.is_none() && self.version == Version::V2
    }
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: String,
    /// An array or an object; absent when there are no arguments.
    pub(super) params: Option<&'a RawValue>,
}

/// Reads a request as far as it can be read, so that an error, too, reaches the one who sent it.
pub(super) fn parse_request(value: &RawValue) -> (Sender<'_>, Result<Request<'_>, RpcError>) {
    let mut sender = Sender::UNKNOWN;
    if JsonType::of(value) != JsonType::Object {
        return (sender, Err(RpcError::invalid_request("Invalid Request object")));
    }
    let members = match serde_json::Deserializer::from_str(value.get()).deserialize_map(MembersVisitor) {
        Ok(members) => members,
        // The text is JSON, so nothing is known to lead here.
        Err(_) => return (sender, Err(RpcError::new(RpcErrorCode::ParseError, "Parse error"))),
    };
    sender.id = members.id;
    let request = match version(members.jsonrpc) {
        Ok(version) => {
            sender.version = version;
            members.into_request()
        }
        Err(error) => Err(error),
    };
    (sender, request)
}

fn version(jsonrpc: Option<&RawValue>) -> Result<Version, RpcError> {
    let Some(jsonrpc) = present(jsonrpc) else {
        return Ok(Version::Legacy);
    };
    match serde_json::from_str::<String>(jsonrpc.get()) {
        Err(_) => Err(RpcError::invalid_request("jsonrpc field must be a string")),
        Ok(text) => match &*text {
            "1.0" => Ok(Version::Legacy),
            "2.0" => Ok(Version::V2),
            _ => Err(RpcError::invalid_request("JSON-RPC version not supported")),
        },
    }
}

/// A member that is there and not null.
fn present(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| JsonType::of(value) != JsonType::Null)
}

/// The members of a request object. Of one that comes twice the first counts, as in Core.
#[derive(Debug, Default)]
struct Members<'a> {
    id: Option<&'a RawValue>,
    jsonrpc: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    fn into_request(self) -> Result<Request<'a>, RpcError> {
        let method = present(self.method).ok_or_else(|| RpcError::invalid_request("Missing method"))?;
        let method =
            serde_json::from_str(method.get()).map_err(|_| RpcError::invalid_request("Method must be a string"))?;
        let params = present(self.params);
        if params.is_some_and(|params| !matches!(JsonType::of(params), JsonType::Array | JsonType::Object)) {
            return Err(RpcError::invalid_request("Params must be an array or object"));
        }
        Ok(Request { method, params })
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<String>()? {
            let member = match &*key {
                "id" => &mut members.id,
                "jsonrpc" => &mut members.jsonrpc,
                "method" => &mut members.method,
                "params" => &mut members.params,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value()?;
            member.get_or_insert(value);
        }
        Ok(members)
    }
}
