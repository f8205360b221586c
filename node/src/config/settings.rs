//! Which of the places that set a key counts.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{Args, Command};

use super::ConfigError;
use super::environment::Environment;
use super::file::{self, FILE_NAME};
use super::given::{FILE_OPTION, Given};
use super::key::Key;
use super::network::default_datadir;

/// What one place sets, by key.
pub(super) type Layer = BTreeMap<String, LayerValue>;

/// What one place sets a key to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LayerValue {
    /// Where it stands, for messages.
    pub(super) place: String,
    /// The values as they would be written on the command line; more than one for lists alone.
    pub(super) values: Vec<OsString>,
}

/// Where a value comes from; what comes first here counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The command line.
    CommandLine,
    /// A variable of the environment, by its name.
    Environment(String),
    /// A file, with the line.
    File(String),
    /// Nobody set it.
    Default,
}

/// A key and what it is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The key.
    pub(crate) key: Key,
    /// Its values; none when it has no default.
    pub(crate) values: Vec<OsString>,
    /// Where they come from.
    pub(crate) origin: Origin,
}

/// All keys, and what they are set to.
#[derive(Debug)]
pub(crate) struct Settings {
    settings: Vec<Setting>,
    file: PathBuf,
    ignored: Vec<String>,
}

impl Settings {
    /// Puts together what the command line, this process's environment and the file say.
    ///
    /// # Errors
    ///
    /// For keys that are none, and files that cannot be read.
    pub(crate) fn gather(given: &Given) -> Result<Self, ConfigError> {
        Self::gather_from(given, std::env::vars_os())
    }

    /// The file that would be read, whatever is in it.
    ///
    /// # Errors
    ///
    /// For variables of the environment that are no keys.
    pub(crate) fn file_to_write(given: &Given) -> Result<PathBuf, ConfigError> {
        let environment = Environment::read(std::env::vars_os(), &Key::all())?;
        Ok(choose_file(given, &environment)?.0)
    }

    /// As [`Self::gather`], with another environment.
    pub(super) fn gather_from(
        given: &Given,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let keys = Key::all();
        let environment = Environment::read(variables, &keys)?;
        let (file, is_named) = choose_file(given, &environment)?;
        let Environment { layer: environment, ignored, .. } = environment;
        let in_file = file::read(&file, is_named, &keys)?.unwrap_or_default();
        let setting = |key: Key| {
            let (values, origin) = if let Some(values) = given.get(&key.name) {
                (values.to_vec(), Origin::CommandLine)
            } else if let Some(value) = environment.get(&key.name) {
                (value.values.clone(), Origin::Environment(key.variable()))
            } else if let Some(value) = in_file.get(&key.name) {
                (value.values.clone(), Origin::File(value.place.clone()))
            } else {
                (key.defaults.iter().map(OsString::from).collect(), Origin::Default)
            };
            Setting { key, values, origin }
        };
        let mut settings = Self { settings: keys.into_iter().map(setting).collect(), file, ignored };
        settings.choose_network()?;
        Ok(settings)
    }

