//! What stands on the command line.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

/// The option that names the file. It is no key: it could not stand in the file.
pub(super) const FILE_OPTION: &str = "config";

/// Where values are looked up besides the command line.
#[derive(Debug, Clone, Args)]
pub(crate) struct FileOption {
    /// File with values of keys [default: cairn.toml in --datadir].
    #[arg(long, value_name = "FILE")]
    #[allow(dead_code, reason = "read by its name, since it decides what other values are")]
    pub(crate) config: Option<PathBuf>,
}

/// Values of the options of the command that was called, as they were written; by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(BTreeMap<String, Vec<OsString>>);

impl Given {
    /// What stands on the command line: the options of the innermost command.
    pub(crate) fn new(matches: &ArgMatches) -> Self {
        let mut leaf = matches;
        while let Some((_, inner)) = leaf.subcommand() {
            leaf = inner;
        }
        let is_given = |id: &str| leaf.value_source(id) == Some(ValueSource::CommandLine);
        let given = leaf.ids().map(clap::Id::as_str).filter(|id| is_given(id));
        let values = given.filter_map(|id| {
            let raw = leaf.try_get_raw(id).ok()??;
            Some((id.replace('_', "-"), raw.map(ToOwned::to_owned).collect()))
        });
        Self(values.collect())
    }

    /// The values of an option, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&[OsString]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Given {
    fn from(options: [(&str, &str); N]) -> Self {
        let mut given = Self::default();
        for (name, value) in options {
            given.0.entry(name.to_owned()).or_default().push(value.into());
        }
        given
    }
}
