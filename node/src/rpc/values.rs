//! Values as Core writes them into results.

use std::fmt::{self, Display, Formatter};

use bitcoin::{Amount, SignedAmount};
use serde::{Serialize, Serializer, ser};
use serde_json::value::RawValue;

use super::error::{RpcError, RpcResult};

/// Satoshis in a bitcoin (Core: `COIN`, `consensus/amount.h`).
const COIN: u64 = 100_000_000;

/// Writes a result.
///
/// # Errors
///
/// When the value cannot be JSON: a map whose keys are no strings, a [`Real`] that is no number.
pub(crate) fn to_result<T: Serialize + ?Sized>(value: &T) -> RpcResult {
    serde_json::value::to_raw_value(value).map_err(|error| RpcError::internal(format!("no JSON: {error}")))
}

/// An amount in satoshis, written in bitcoins with exactly eight decimals, as a number (Core: `ValueFromAmount`,
/// `core_io.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Btc(pub(crate) i64);

impl Display for Btc {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let satoshis = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:08}", satoshis / COIN, satoshis % COIN)
    }
}

impl From<Amount> for Btc {
    fn from(amount: Amount) -> Self {
        // No amount of coins comes near the limit.
        Self(i64::try_from(amount.to_sat()).unwrap_or(i64::MAX))
    }
}

impl From<SignedAmount> for Btc {
    fn from(amount: SignedAmount) -> Self {
        Self(amount.to_sat())
    }
}

impl Serialize for Btc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(self.to_string(), serializer)
    }
}

/// A real number with up to 16 significant digits, as C++ streams write it (Core: `UniValue::setFloat`).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub(crate) struct Real(pub(crate) f64);

/// Significant digits (Core: `std::setprecision(16)`).
const DIGITS: i32 = 16;

impl Display for Real {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // One digit, the point, fifteen digits, and the exponent after rounding, which decides how the number is written.
        let scientific = format!("{:.15e}", self.0);
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if (-4..DIGITS).contains(&exponent) {
            let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
            return f.write_str(without_trailing_zeros(&format!("{:.decimals$}", self.0)));
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(f, "{}e{sign}{:02}", without_trailing_zeros(mantissa), exponent.unsigned_abs())
    }
}

fn without_trailing_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_number(self.to_string(), serializer)
    }
}

fn serialize_number<S: Serializer>(number: String, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(number).map_err(ser::Error::custom)?.serialize(serializer)
}

/// Bytes, written as lower-case hexadecimal digits; also the argument of that form (Core: `ParseHexV`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct HexBytes(pub(crate) Vec<u8>);

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Hex(&self.0).serialize(serializer)
    }
}

/// Borrowed bytes, written as lower-case hexadecimal digits (Core: `HexStr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        push_hex(&mut text, self.0);
        serializer.serialize_str(&text)
    }
}

/// Appends bytes as lower-case hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    /// Bytes that are converted at once.
    const CHUNK: usize = 256;
    text.reserve(2 * bytes.len());
    let mut digits = [0; 2 * CHUNK];
    for chunk in bytes.chunks(CHUNK) {
        let (pairs, _) = digits.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(chunk) {
            *pair = HEX_DIGITS[usize::from(*byte)];
        }
        text.push_str(std::str::from_utf8(&digits[..2 * chunk.len()]).expect("digits are ASCII"));
    }
}

/// The two hexadecimal digits of each byte.
static HEX_DIGITS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

/// A result that is nothing but hexadecimal digits: faster than [`to_result`] where there are megabytes.
///
/// # Errors
///
/// None; the type is that of results.
pub(crate) fn to_hex_result(bytes: &[u8]) -> RpcResult {
    let mut text = String::with_capacity(2 * bytes.len() + 2);
    text.push('"');
    push_hex(&mut text, bytes);
    text.push('"');
    RawValue::from_string(text).map_err(|error| RpcError::internal(format!("no JSON: {error}")))
}

/// Anything that is written as the string it displays as, such as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DisplayString<T>(pub(crate) T);

impl<T: Display> Serialize for DisplayString<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
