//! The forms acceptance data comes in.

use bitcoin::hex::FromHex;

use crate::acceptance_data::read;

/// A file of text.
pub(crate) fn text(file: &str) -> String {
    String::from_utf8(read(file)).unwrap()
}

/// A file with one JSON object a line.
pub(crate) fn json_lines(file: &str) -> Vec<serde_json::Value> {
    text(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Bytes from hex.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    Vec::from_hex(text).unwrap()
}
