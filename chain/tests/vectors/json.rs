//! Values as Core's test data writes them.

use bitcoin::Amount;
use bitcoin::hex::FromHex;
use serde_json::Value;

/// A string.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}"))
}

/// A list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

/// Bytes written in hexadecimal.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    Vec::from_hex(text(value)).unwrap_or_else(|error| panic!("not hexadecimal: {value}: {error}"))
}

/// As many bytes as the caller wants, written in hexadecimal.
pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap_or_else(|_| panic!("not {N} bytes: {value}"))
}

/// A position in a list.
pub(crate) fn index(value: &Value) -> usize {
    value.as_u64().and_then(|number| number.try_into().ok()).unwrap_or_else(|| panic!("not an index: {value}"))
}

/// An amount in satoshis.
pub(crate) fn satoshis(value: &Value) -> Amount {
    Amount::from_sat(value.as_u64().unwrap_or_else(|| panic!("not an amount: {value}")))
}

/// An amount in bitcoins.
pub(crate) fn bitcoins(value: &Value) -> Amount {
    let number = value.as_f64().unwrap_or_else(|| panic!("not an amount: {value}"));
    Amount::from_btc(number).unwrap_or_else(|error| panic!("not an amount: {value}: {error}"))
}
