//! What a call was passed, checked against the method's parameters.
//!
//! Arguments keep the text they came with: amounts are read from digits, never through a floating-point number.
//!
//! | file | holds | Core |
//! |---|---|---|
//! | `from_argument` | values of every type | `UniValue::getInt`, `ParseHashV`, `AmountFromValue`, … |
//! | `fixed_point` | decimal fractions | `ParseFixedPoint` |
//! | `object` | options | `RPCTypeCheckObj` |

mod fixed_point;
mod from_argument;
mod object;

use serde_json::value::RawValue;

use super::error::RpcError;
use super::json::{Elements, JsonType};
use super::table::{
    Method, Presence, check_arguments, is_valid_argument_count, place_named_arguments, unexpected_type,
};

pub(crate) use fixed_point::parse_fixed_point;
pub(crate) use from_argument::FromArgument;
pub(crate) use object::Object;

/// The arguments of one call, by the names of the method's parameters.
#[derive(Debug)]
pub(crate) struct Arguments {
    method: &'static Method,
    values: Vec<Box<RawValue>>,
}

impl Arguments {
    /// Takes `params` for a call of `method`: none, an array, or an object of named arguments. `port` is the one that the
    /// help text, which is the answer to a wrong number of them, shows in examples.
    ///
    /// # Errors
    ///
    /// When names, number or types are wrong.
    pub(crate) fn match_parameters(
        method: &'static Method,
        params: Option<&RawValue>,
        port: u16,
    ) -> Result<Self, RpcError> {
        let values = match params {
            Some(params) if JsonType::of(params) == JsonType::Object => place_named_arguments(method, params)?,
            // One too many is enough to be told so.
            Some(params) => Elements::of(params).take(method.parameters.len() + 1).map(ToOwned::to_owned).collect(),
            None => Vec::new(),
        };
        if !is_valid_argument_count(method, values.len()) {
            return Err(RpcError::misc(method.help(port)));
        }
        check_arguments(method, &values)?;
        Ok(Self { method, values })
    }

    /// A required argument, or one whose default the table has (Core: `RPCMethod::Arg`).
    ///
    /// # Errors
    ///
    /// When it is not what `T` takes.
    pub(crate) fn get<T: FromArgument>(&self, name: &str) -> Result<T, RpcError> {
        self.get_as(name, name)
    }

    /// The same, for a parameter that errors call `shown`.
    ///
    /// # Errors
    ///
    /// When it is not what `T` takes.
    pub(crate) fn get_as<T: FromArgument>(&self, name: &str, shown: &str) -> Result<T, RpcError> {
        if let Some(value) = self.optional_as(name, shown)? {
            return Ok(value);
        }
        let presence = self.position(name).map(|position| self.method.parameters[position].presence);
        match presence {
            Some(Presence::Default(text)) => {
                let default = serde_json::from_str(text).map_err(|error| self.bug(name, &error.to_string()))?;
                T::from_argument(default, shown)
            }
            // Null was let through, for the method to check.
            Some(Presence::Required) => T::from_argument(RawValue::NULL, shown),
            _ => Err(self.bug(name, "has no default")),
        }
    }

    /// An argument that may be absent or null (Core: `RPCMethod::MaybeArg`).
    ///
    /// # Errors
    ///
    /// When it is not what `T` takes.
    pub(crate) fn optional<T: FromArgument>(&self, name: &str) -> Result<Option<T>, RpcError> {
        self.optional_as(name, name)
    }

    /// The same, for a parameter that errors call `shown`.
    ///
    /// # Errors
    ///
    /// When it is not what `T` takes.
    pub(crate) fn optional_as<T: FromArgument>(&self, name: &str, shown: &str) -> Result<Option<T>, RpcError> {
        if self.position(name).is_none() {
            return Err(self.bug(name, "is not in the table"));
        }
        self.raw(name).map(|value| T::from_argument(value, shown)).transpose()
    }

    /// The text of an argument; none when it is absent or null.
    #[must_use]
    pub(crate) fn raw(&self, name: &str) -> Option<&RawValue> {
        let value = self.values.get(self.position(name)?)?;
        (JsonType::of(value) != JsonType::Null).then_some(&**value)
    }

    /// The type of an argument; null when it is absent.
    #[must_use]
    pub(crate) fn json_type(&self, name: &str) -> JsonType {
        self.raw(name).map_or(JsonType::Null, JsonType::of)
    }

    /// How many were passed, nulls included.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.values.len()
    }

    /// All of them, as they were passed.
    #[must_use]
    pub(crate) fn values(&self) -> &[Box<RawValue>] {
        &self.values
    }

    /// How much a client wants to be told: a number, or `true` for 1 and `false` for 0 (Core: `ParseVerbosity`).
    ///
    /// # Errors
    ///
    /// When it is neither, or a boolean where none is allowed.
    pub(crate) fn verbosity(&self, name: &str, default: i32, allow_bool: bool) -> Result<i32, RpcError> {
        match self.json_type(name) {
            JsonType::Bool if !allow_bool => {
                Err(RpcError::type_error("Verbosity was boolean but only integer allowed"))
            }
            JsonType::Bool => self.get::<bool>(name).map(i32::from),
            _ => Ok(self.optional(name)?.unwrap_or(default)),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.method.parameters.iter().position(|parameter| parameter.first_name() == name)
    }

    /// The table and the handler disagree. Tests stop here; clients are told.
    fn bug(&self, name: &str, problem: &str) -> RpcError {
        debug_assert!(false, "parameter {name} of {}: {problem}", self.method.name);
        RpcError::internal(format!("Internal bug detected: parameter {name} of {} {problem}", self.method.name))
    }
}

/// Fails unless the value is of the type (Core: `UniValue::checkType`).
fn expect_type(value: &RawValue, expected: JsonType) -> Result<(), RpcError> {
    let got = JsonType::of(value);
    if got == expected { Ok(()) } else { Err(RpcError::type_error(unexpected_type(got, expected))) }
}

#[cfg(test)]
mod tests;
