//! Results are as documented (Core: `RPCResult::MatchesType`, which `-rpcdoccheck` runs).

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::super::json::{Elements, JsonType};
use super::{Method, ResultDoc};

/// Checks a result against the docs of the method: one of the documented results must fit.
pub(in crate::rpc) fn check_result(method: &Method, result: &RawValue) -> Result<(), String> {
    let mut wrong = Vec::new();
    for doc in method.results {
        match check(doc, result) {
            Ok(()) => return Ok(()),
            Err(error) => wrong.push(error),
        }
    }
    Err(format!("{} returned {}, which is not as documented: {}", method.name, result.get(), wrong.join(" / ")))
}

fn check(doc: &ResultDoc, value: &RawValue) -> Result<(), String> {
    let Some(expected) = doc.kind.json_type() else {
        return Ok(());
    };
    let got = JsonType::of(value);
    if got != expected {
        return Err(format!("{:?} is of type {}, documented as {}", doc.key, got.name(), expected.name()));
    }
    let inner: Vec<_> = doc.inner().collect();
    match got {
        JsonType::Array => Elements::of(value).enumerate().try_for_each(|(position, element)| {
            let last = inner.last().ok_or("an array without docs of its elements")?;
            check(inner.get(position).unwrap_or(last), element)
        }),
        JsonType::Object => {
            let fields: BTreeMap<String, &RawValue> =
                serde_json::from_str(value.get()).map_err(|error| error.to_string())?;
            if doc.kind == super::ResultType::ObjectDynamic {
                let like = inner.first().ok_or("an object without docs of its values")?;
                return fields.values().try_for_each(|field| check(like, field));
            }
            check_fields(&inner, &fields)
        }
        _ => Ok(()),
    }
}

fn check_fields(docs: &[&ResultDoc], fields: &BTreeMap<String, &RawValue>) -> Result<(), String> {
    for name in fields.keys() {
        if !docs.iter().any(|doc| doc.key == name) {
            return Err(format!("{name:?} is not documented"));
        }
    }
    for doc in docs {
        match fields.get(doc.key) {
            Some(value) => check(doc, value)?,
            None if doc.is_optional => {}
            None => return Err(format!("{:?} is missing", doc.key)),
        }
    }
    Ok(())
}
