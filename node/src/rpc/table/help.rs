//! The text of `help METHOD` (Core: `RPCMethod::ToString` and `Sections`, `rpc/util.cpp`).

use super::result_doc::ResultType;
use super::{Method, Parameter, ParameterType, Presence, ResultDoc};

/// Spaces between the longest left part and the right parts.
const GAP: usize = 4;
/// How far the insides of an argument stand in.
const ARGUMENT_INDENT: usize = 5;

impl Method {
    /// The help text; `port` is the one that examples show.
    #[must_use]
    pub(crate) fn help(&self, port: u16) -> String {
        let mut text = format!("{}\n\n{}\n", self.signature(), self.description.trim());
        let mut arguments = Sections::default();
        let mut named_arguments = Sections::default();
        let shown = self.parameters.iter().take_while(|parameter| !parameter.is_hidden);
        for (position, parameter) in shown.enumerate() {
            let left = format!("{}. {}", position + 1, parameter.first_name());
            arguments.push(left, parameter.description_text(true));
            arguments.push_parameter(parameter, ARGUMENT_INDENT, Outer::None);
            for option in parameter.named_only() {
                named_arguments.push(option.first_name().to_owned(), option.description_text(true));
                named_arguments.push_parameter(option, ARGUMENT_INDENT, Outer::None);
            }
        }
        for (title, sections) in [("Arguments", arguments), ("Named Arguments", named_arguments)] {
            if !sections.0.is_empty() {
                text += &format!("\n{title}:\n{}", sections.render());
            }
        }
        for result in self.results.iter().filter(|result| result.kind != ResultType::Any) {
            text += &match result.condition {
                "" => "\nResult:\n".to_owned(),
                condition => format!("\nResult ({condition}):\n"),
            };
            let mut sections = Sections::default();
            sections.push_result(result, 0, Outer::None);
            text += &sections.render();
        }
        if !self.examples.is_empty() {
            text += "\nExamples:\n";
            text.extend(self.examples.iter().map(|example| example.render(self.name, port)));
        }
        text
    }

    /// The first line: the name and what may be passed.
    #[must_use]
    pub(crate) fn signature(&self) -> String {
        let mut line = self.name.to_owned();
        let mut is_optional = false;
        for parameter in self.parameters.iter().take_while(|parameter| !parameter.is_hidden) {
            line += match (is_optional, parameter.is_optional()) {
                (false, true) => " ( ",
                (true, false) => " ) ",
                _ => " ",
            };
            is_optional = parameter.is_optional();
            line += &parameter.form(true);
        }
        if is_optional {
            line += " )";
        }
        line
    }
}

impl Parameter {
    /// What a value looks like (Core: `RPCArg::ToString`).
    fn form(&self, oneline: bool) -> String {
        if let Some(text) = self.oneline.filter(|_| oneline) {
            return text.to_owned();
        }
        let forms =
            |inner: &[Self], form: &dyn Fn(&Self) -> String| inner.iter().map(form).collect::<Vec<_>>().join(",");
        match self.kind {
            ParameterType::String | ParameterType::Hex => format!("\"{}\"", self.first_name()),
            ParameterType::Number | ParameterType::Range | ParameterType::Amount | ParameterType::Boolean => {
                self.first_name().to_owned()
            }
            ParameterType::Object(inner) => format!("{{{}}}", forms(inner, &|field| field.field_form(oneline))),
            ParameterType::NamedOptions(inner) | ParameterType::UserKeys(inner) => {
                format!("{{{},...}}", forms(inner, &|field| field.field_form(oneline)))
            }
            ParameterType::Array(inner) => format!("[{},...]", forms(inner, &|element| element.form(oneline))),
        }
    }

    /// What a key and its value look like (Core: `RPCArg::ToStringObj`).
    fn field_form(&self, oneline: bool) -> String {
        let value = match self.kind {
            ParameterType::String => "\"str\"".to_owned(),
            ParameterType::Hex => "\"hex\"".to_owned(),
            ParameterType::Number => "n".to_owned(),
            ParameterType::Range => "n or [n,n]".to_owned(),
            ParameterType::Amount => "amount".to_owned(),
            ParameterType::Boolean => "bool".to_owned(),
            ParameterType::Array(_)
            | ParameterType::Object(_)
            | ParameterType::NamedOptions(_)
            | ParameterType::UserKeys(_) => self.form(oneline),
        };
        format!("\"{}\":{}{value}", self.first_name(), if oneline { "" } else { " " })
    }

    /// Type, presence and description (Core: `RPCArg::ToDescriptionString`).
    fn description_text(&self, is_named: bool) -> String {
        let kind = match (self.type_texts, self.kind) {
            (Some((_, text)), _) => text,
            (None, ParameterType::String | ParameterType::Hex) => "string",
            (None, ParameterType::Number) => "numeric",
            (None, ParameterType::Amount) => "numeric or string",
            (None, ParameterType::Range) => "numeric or array",
            (None, ParameterType::Boolean) => "boolean",
            (None, ParameterType::Array(_)) => "json array",
            (None, ParameterType::Object(_) | ParameterType::NamedOptions(_) | ParameterType::UserKeys(_)) => {
                "json object"
            }
        };
        let presence = match self.presence {
            Presence::Required => ", required".to_owned(),
            Presence::Omitted if is_named => ", optional".to_owned(),
            Presence::Omitted => String::new(),
            Presence::Hint(text) | Presence::Default(text) => format!(", optional, default={text}"),
        };
        let mut text = format!("({kind}{presence})");
        if matches!(self.kind, ParameterType::NamedOptions(_)) {
            text += " Options object that can be used to pass named arguments, listed below.";
        }
        if !self.description.is_empty() {
            text += " ";
            text += self.description;
        }
        text
    }
}

