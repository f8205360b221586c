//! Which of the scripts of a descriptor are meant.

use serde_json::value::RawValue;

use crate::rpc::{FromArgument, JsonType, RpcError};

/// The most indices a range has.
const MAX_RANGE: i64 = 1_000_000;

/// A range of indices, from the first to the last (Core: `ParseDescriptorRange`, `rpc/util.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexRange {
    /// The first index.
    pub(crate) first: u32,
    /// The last index.
    pub(crate) last: u32,
}

impl FromArgument for IndexRange {
    fn from_argument(value: &RawValue, name: &str) -> Result<Self, RpcError> {
        let malformed = || RpcError::invalid_parameter("Range must be specified as end or as [begin,end]");
        let (first, last) = match JsonType::of(value) {
            JsonType::Number => (0, i64::from_argument(value, name)?),
            JsonType::Array => {
                let ends: Vec<Box<RawValue>> = Vec::from_argument(value, name)?;
                let [first, last] = &ends[..] else { return Err(malformed()) };
                if [first, last].iter().any(|end| JsonType::of(end) != JsonType::Number) {
                    return Err(malformed());
                }
                (i64::from_argument(first, name)?, i64::from_argument(last, name)?)
            }
            _ => return Err(malformed()),
        };
        if first > last && JsonType::of(value) == JsonType::Array {
            let message = "Range specified as [begin,end] must not have begin after end";
            return Err(RpcError::invalid_parameter(message));
        }
        if first < 0 {
            return Err(RpcError::invalid_parameter("Range should be greater or equal than 0"));
        }
        let index = |index: i64| u32::try_from(index).ok().filter(|index| index >> 31 == 0);
        let (Some(first), Some(last)) = (index(first), index(last)) else {
            return Err(RpcError::invalid_parameter("End of range is too high"));
        };
        if i64::from(last) >= i64::from(first) + MAX_RANGE {
            return Err(RpcError::invalid_parameter("Range is too large"));
        }
        Ok(Self { first, last })
    }
}
