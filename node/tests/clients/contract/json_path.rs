//! Values in a JSON text by their paths, as texts.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::table::Kind;

/// The values at a path: names, separated by dots; no name is the value itself. Behind a name, `[]` stands for every element
/// of a list, `[0]` for the first, and `{}` for every value of an object whose names are data. The error is what is missing.
pub(super) fn find_all<'a>(root: &'a RawValue, path: &str) -> Result<Vec<&'a RawValue>, String> {
    let mut values = vec![root];
    for step in path.split('.') {
        let name = step.split(['[', '{']).next().unwrap_or_default();
        if !name.is_empty() {
            let field = |value: &'a RawValue| object(value)?.remove(name);
            values =
                values.into_iter().map(field).collect::<Option<_>>().ok_or_else(|| format!("{name} everywhere"))?;
        }
        let elements: Option<Vec<Vec<&RawValue>>> = match &step[name.len()..] {
            "" => continue,
            "[]" => values.into_iter().map(list).collect(),
            "{}" => values.into_iter().map(|value| Some(object(value)?.into_values().collect())).collect(),
            index => {
                let index: usize =
                    index.trim_matches(['[', ']']).parse().unwrap_or_else(|_| panic!("{index} in {path}"));
                values.into_iter().map(|value| Some(vec![*list(value)?.get(index)?])).collect()
            }
        };
        values = elements.ok_or_else(|| step.to_owned())?.concat();
    }
    Ok(values)
}

/// Whether nothing is at a path.
pub(super) fn is_absent(root: &RawValue, path: &str) -> bool {
    let (above, name) = path.rsplit_once('.').unwrap_or(("", path));
    let above = if above.is_empty() { vec![root] } else { find_all(root, above).unwrap_or_default() };
    !above.is_empty() && above.into_iter().all(|value| object(value).is_some_and(|fields| !fields.contains_key(name)))
}

fn object(value: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// Whether a text is a value of that kind.
pub(super) fn looks_like(text: &str, kind: &Kind) -> bool {
    let unquoted = || text.strip_prefix('"')?.strip_suffix('"');
    let is_hex = |text: &str| {
        text.len().is_multiple_of(2) && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    match kind {
        Kind::Absent => false,
        Kind::Is(expected) => text == *expected,
        Kind::Bool => matches!(text, "true" | "false"),
        Kind::Text => unquoted().is_some(),
        Kind::Hex => unquoted().is_some_and(is_hex),
        Kind::Hash => unquoted().is_some_and(|text| text.len() == 64 && is_hex(text)),
        Kind::Integer => is_digits(text.strip_prefix('-').unwrap_or(text)),
        Kind::Real => serde_json::from_str::<f64>(text).is_ok(),
        Kind::Amount => {
            let (whole, places) = text.strip_prefix('-').unwrap_or(text).split_once('.').unwrap_or_default();
            is_digits(whole) && is_digits(places) && places.len() == 8
        }
        Kind::List => text.starts_with('['),
        Kind::Map => text.starts_with('{'),
    }
}