/// What a value lies in (Core: `OuterType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outer {
    None,
    Array,
    Object,
}

/// Lines of two parts each; the right parts stand below each other.
#[derive(Debug, Default)]
struct Sections(Vec<(String, String)>);

impl Sections {
    fn push(&mut self, left: String, right: String) {
        self.0.push((left, right));
    }

    /// What lies inside an argument.
    fn push_parameter(&mut self, parameter: &Parameter, indent: usize, outer: Outer) {
        let spaces = " ".repeat(indent);
        let is_top = outer == Outer::None;
        let is_field = outer == Outer::Object;
        let key = if is_field { format!("\"{}\": ", parameter.first_name()) } else { String::new() };
        let description = if is_top { String::new() } else { parameter.description_text(is_field) };
        let comma = if is_top { "" } else { "," };
        let (open, inner, inner_outer, is_open_ended, close) = match parameter.kind {
            ParameterType::Object(inner) => ('{', inner, Outer::Object, false, '}'),
            ParameterType::UserKeys(inner) => ('{', inner, Outer::Object, true, '}'),
            ParameterType::Array(inner) => ('[', inner, Outer::Array, true, ']'),
            _ if is_top => return,
            _ => {
                let form = match parameter.type_texts.filter(|_| is_field) {
                    Some((text, _)) => format!("{key}{text}"),
                    None if is_field => parameter.field_form(false),
                    None => parameter.form(false),
                };
                return self.push(format!("{spaces}{form},"), description);
            }
        };
        self.push(format!("{spaces}{key}{open}"), description);
        for parameter in inner {
            self.push_parameter(parameter, indent + 2, inner_outer);
        }
        if is_open_ended {
            self.push(format!("{spaces}  ..."), String::new());
        }
        self.push(format!("{spaces}{close}{comma}"), String::new());
    }

    /// A result, and what lies inside it (Core: `RPCResult::ToSections`).
    fn push_result(&mut self, result: &ResultDoc, indent: usize, outer: Outer) {
        let spaces = " ".repeat(indent);
        let comma = if outer == Outer::None { "" } else { "," };
        let key = if outer == Outer::Object { format!("\"{}\" : ", result.key) } else { String::new() };
        let describe = |kind: &str| {
            let optional = if result.is_optional { ", optional" } else { "" };
            format!("({kind}{optional}) {}", result.description).trim_end().to_owned()
        };
        let (form, kind) = match result.kind {
            // Core's null has no key.
            ResultType::Null => return self.push(format!("{spaces}null{comma}"), describe("json null")),
            ResultType::String | ResultType::Any => ("\"str\"", "string"),
            ResultType::Hex => ("\"hex\"", "string"),
            ResultType::Amount | ResultType::Number => ("n", "numeric"),
            ResultType::Time => ("xxx", "numeric"),
            ResultType::Boolean => ("true|false", "boolean"),
            ResultType::Object if result.groups[0].fields.is_empty() => {
                return self.push(format!("{spaces}{key}{{}}"), describe("empty JSON object"));
            }
            ResultType::Object | ResultType::ObjectDynamic => ("{", "json object"),
            ResultType::Array | ResultType::ArrayFixed => ("[", "json array"),
        };
        let (inner_outer, close) = match form {
            "{" => (Outer::Object, '}'),
            "[" => (Outer::Array, ']'),
            _ => return self.push(format!("{spaces}{key}{form}{comma}"), describe(kind)),
        };
        self.push(format!("{spaces}{key}{form}"), describe(kind));
        for group in result.groups.iter().filter(|group| !group.fields.is_empty()) {
            match group.elision {
                Some("") => {}
                Some(text) => self.push(format!("{spaces}  ...,"), text.to_owned()),
                None => group.fields.iter().for_each(|field| self.push_result(field, indent + 2, inner_outer)),
            }
        }
        if matches!(result.kind, ResultType::Array | ResultType::ObjectDynamic) {
            self.push(format!("{spaces}  ..."), String::new());
        } else if let Some((left, _)) = self.0.last_mut() {
            // The comma after the last field, which would be no JSON.
            left.pop();
        }
        self.push(format!("{spaces}{close}{comma}"), String::new());
    }

    fn render(&self) -> String {
        let pad = self.0.iter().map(|(left, _)| left.len()).max().unwrap_or(0) + GAP;
        let mut text = String::new();
        for (left, right) in &self.0 {
            if right.is_empty() {
                text += left;
            } else {
                text += &format!("{left:pad$}");
                push_padded(&mut text, right, pad);
            }
            text.push('\n');
        }
        text
    }
}

/// Appends lines, those after the first behind `pad` spaces instead of their own. As in Core, a line after an empty one is
/// left as it is.
fn push_padded(text: &mut String, right: &str, pad: usize) {
    let mut rest = right;
    let mut end = rest.find('\n');
    while let Some(at) = end {
        *text += &rest[..at];
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', pad));
        rest = rest[at + 1..].trim_start_matches(' ');
        let Some(first) = rest.chars().next() else { return };
        let after_first = first.len_utf8();
        end = rest[after_first..].find('\n').map(|offset| offset + after_first);
    }
    *text += rest;
}
