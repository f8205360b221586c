//! Values that arguments are read as, with Core's errors.

use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use bitcoin::{Amount, BlockHash, Txid, Wtxid};
use serde_json::value::RawValue;

use super::super::error::{RpcError, RpcErrorCode};
use super::super::json::{Elements, JsonType};
use super::super::values::HexBytes;
use super::{Object, expect_type, parse_fixed_point};

/// Decimals of a bitcoin.
const BITCOIN_DECIMALS: u8 = 8;
/// Elements an array may have, since each takes more memory than it has text.
const MAX_ELEMENTS: usize = 1 << 20;
/// Digits of a hash.
const HASH_DIGITS: usize = 64;

/// What an argument can be read as.
pub(crate) trait FromArgument: Sized {
    /// Reads a value that errors call `name`.
    ///
    /// # Errors
    ///
    /// When it has the wrong type or is out of range.
    fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError>;
}

impl FromArgument for bool {
    fn from_argument(value: &RawValue, _: &str) -> Result<Self, RpcError> {
        expect_type(value, JsonType::Bool)?;
        Ok(value.get() == "true")
    }
}

/// Core: `UniValue::getInt`.
macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl FromArgument for $integer {
            fn from_argument(value: &RawValue, _: &str) -> Result<Self, RpcError> {
                expect_type(value, JsonType::Number)?;
                value.get().parse().map_err(|_| RpcError::misc("JSON integer out of range"))
            }
        }
    )*};
}

integers!(i32, i64, u32, u64);

/// Core: `UniValue::get_real`.
impl FromArgument for f64 {
    fn from_argument(value: &RawValue, _: &str) -> Result<Self, RpcError> {
        expect_type(value, JsonType::Number)?;
        let real: Self = value.get().parse().map_err(|_| RpcError::misc("JSON double out of range"))?;
        if real.is_finite() { Ok(real) } else { Err(RpcError::misc("JSON double out of range")) }
    }
}

impl FromArgument for String {
    fn from_argument(value: &RawValue, _: &str) -> Result<Self, RpcError> {
        expect_type(value, JsonType::String)?;
        serde_json::from_str(value.get()).map_err(|_| RpcError::new(RpcErrorCode::ParseError, "Parse error"))
    }
}

/// Reads a hash in the byte order it is displayed in (Core: `ParseHashV`).
fn parse_hash(value: &RawValue, name: &str) -> Result<[u8; 32], RpcError> {
    let text = String::from_argument(value, name)?;
    if text.len() != HASH_DIGITS {
        return Err(RpcError::invalid_parameter(format!(
            "{name} must be of length {HASH_DIGITS} (not {}, for '{text}')",
            text.len()
        )));
    }
    let mut hash = <[u8; 32]>::from_hex(&text).map_err(|_| not_hexadecimal(name, &text))?;
    hash.reverse();
    Ok(hash)
}

fn not_hexadecimal(name: &str, text: &str) -> RpcError {
    RpcError::invalid_parameter(format!("{name} must be hexadecimal string (not '{text}')"))
}

macro_rules! hashes {
    ($($hash:ty),*) => {$(
        impl FromArgument for $hash {
            fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError> {
                Ok(Self::from_byte_array(parse_hash(value, name)?))
            }
        }
    )*};
}

hashes!(BlockHash, Txid, Wtxid);

/// Core: `AmountFromValue`.
impl FromArgument for Amount {
    fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError> {
        let satoshis = match JsonType::of(value) {
            JsonType::Number => parse_fixed_point(value.get(), BITCOIN_DECIMALS),
            JsonType::String => parse_fixed_point(&String::from_argument(value, name)?, BITCOIN_DECIMALS),
            _ => return Err(RpcError::type_error("Amount is not a number or string")),
        };
        let satoshis = satoshis.ok_or_else(|| RpcError::type_error("Invalid amount"))?;
        let amount = u64::try_from(satoshis).ok().map(Self::from_sat).filter(|amount| *amount <= Self::MAX_MONEY);
        amount.ok_or_else(|| RpcError::type_error("Amount out of range"))
    }
}

/// Core: `ParseHexV`. Anything but a string is taken for an empty one, which is not hexadecimal.
impl FromArgument for HexBytes {
    fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError> {
        let text = match JsonType::of(value) {
            JsonType::String => String::from_argument(value, name)?,
            _ => String::new(),
        };
        match Vec::from_hex(&text) {
            Ok(bytes) if !text.is_empty() => Ok(Self(bytes)),
            _ => Err(not_hexadecimal(name, &text)),
        }
    }
}

impl FromArgument for Box<RawValue> {
    fn from_argument(value: &RawValue, _: &str) -> Result<Self, RpcError> {
        Ok(value.to_owned())
    }
}

impl<T: FromArgument> FromArgument for Vec<T> {
    fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError> {
        expect_type(value, JsonType::Array)?;
        if Elements::of(value).nth(MAX_ELEMENTS).is_some() {
            let message = format!("{name} has more than {MAX_ELEMENTS} elements");
            return Err(RpcError::new(RpcErrorCode::LimitExceeded, message));
        }
        Elements::of(value).map(|element| T::from_argument(element, name)).collect()
    }
}

impl FromArgument for Object {
    fn from_argument(value: &RawValue, _: &str) -> Result<Self, RpcError> {
        Self::read(value)
    }
}
