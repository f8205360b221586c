//! Whether arguments fit the parameters (Core: `RPCMethod::HandleRequest`, `rpc/util.cpp`).

use serde_json::value::RawValue;

use super::super::error::RpcError;
use super::super::json::{JsonType, pretty};
use super::{Method, Parameter};

/// Whether that many arguments can be right: all required ones, and none too many (Core: `IsValidNumArgs`).
pub(in crate::rpc) fn is_valid_argument_count(method: &Method, count: usize) -> bool {
    let required = method.parameters.iter().rposition(|parameter| !parameter.is_optional()).map_or(0, |last| last + 1);
    (required..=method.parameters.len()).contains(&count)
}

/// Checks the types of all arguments, and tells of all that are wrong.
pub(in crate::rpc) fn check_arguments(method: &Method, values: &[Box<RawValue>]) -> Result<(), RpcError> {
    let mut wrong = Vec::new();
    for (position, parameter) in method.parameters.iter().enumerate() {
        let json_type = values.get(position).map_or(JsonType::Null, |value| JsonType::of(value));
        if let Err(error) = check_type(parameter, json_type) {
            let place = format!("Position {} ({})", position + 1, parameter.names);
            wrong.push(format!("{}:{}", quoted(&place), quoted(&error)));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let wrong = pretty(&format!("{{{}}}", wrong.join(",")), 4);
    Err(RpcError::type_error(format!("Wrong type passed:\n{wrong}")))
}

fn check_type(parameter: &Parameter, got: JsonType) -> Result<(), String> {
    if parameter.is_any_type || (parameter.is_optional() && got == JsonType::Null) {
        return Ok(());
    }
    match parameter.kind.json_type() {
        Some(expected) if expected != got => Err(unexpected_type(got, expected)),
        _ => Ok(()),
    }
}

/// Core's words for a wrong type (Core: `UniValue::checkType`).
pub(in crate::rpc) fn unexpected_type(got: JsonType, expected: JsonType) -> String {
    format!("JSON value of type {} is not of expected type {}", got.name(), expected.name())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
