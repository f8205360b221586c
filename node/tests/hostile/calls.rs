//! One call of a method, right or wrong.

use cairn_tests::random::Random;

use crate::values::{any, fitting, list, quote};
use crate::world::{Method, ParameterKind, World};

/// The version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Legacy,
    V2,
}

/// Who asks, and what an answer must therefore have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) version: Version,
    /// JSON; none if there is no `id`.
    pub(crate) id: Option<String>,
}

impl Sender {
    /// Whoever sent something that is no request.
    pub(crate) fn unknown() -> Self {
        Self { version: Version::Legacy, id: Some("null".to_owned()) }
    }

    /// Whether no answer is wanted.
    pub(crate) fn is_notification(&self) -> bool {
        self.version == Version::V2 && self.id.is_none()
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The method, as JSON.
    pub(crate) method: String,
    pub(crate) json: String,
    pub(crate) sender: Sender,
    /// Whether the answer may be a long time coming.
    pub(crate) may_wait: bool,
}

/// A call of any method that there is.
pub(crate) fn call(random: &mut Random, world: &World, may_wait: bool) -> Call {
    let mut method = &world.methods[random.below(world.methods.len())];
    while !may_wait && waits(method) {
        method = &world.methods[random.below(world.methods.len())];
    }
    let params = if random.chance(25) { wrong_params(random, world, method) } else { params(random, world, method) };
    let name = if random.chance(99) { quote(&method.name) } else { quote("getblockcoun") };
    write(random, &name, &params, waits(method))
}

/// Whether a method may wait for something that does not come.
fn waits(method: &Method) -> bool {
    method.name.starts_with("wait") || method.name == "getblocktemplate"
}

/// A request that has everything a request has, and in part something else.
pub(crate) fn odd_request(random: &mut Random, world: &World) -> String {
    let mut members = Vec::new();
    for name in ["jsonrpc", "id", "method", "params", "params", "method"] {
        if random.chance(60) {
            let value = match name {
                "jsonrpc" if random.chance(70) => {
                    random.pick(&["\"2.0\"", "\"1.0\"", "\"1.1\"", "\"3\"", "2.0"]).to_owned()
                }
                // Words that name no method that waits, works for long or ends the node.
                "method" => random
                    .pick(&["\"getblockcount\"", "\"help\"", "\"\"", "1", "null", "\"\\u0068elp\"", "{}"])
                    .to_owned(),
                _ => any(random, world, 1),
            };
            members.push(format!("\"{name}\":{value}"));
        }
    }
    format!("{{{}}}", members.join(","))
}

/// A request with this method and these parameters.
pub(crate) fn write(random: &mut Random, method: &str, params: &str, may_wait: bool) -> Call {
    let version = if random.chance(50) { Version::V2 } else { Version::Legacy };
    let id = match random.below(12) {
        0 => None,
        1 => Some("null".to_owned()),
        2 => Some(quote("a\\u0041")),
        3 => Some("[1,{\"a\":1e400}]".to_owned()),
        4 => Some("-1.50".to_owned()),
        _ => Some(random.up_to(1_000_000).to_string()),
    };
    let mut members = vec![format!("\"method\":{method}")];
    if !params.is_empty() {
        members.push(format!("\"params\":{params}"));
    }
    match version {
        Version::V2 => members.push("\"jsonrpc\":\"2.0\"".to_owned()),
        Version::Legacy if random.chance(30) => members.push("\"jsonrpc\":\"1.0\"".to_owned()),
        Version::Legacy => {}
    }
    if let Some(id) = &id {
        members.push(format!("\"id\":{id}"));
    }
    let turn = random.below(members.len());
    members.rotate_left(turn);
    Call {
        method: method.to_owned(),
        json: format!("{{{}}}", members.join(",")),
        sender: Sender { version, id },
        may_wait,
    }
}

/// Parameters that nearly fit: in order, by name, or both.
fn params(random: &mut Random, world: &World, method: &Method) -> String {
    let count = match random.below(2) {
        0 => random.below(method.parameters.len() + 1),
        _ => method.parameters.len(),
    };
    let mut values: Vec<(&str, String)> = Vec::new();
    for parameter in &method.parameters[..count] {
        // One in six is something else.
        let value = match random.below(12) {
            0 => without_paths(any(random, world, 0)),
            1 => "null".to_owned(),
            _ => fitting(random, world, &parameter.name, parameter.kind),
        };
        values.push((&parameter.name, harmless(&method.name, &parameter.name, parameter.kind, value)));
    }
    match random.below(4) {
        0 => {
            let members: Vec<String> = values.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        }
        1 if !values.is_empty() => {
            let (named, placed) = (values.split_off(random.below(values.len())), values);
            let placed: Vec<String> = placed.into_iter().map(|(_, value)| value).collect();
            let mut members = vec![format!("\"args\":[{}]", placed.join(","))];
            members.extend(named.iter().map(|(name, value)| format!("\"{name}\":{value}")));
            format!("{{{}}}", members.join(","))
        }
        _ => format!("[{}]", values.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(",")),
    }
}

/// Parameters that do not fit: too many, of wrong types, with names that are unknown or come twice.
fn wrong_params(random: &mut Random, world: &World, method: &Method) -> String {
    if method.name.starts_with("generate") || method.name.starts_with("wait") {
        // Anything might be right and then take long.
        return random
            .pick(&["[]", "[null]", "[[]]", "{}", "{\"a\":1}", "[\"a\",\"b\",\"c\",\"d\",\"e\"]", ""])
            .to_owned();
    }
    match random.below(5) {
        0 => String::new(),
        1 => "null".to_owned(),
        2 => list(method.parameters.len() + 1, || "null".to_owned()),
        3 => {
            let count = random.below(12);
            list(count, || without_paths(any(random, world, 0)))
        }
        _ => {
            let name = method.parameters.first().map_or("a", |parameter| &parameter.name);
            let value = without_paths(any(random, world, 0));
            random
                .pick(&[
                    format!("{{\"{name}\":{value},\"{name}\":{value}}}").as_str(),
                    &format!("{{\"args\":[{value}],\"{name}\":{value}}}"),
                    &format!("{{\"unknown\":{value}}}"),
                    &format!("{{\"args\":{value}}}"),
                    &format!("{{\"\":{value},\"\\u0000\":{value}}}"),
                ])
                .to_owned()
        }
    }
}

/// A value that does not make a method work for hours, wait for days, or write where it must not.
fn harmless(method: &str, parameter: &str, kind: ParameterKind, value: String) -> String {
    let number: Option<f64> = value.trim_matches('"').parse().ok();
    if method.starts_with("generate") && kind == ParameterKind::Number && number.is_none_or(|number| number > 3.0) {
        return "1".to_owned();
    }
    if method.starts_with("wait")
        && parameter == "timeout"
        && number.is_none_or(|number| !(1.0..100.0).contains(&number))
    {
        return "5".to_owned();
    }
    value
}

/// A file must lie where the test may write.
fn without_paths(value: String) -> String {
    if value.starts_with("\"/") || value.starts_with("\"..") { "\"file\"".to_owned() } else { value }
}
