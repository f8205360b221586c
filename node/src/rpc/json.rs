//! JSON as text: values keep the text they came with, so that numbers lose nothing (Core: `univalue`).

use serde_json::value::RawValue;

/// How deep arrays and objects may lie in each other (Core: `MAX_JSON_DEPTH`, `univalue_read.cpp`).
pub(crate) const MAX_DEPTH: usize = 512;

/// The type of a JSON value (Core: `UniValue::VType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum JsonType {
    /// `null`, and whatever is absent.
    Null,
    /// `true` or `false`.
    Bool,
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
    /// `"…"`.
    String,
    /// Any number.
    Number,
}

impl JsonType {
    /// The type of a value.
    #[must_use]
    pub(crate) fn of(value: &RawValue) -> Self {
        match value.get().as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Bool,
            Some(b'-' | b'0'..=b'9') => Self::Number,
            _ => Self::Null,
        }
    }

    /// Its name in error messages (Core: `uvTypeName`).
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
        }
    }
}

/// Reads a text that must be one JSON value, and checks all of it: what is later taken out of it cannot turn out to be no
/// JSON. Takes no memory and does not recurse.
pub(crate) fn parse_document(bytes: &[u8]) -> Option<&RawValue> {
    let value: &RawValue = serde_json::from_slice(bytes).ok()?;
    (is_shallow(value.get().as_bytes()) && has_whole_surrogates(value.get().as_bytes())).then_some(value)
}

/// Whether nothing in valid JSON lies too deep.
fn is_shallow(json: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return false;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    true
}

/// Goes on behind the end of a string whose first quote was read.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

/// Whether every `\uD8xx` in valid JSON has the half that belongs to it (Core: `JSONUTF8StringFilter`).
fn has_whole_surrogates(json: &[u8]) -> bool {
    let mut at = 0;
    while let Some(offset) = json[at..].iter().position(|byte| *byte == b'\\') {
        at += offset;
        match code_unit(&json[at..]) {
            Some(0xd800..=0xdbff) => match code_unit(&json[at + 6..]) {
                Some(0xdc00..=0xdfff) => at += 12,
                _ => return false,
            },
            Some(0xdc00..=0xdfff) => return false,
            Some(_) => at += 6,
            // Any other escape is a backslash and one character.
            None => at += 2,
        }
        if at >= json.len() {
            break;
        }
    }
    true
}

/// The number in a `\uXXXX` that `json` begins with.
fn code_unit(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The elements of an array, one after the other, without a list of them all. The array must be valid.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a> {
    /// What follows the last element that was read, a comma included.
    rest: &'a str,
}

impl<'a> Elements<'a> {
    /// The elements of `array`, none if it is no array.
    pub(crate) fn of(array: &'a RawValue) -> Self {
        Self { rest: array.get().strip_prefix('[').unwrap_or_default() }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a RawValue;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', ',']);
        if rest.starts_with(']') {
            return None;
        }
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let element = stream.next()?.ok()?;
        self.rest = &rest[stream.byte_offset()..];
        Some(element)
    }
}

/// Writes JSON over several lines, `indent` spaces to a level; numbers and strings keep their text (Core:
/// `UniValue::write`).
pub(crate) fn pretty(json: &str, indent: usize) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut is_escaped = false;
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        if in_string {
            text.push(character);
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                text.push(character);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(close) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(close);
                } else {
                    depth += 1;
                    break_line(&mut text, depth * indent);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth * indent);
                text.push(character);
            }
            ',' => {
                text.push(',');
                break_line(&mut text, depth * indent);
            }
            ':' => text.push_str(": "),
            '"' => {
                text.push('"');
                in_string = true;
            }
            _ if character.is_ascii_whitespace() => {}
            _ => text.push(character),
        }
    }
    text
}

fn break_line(text: &mut String, spaces: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', spaces));
}

#[cfg(test)]
mod tests;
