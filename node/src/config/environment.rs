//! What the environment sets.

use std::ffi::OsString;

use super::ConfigError;
use super::given::FILE_OPTION;
use super::key::Key;
use super::nearest::nearest;
use super::settings::{Layer, LayerValue};

/// What the names of our variables begin with.
pub(super) const PREFIX: &str = "CAIRN_";

/// Variables that `cairn devnet env` sets for other programs, and that name the devnet to its own commands.
const FOR_OTHERS: [&str; 6] = [
    "CAIRN_DEVNET",
    "CAIRN_DEVNET_NETWORK",
    "CAIRN_DEVNET_NODE",
    "CAIRN_RPC_URL",
    "CAIRN_RPC_COOKIE",
    "CAIRN_METRICS_URL",
];

/// Variables of the environment that are ours.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Values of keys.
    pub(super) layer: Layer,
    /// The file to read.
    pub(super) file: Option<OsString>,
    /// Names that begin like ours and are no keys.
    pub(super) ignored: Vec<String>,
}

impl Environment {
    /// Reads the variables.
    ///
    /// Other programs set variables that begin like ours too (Kubernetes does, for a service that is called cairn), so only a
    /// name that is nearly a key's is an error.
    ///
    /// # Errors
    ///
    /// For a name that must be a key's, misspelt, and for a password.
    pub(super) fn read(
        variables: impl Iterator<Item = (OsString, OsString)>,
        keys: &[Key],
    ) -> Result<Self, ConfigError> {
        let mut environment = Self::default();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str() else { continue };
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            // Set to nothing is what scripts leave of a variable that they do not set.
            if value.is_empty() {
                continue;
            }
            let name = rest.to_lowercase().replace('_', "-");
            if FOR_OTHERS.contains(&variable) {
                continue;
            }
            if name == FILE_OPTION {
                environment.file = Some(value);
            } else if let Some(key) = keys.iter().find(|key| key.variable() == variable) {
                let place = format!("environment variable {variable}");
                environment.layer.insert(key.name.clone(), LayerValue { place, values: split(key, value) });
            } else {
                check_unknown(variable, &name, keys)?;
                environment.ignored.push(variable.to_owned());
            }
        }
        Ok(environment)
    }
}

/// Several values are separated by blanks.
fn split(key: &Key, value: OsString) -> Vec<OsString> {
    match value.to_str() {
        Some(text) if key.is_list => text.split_whitespace().map(OsString::from).collect(),
        _ => vec![value],
    }
}

fn check_unknown(variable: &str, name: &str, keys: &[Key]) -> Result<(), ConfigError> {
    let place = format!("environment variable {variable}");
    if name == "rpc-password" {
        return Err(ConfigError::Misplaced { place, problem: super::file::NO_PASSWORD_HERE.to_owned() });
    }
    match nearest(name, keys.iter().map(|key| key.name.as_str())) {
        Some((near, distance)) if distance * 3 <= near.len() => {
            let meant = keys.iter().find(|key| key.name == near).map(Key::variable).unwrap_or_default();
            Err(ConfigError::UnknownKey { place, name: name.to_owned(), advice: format!("; did you mean {meant}?") })
        }
        _ => Ok(()),
    }
}
