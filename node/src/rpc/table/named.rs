//! Named arguments get their places (Core: `transformNamedArguments`, `rpc/server.cpp`).

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::error::{RpcError, RpcErrorCode};
use super::super::json::{Elements, JsonType};
use super::Method;

/// The name under which a list of positional arguments may be passed with named ones.
const POSITIONAL: &str = "args";

/// Turns an object of named arguments into positional ones.
///
/// # Errors
///
/// When a name is unknown, passed twice, or passed both by name and by position.
pub(in crate::rpc) fn place_named_arguments(
    method: &Method,
    params: &RawValue,
) -> Result<Vec<Box<RawValue>>, RpcError> {
    let mut given = Given::read(method, params)?;
    let mut placed = Placed::default();
    for parameter in method.parameters {
        let mut options = Vec::new();
        for option in parameter.named_only() {
            if let Some((name, value)) = given.take(option.aliases()) {
                if options.iter().any(|(known, _)| *known == name) {
                    return Err(repeated(&name));
                }
                options.push((name, value));
            }
        }
        let named = given.take(parameter.aliases());
        if options.is_empty() && named.is_none() {
            placed.skip();
            continue;
        }
        placed.fill_hole(parameter.names);
        if let Some((name, value)) = named {
            if let Some((option, _)) = options.first() {
                return Err(RpcError::invalid_parameter(format!("Parameter {name} conflicts with parameter {option}")));
            }
            placed.values.push(value.to_owned());
        } else {
            placed.values.push(object_of(&options));
        }
    }
    let values = placed.after_positional(method, &mut given)?;
    match given.0.first() {
        Some((name, _)) => Err(RpcError::invalid_parameter(format!("Unknown named parameter {name}"))),
        None => Ok(values),
    }
}

/// Named arguments that were not placed yet, in the order in which they came.
struct Given<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Given<'a> {
    /// Reads no more names than the method has, and one: among so many different names one is unknown.
    fn read(method: &Method, params: &'a RawValue) -> Result<Self, RpcError> {
        let names = method.parameters.iter().flat_map(|parameter| {
            let options = parameter.named_only().iter().flat_map(super::Parameter::aliases);
            parameter.aliases().chain(options)
        });
        let most = names.count() + 2;
        let mut deserializer = serde_json::Deserializer::from_str(params.get());
        let NamedValues { values, repeated: name } = deserializer
            .deserialize_map(NamedValuesVisitor { most })
            .map_err(|_| RpcError::new(RpcErrorCode::ParseError, "Parse error"))?;
        match name {
            Some(name) => Err(repeated(&name)),
            None => Ok(Self(values)),
        }
    }

    fn take(&mut self, mut names: impl Iterator<Item = &'static str>) -> Option<(String, &'a RawValue)> {
        let at = names.find_map(|name| self.0.iter().position(|(given, _)| given == name))?;
        Some(self.0.remove(at))
    }
}

/// Values in their places.
#[derive(Default)]
struct Placed {
    values: Vec<Box<RawValue>>,
    /// Parameters that were not passed since the last that was.
    hole: usize,
    /// Parameters that were not passed before the first that was.
    first_hole: usize,
    /// Names of the first parameter that was passed.
    first: Option<&'static str>,
}

impl Placed {
    fn skip(&mut self) {
        self.hole += 1;
        if self.values.is_empty() {
            self.first_hole = self.hole;
        }
    }

    /// What was not passed before a parameter that was is null; what was not passed after the last is absent.
    fn fill_hole(&mut self, names: &'static str) {
        self.values.extend(std::iter::repeat_with(|| RawValue::NULL.to_owned()).take(self.hole));
        self.hole = 0;
        self.first.get_or_insert(names);
    }

    /// Puts the list of positional arguments, if there is one, in front.
    fn after_positional(self, method: &Method, given: &mut Given<'_>) -> Result<Vec<Box<RawValue>>, RpcError> {
        // Core takes no offence at what is no list.
        let list = given.take([POSITIONAL].into_iter()).map(|(_, list)| list);
        let Some(list) = list.filter(|list| JsonType::of(list) == JsonType::Array) else {
            return Ok(self.values);
        };
        // One too many is enough to be told so.
        let mut values: Vec<_> = Elements::of(list).take(method.parameters.len() + 1).map(ToOwned::to_owned).collect();
        if let Some(first) = self.first.filter(|_| self.first_hole < values.len()) {
            return Err(RpcError::invalid_parameter(format!(
                "Parameter {first} specified twice both as positional and named argument"
            )));
        }
        let positional = values.len();
        values.extend(self.values.into_iter().skip(positional));
        Ok(values)
    }
}

fn repeated(name: &str) -> RpcError {
    RpcError::invalid_parameter(format!("Parameter {name} specified multiple times"))
}

fn object_of(options: &[(String, &RawValue)]) -> Box<RawValue> {
    let fields: Vec<_> =
        options.iter().map(|(name, value)| format!("{}:{}", serde_json::Value::from(&**name), value.get())).collect();
    RawValue::from_string(format!("{{{}}}", fields.join(","))).expect("an object of valid values")
}

/// The first values of an object, and the first name that came twice among them.
struct NamedValues<'a> {
    values: Vec<(String, &'a RawValue)>,
    repeated: Option<String>,
}

struct NamedValuesVisitor {
    most: usize,
}

impl<'de> Visitor<'de> for NamedValuesVisitor {
    type Value = NamedValues<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values: Vec<(String, &RawValue)> = Vec::new();
        let mut repeated = None;
        while let Some(key) = map.next_key::<String>()? {
            let value: &RawValue = map.next_value()?;
            if values.iter().any(|(known, _)| *known == key) {
                repeated.get_or_insert(key);
            } else if values.len() < self.most {
                values.push((key, value));
            }
        }
        Ok(NamedValues { values, repeated })
    }
}