    /// A network is chosen by its name or by a file: of two places that do, the one that counts more does.
    fn choose_network(&mut self) -> Result<(), ConfigError> {
        let rank = |origin: &Origin| match origin {
            Origin::CommandLine => 3,
            Origin::Environment(_) => 2,
            Origin::File(_) => 1,
            Origin::Default => 0,
        };
        let rank_of = |name: &str| self.setting(name).map_or(0, |setting| rank(&setting.origin));
        let (network, spec) = (rank_of("network"), rank_of("spec"));
        if network == 0 || spec == 0 {
            return Ok(());
        }
        let outdone = match network.cmp(&spec) {
            std::cmp::Ordering::Less => "network",
            std::cmp::Ordering::Greater => "spec",
            std::cmp::Ordering::Equal => return Err(ConfigError::Excludes { first: "network", second: "spec" }),
        };
        for setting in &mut self.settings {
            if setting.key.name == outdone {
                setting.values = setting.key.defaults.iter().map(OsString::from).collect();
                setting.origin = Origin::Default;
            }
        }
        Ok(())
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key.name == name)
    }

    /// Whether somebody set a key.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.setting(name).is_some_and(|setting| setting.origin != Origin::Default)
    }

    /// Whether an option of the command line sets a key.
    pub(crate) fn is_option(&self, name: &str) -> bool {
        self.setting(name).is_some_and(|setting| setting.origin == Origin::CommandLine)
    }

    /// Folder of all data.
    ///
    /// # Errors
    ///
    /// When none was chosen and the user has no home directory.
    pub(crate) fn datadir(&self) -> Result<PathBuf, ConfigError> {
        let set = self.setting("datadir").and_then(|setting| setting.values.first()).map(PathBuf::from);
        set.or_else(default_datadir).ok_or(ConfigError::NoHome)
    }

    /// All keys and their values, in the order in which keys are documented.
    pub(crate) fn all(&self) -> &[Setting] {
        &self.settings
    }

    /// The file that is read, whether it is there or not.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Variables of the environment that begin like ours and are no keys.
    pub(crate) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The values of the keys that `T` has.
    ///
    /// # Errors
    ///
    /// For the first value that is none for its key, with the place where it stands.
    pub(crate) fn resolve<T: Args>(&self) -> Result<T, ConfigError> {
        let command = T::augment_args(Command::new("cairn").no_binary_name(true));
        let has = |name: &str| command.get_arguments().any(|arg| arg.get_id().as_str().replace('_', "-") == name);
        let mut all = Vec::new();
        for setting in self.settings.iter().filter(|setting| has(&setting.key.name)) {
            if setting.origin == Origin::Default {
                continue;
            }
            let arguments = setting.to_arguments();
            command.clone().try_get_matches_from(&arguments).map_err(|error| setting.wrong(&error))?;
            all.extend(arguments);
        }
        let matches = command.try_get_matches_from(&all).and_then(|mut matches| T::from_arg_matches_mut(&mut matches));
        matches.map_err(|error| ConfigError::Misplaced { place: "keys".to_owned(), problem: problem(&error) })
    }
}

impl Setting {
    /// The values as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.values.iter().map(|value| value.to_string_lossy().into_owned()).collect()
    }

    fn to_arguments(&self) -> Vec<OsString> {
        let argument = |value: &OsString| {
            let mut argument = OsString::from(format!("--{}=", self.key.name));
            argument.push(value);
            argument
        };
        self.values.iter().map(argument).collect()
    }

    fn wrong(&self, error: &clap::Error) -> ConfigError {
        let place = match &self.origin {
            Origin::Environment(variable) => format!("environment variable {variable}"),
            Origin::File(place) => place.clone(),
            Origin::CommandLine | Origin::Default => "command line".to_owned(),
        };
        ConfigError::ValueAt { place, key: self.key.name.clone(), problem: problem(error) }
    }
}

/// What clap found, without the advice it gives for the command line.
fn problem(error: &clap::Error) -> String {
    let got = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(got)) => got.as_str(),
        _ => "",
    };
    match (error.get(ContextKind::ValidValue), error.source()) {
        (Some(ContextValue::Strings(valid)), _) if !valid.is_empty() => {
            format!("expected one of {}, got '{got}'", valid.join(", "))
        }
        (_, Some(source)) => format!("{source}, got '{got}'"),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

/// The file to read, and whether the user named it.
fn choose_file(given: &Given, environment: &Environment) -> Result<(PathBuf, bool), ConfigError> {
    match given.get(FILE_OPTION).and_then(<[_]>::first).or(environment.file.as_ref()) {
        Some(named) => Ok((PathBuf::from(named), true)),
        None => Ok((datadir(given, &environment.layer)?.join(FILE_NAME), false)),
    }
}

/// Folder of all data, in which the file is looked for.
fn datadir(given: &Given, environment: &Layer) -> Result<PathBuf, ConfigError> {
    let name = "datadir";
    let set = given.get(name).or_else(|| environment.get(name).map(|value| value.values.as_slice()));
    match set.and_then(<[_]>::first) {
        Some(datadir) => Ok(PathBuf::from(datadir)),
        None => default_datadir().ok_or(ConfigError::NoHome),
    }
}
