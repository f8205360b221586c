//! Words become JSON (Core: `RPCConvertNamedValues`, `rpc/client.cpp`).
//!
//! Core keeps a list of parameters that are not strings beside the methods; here the methods' own records tell.

use serde_json::Value;

use crate::rpc::{Method, Parameter, ParameterType, find_method, parse_document};

/// The name under which positional arguments go with named ones.
const POSITIONAL: &str = "args";

/// The `params` of a call: an array, or an object if a word is NAME=VALUE.
///
/// # Errors
///
/// When a word is no JSON where the method takes nothing else.
pub(super) fn from_words(method: &str, words: &[String]) -> Result<String, String> {
    let method = find_method(method);
    let mut positional: Vec<String> = Vec::new();
    let mut named: Vec<(&str, String)> = Vec::new();
    for word in words {
        let next = method.and_then(|method| method.parameters.get(positional.len()));
        match split_name(method, next, word) {
            Some((name, value)) => {
                let value = convert(method.and_then(|method| parameter(method, name)), value)?;
                // The last of a name counts, so that scripts can append.
                named.retain(|(known, _)| *known != name);
                named.push((name, value));
            }
            None => positional.push(convert(next, word)?),
        }
    }
    let positional = format!("[{}]", positional.join(","));
    if named.is_empty() {
        return Ok(positional);
    }
    if positional != "[]" {
        named.push((POSITIONAL, positional));
    }
    let members: Vec<_> = named.iter().map(|(name, value)| format!("{}:{value}", Value::from(*name))).collect();
    Ok(format!("{{{}}}", members.join(",")))
}

/// The name and the value, if the word is an argument by name.
fn split_name<'a>(
    method: Option<&'static Method>,
    next: Option<&Parameter>,
    word: &'a str,
) -> Option<(&'a str, &'a str)> {
    let (name, value) = word.split_once('=')?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let is_known = method.is_none_or(|method| name == POSITIONAL || parameter(method, name).is_some());
    // A string may hold an equals sign. Any other name is wrong, which the node says best.
    let may_be_text = next.is_some_and(|next| next.kind == ParameterType::String && !next.is_json_text);
    (is_known || !may_be_text).then_some((name, value))
}

/// The parameter, or key of named options, of that name.
fn parameter(method: &'static Method, name: &str) -> Option<&'static Parameter> {
    let options = method.parameters.iter().flat_map(Parameter::named_only);
    method.parameters.iter().chain(options).find(|parameter| parameter.aliases().any(|alias| alias == name))
}

fn convert(parameter: Option<&Parameter>, word: &str) -> Result<String, String> {
    let is_text = parameter.is_some_and(|parameter| parameter.kind.is_text() && !parameter.is_json_text);
    if is_text {
        return Ok(Value::from(word).to_string());
    }
    if let Some(json) = parse_document(word.as_bytes()) {
        return Ok(json.get().to_owned());
    }
    // What may be of several types, or is not known, may be a string.
    match parameter.filter(|parameter| !parameter.is_any_type) {
        Some(parameter) => Err(format!("{} must be JSON, got {word}", parameter.first_name())),
        None => Ok(Value::from(word).to_string()),
    }
}
