//! Files that are written as a whole.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

/// Writes a value as JSON, under another name first, so that nobody reads half of it.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let temporary = path.with_extension("json.new");
    fs::write(&temporary, serde_json::to_vec_pretty(value)?)?;
    fs::rename(&temporary, path)
}
