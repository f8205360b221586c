//! Objects that are passed, such as options.

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::error::{RpcError, RpcErrorCode};
use super::super::json::JsonType;
use super::super::table::unexpected_type;
use super::{FromArgument, expect_type};

/// Keys an object may have; a transaction has no room for that many outputs.
const MAX_KEYS: usize = 1 << 17;

/// An object, its keys in the order in which they came. Of a key that comes twice the first counts, as in Core.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    pub(super) fn read(value: &RawValue) -> Result<Self, RpcError> {
        expect_type(value, JsonType::Object)?;
        let object: Self = serde_json::Deserializer::from_str(value.get())
            .deserialize_map(Fields)
            .map_err(|_| RpcError::new(RpcErrorCode::ParseError, "Parse error"))?;
        if object.0.len() > MAX_KEYS {
            let message = format!("An object with more than {MAX_KEYS} keys");
            return Err(RpcError::new(RpcErrorCode::LimitExceeded, message));
        }
        Ok(object)
    }

    /// All keys and values, as they were passed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// All keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| &**key)
    }

    /// The text of a value; none when it is absent or null.
    #[must_use]
    pub(crate) fn raw(&self, key: &str) -> Option<&RawValue> {
        let (_, value) = self.0.iter().find(|(known, _)| known == key)?;
        (JsonType::of(value) != JsonType::Null).then_some(&**value)
    }

    /// A value that must be there (Core: `find_value` and a getter).
    ///
    /// # Errors
    ///
    /// When it is absent or not what `T` takes.
    pub(crate) fn get<T: FromArgument>(&self, key: &str) -> Result<T, RpcError> {
        self.get_as(key, key)
    }

    /// The same, for a key that errors call `shown`.
    ///
    /// # Errors
    ///
    /// When it is absent or not what `T` takes.
    pub(crate) fn get_as<T: FromArgument>(&self, key: &str, shown: &str) -> Result<T, RpcError> {
        T::from_argument(self.raw(key).unwrap_or(RawValue::NULL), shown)
    }

    /// A value that may be absent or null.
    ///
    /// # Errors
    ///
    /// When it is not what `T` takes.
    pub(crate) fn optional<T: FromArgument>(&self, key: &str) -> Result<Option<T>, RpcError> {
        self.raw(key).map(|value| T::from_argument(value, key)).transpose()
    }

    /// Checks which keys there are, and of which type; a type of `None` is any (Core: `RPCTypeCheckObj`).
    ///
    /// # Errors
    ///
    /// When one is missing and `allow_null` is not set, has another type, or is not among `types` and `strict` is set.
    pub(crate) fn check_types(
        &self,
        types: &[(&str, Option<JsonType>)],
        allow_null: bool,
        strict: bool,
    ) -> Result<(), RpcError> {
        let mut sorted = types.to_vec();
        sorted.sort_by_key(|(key, _)| *key);
        for (key, expected) in sorted {
            let got = self.raw(key).map_or(JsonType::Null, JsonType::of);
            if !allow_null && got == JsonType::Null {
                return Err(RpcError::type_error(format!("Missing {key}")));
            }
            let is_right = expected.is_none_or(|expected| expected == got) || (allow_null && got == JsonType::Null);
            if let Some(expected) = expected.filter(|_| !is_right) {
                let message = unexpected_type(got, expected);
                return Err(RpcError::type_error(message.replacen(" is not", &format!(" for field {key} is not"), 1)));
            }
        }
        let unexpected = self.keys().find(|key| strict && !types.iter().any(|(known, _)| known == key));
        match unexpected {
            Some(key) => Err(RpcError::type_error(format!("Unexpected key {key}"))),
            None => Ok(()),
        }
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry::<String, Box<RawValue>>()? {
            // One too many is enough to be told so.
            if fields.len() <= MAX_KEYS {
                fields.push(field);
            }
        }
        Ok(Object(fields))
    }
}
