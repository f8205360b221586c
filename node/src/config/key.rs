//! The keys as data, read off [`Config`].

use clap::{Arg, ArgAction, Args, Command};

use super::Config;

/// Keys whose values are not shown.
const SECRETS: [&str; 1] = ["rpc-auth"];

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its name on the command line and in the file, such as "rpc-port".
    pub(crate) name: String,
    /// What it belongs to, such as "RPC".
    pub(crate) heading: String,
    /// What it means.
    pub(crate) help: String,
    /// What its values are called, such as "PORT".
    pub(crate) value_name: String,
    /// Its values when nobody sets it; none when that depends on something else.
    pub(crate) defaults: Vec<String>,
    /// Whether it may have several values.
    pub(crate) is_list: bool,
}

impl Key {
    /// All keys, in the order in which they are documented.
    pub(crate) fn all() -> Vec<Self> {
        let mut keys: Vec<Self> = Config::augment_args(Command::new("cairn")).get_arguments().map(Self::new).collect();
        let mut headings: Vec<String> = Vec::new();
        for key in &keys {
            if !headings.contains(&key.heading) {
                headings.push(key.heading.clone());
            }
        }
        keys.sort_by_key(|key| headings.iter().position(|heading| *heading == key.heading));
        keys
    }

    fn new(arg: &Arg) -> Self {
        let text = |styled: &clap::builder::StyledStr| styled.to_string();
        Self {
            name: arg.get_id().as_str().replace('_', "-"),
            heading: arg.get_help_heading().unwrap_or_default().to_owned(),
            help: arg.get_long_help().or(arg.get_help()).map(text).unwrap_or_default(),
            value_name: arg.get_value_names().unwrap_or_default().first().map(ToString::to_string).unwrap_or_default(),
            defaults: arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect(),
            is_list: matches!(arg.get_action(), ArgAction::Append),
        }
    }

    /// The variable of the environment that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("{}{}", super::environment::PREFIX, self.name.to_uppercase().replace('-', "_"))
    }

    /// Whether its values are kept to ourselves.
    pub(crate) fn is_secret(&self) -> bool {
        SECRETS.contains(&self.name.as_str())
    }

    /// Values as the file has them.
    pub(crate) fn to_toml(&self, values: &[String]) -> String {
        let values: Vec<String> = values.iter().map(|value| to_toml(value)).collect();
        if self.is_list { format!("[{}]", values.join(", ")) } else { values.concat() }
    }
}

fn to_toml(value: &str) -> String {
    let is_bare = matches!(value, "true" | "false") || is_number(value);
    if is_bare { value.to_owned() } else { toml::Value::String(value.to_owned()).to_string() }
}

/// Whether this is a number the way TOML writes it.
pub(super) fn is_number(text: &str) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // An i64 has up to nineteen digits.
    is_digits(whole) && is_digits(decimals) && (whole == "0" || !whole.starts_with('0')) && text.len() <= 18
}
