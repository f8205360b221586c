//! `cairn config show`.

use serde_json::{Map, Value, json};

use crate::cli::{Answer, to_json};
use crate::config::{Config, Origin, Setting, Settings};

/// What stands in place of a secret.
const HIDDEN: &str = "(hidden)";

/// Shows the values of all keys.
pub(super) fn run(settings: &Settings, with_origin: bool, json: bool) -> Answer {
    let config: Config = settings.resolve()?;
    let params = config.check()?;
    let rows: Vec<Row> = settings
        .all()
        .iter()
        .map(|setting| {
            // Defaults that depend on something else.
            let computed = match setting.key.name.as_str() {
                "datadir" => Some(config.chain.network.datadir().map(|datadir| datadir.display().to_string())?),
                "rpc-port" => Some(config.rpc.access.port(&params).to_string()),
                _ => None,
            };
            Ok(Row::new(setting, computed))
        })
        .collect::<Result<_, crate::config::ConfigError>>()?;
    if json {
        let rows: Map<String, Value> = rows.iter().map(|row| (row.setting.key.name.clone(), row.to_json())).collect();
        return to_json(&rows);
    }
    let lines: Vec<String> = rows.iter().map(Row::to_toml).collect();
    // Long values push their origin out, not everybody's.
    let width = lines.iter().map(|line| line.chars().count()).filter(|width| *width <= 50).max().unwrap_or(0);
    let mut text = String::new();
    for (row, line) in rows.iter().zip(lines) {
        if with_origin {
            text += &format!("{line:<width$}  # {}\n", row.origin());
        } else {
            text += &format!("{line}\n");
        }
    }
    Ok(text)
}

/// A key and its values.
struct Row<'s> {
    setting: &'s Setting,
    values: Vec<String>,
}

impl<'s> Row<'s> {
    fn new(setting: &'s Setting, computed: Option<String>) -> Self {
        let mut values = setting.texts();
        if values.is_empty() {
            values.extend(computed);
        }
        if setting.key.is_secret() {
            values.fill(HIDDEN.to_owned());
        }
        Self { setting, values }
    }

    fn to_toml(&self) -> String {
        let key = &self.setting.key;
        if self.values.is_empty() {
            return format!("#{} =", key.name);
        }
        format!("{} = {}", key.name, key.to_toml(&self.values))
    }

    fn to_json(&self) -> Value {
        let key = &self.setting.key;
        let value = if key.is_list {
            json!(self.values)
        } else {
            self.values.first().map_or(Value::Null, |value| json_value(value))
        };
        json!({ "value": value, "origin": self.origin() })
    }

    fn origin(&self) -> String {
        match &self.setting.origin {
            Origin::CommandLine => "command line".to_owned(),
            Origin::Environment(variable) => format!("environment variable {variable}"),
            Origin::File(place) => place.clone(),
            Origin::Default if self.values.is_empty() => "not set".to_owned(),
            Origin::Default => "default".to_owned(),
        }
    }
}

/// A number or a truth value as such, everything else as text.
fn json_value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => text.into(),
    }
}
