//! What `cairn.toml` sets.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::key::Key;
use super::nearest::nearest;
use super::settings::{Layer, LayerValue};

/// The file's name in the folder of all data.
pub(crate) const FILE_NAME: &str = "cairn.toml";
/// Why a password is refused where others may see it.
pub(super) const NO_PASSWORD_HERE: &str =
    "a password has no place here; put it into a file of its own and name that file with 'rpc-password-file'";

/// Reads a file. One that is not there sets nothing, unless the user named it.
///
/// # Errors
///
/// When it cannot be read, is not TOML, or has a key that is none.
pub(super) fn read(path: &Path, is_named: bool, keys: &[Key]) -> Result<Option<Layer>, ConfigError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !is_named => return Ok(None),
        Err(source) => return Err(ConfigError::File { action: "read", path: path.to_owned(), source }),
    };
    let table = DeTable::parse(&text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: line_of(&text, error.span().map_or(0, |span| span.start)),
        message: error.message().replace('\n', ", "),
    })?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let mut layer = Layer::default();
    for (name, value) in entries {
        let place = format!("{}, line {}", path.display(), line_of(&text, name.span().start));
        let name = name.get_ref().as_ref();
        let key = keys.iter().find(|key| key.name == name).ok_or_else(|| unknown(name, &place, keys))?;
        if name == "datadir" && !is_named {
            let problem = "datadir cannot be set in the file that is looked for in it; name the file with --config, or \
                           set --datadir or CAIRN_DATADIR instead";
            return Err(ConfigError::Misplaced { place, problem: problem.to_owned() });
        }
        let values = values(key, value.get_ref());
        let values = values.map_err(|problem| ConfigError::ValueAt {
            place: place.clone(),
            key: name.to_owned(),
            problem: problem.to_owned(),
        })?;
        layer.insert(name.to_owned(), LayerValue { place, values });
    }
    Ok(Some(layer))
}

fn unknown(name: &str, place: &str, keys: &[Key]) -> ConfigError {
    let place = place.to_owned();
    if name == "rpc-password" {
        return ConfigError::Misplaced { place, problem: NO_PASSWORD_HERE.to_owned() };
    }
    let near = nearest(name, keys.iter().map(|key| key.name.as_str()));
    let advice = match near {
        Some((near, distance)) if distance * 2 <= near.len() => format!("; did you mean '{near}'?"),
        _ => "; 'cairn config show' lists all keys".to_owned(),
    };
    ConfigError::UnknownKey { place, name: name.chars().take(60).collect(), advice }
}

fn values(key: &Key, value: &DeValue<'_>) -> Result<Vec<OsString>, &'static str> {
    match value {
        DeValue::Array(_) if !key.is_list => Err("expected one value, got a list"),
        DeValue::Array(values) if values.is_empty() => {
            Err("expected at least one value; leave the key out for its default")
        }
        DeValue::Array(values) => values.iter().map(|value| scalar(value.get_ref())).collect(),
        value => Ok(vec![scalar(value)?]),
    }
}

/// The value as it would be written on the command line.
fn scalar(value: &DeValue<'_>) -> Result<OsString, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.as_ref().into()),
        DeValue::Boolean(value) => Ok(value.to_string().into()),
        DeValue::Integer(value) if value.radix() == 10 => Ok(value.as_str().into()),
        DeValue::Float(value) => Ok(value.as_str().into()),
        DeValue::Integer(_) => Err("expected a decimal number"),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err("expected a text, a number, or true or false")
        }
    }
}

/// The line that the byte at `offset` is on, from 1 on.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
