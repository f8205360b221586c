//! Core's own test data, read out of the package that carries Core's sources.
//!
//! `libbitcoinkernel-sys` is in our lock file, behind a feature of `cairn-tests` that is off; nothing here builds it.
//! Cargo says where it keeps the package, and downloads it first if it has to.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use cargo_metadata::{CargoOpt, MetadataCommand};
use serde_json::Value;

/// The package with Core's sources.
const PACKAGE: &str = "libbitcoinkernel-sys";
/// Where that package keeps Core's test data.
const FOLDER: &str = "bitcoin/src/test/data";

/// The parsed content of one of Core's test data files.
pub(crate) fn read(name: &str) -> Value {
    static FOUND: LazyLock<Result<PathBuf, String>> = LazyLock::new(find_folder);
    let folder = FOUND.as_ref().unwrap_or_else(|reason| panic!("cannot find Core's test data: {reason}"));
    let path = folder.join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name} is not JSON: {error}"))
}

/// The cases of a file that is one array of arrays, in which arrays of one string are comments.
pub(crate) fn read_cases(name: &str) -> Vec<Value> {
    let Value::Array(rows) = read(name) else { panic!("{name} is not an array") };
    rows.into_iter().filter(|row| row.as_array().unwrap().len() > 1).collect()
}

fn find_folder() -> Result<PathBuf, String> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .map_err(|error| {
            format!("cargo could not list our packages; {PACKAGE} has to be downloaded once, so be online: {error}")
        })?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == PACKAGE)
        .ok_or_else(|| format!("{PACKAGE} is not among our locked packages any more"))?;
    let root = package.manifest_path.parent().ok_or_else(|| format!("{PACKAGE} has no folder"))?;
    let folder = root.join(FOLDER).into_std_path_buf();
    if folder.is_dir() { Ok(folder) } else { Err(format!("{PACKAGE} {} has no {FOLDER}", package.version)) }
}
