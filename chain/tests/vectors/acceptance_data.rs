//! Acceptance data outside the repository: `CAIRN_DATA` names the folder.

use std::fs;
use std::path::PathBuf;

/// The decompressed content of a file of the acceptance data.
pub(crate) fn read_xz(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("CAIRN_DATA").expect("set CAIRN_DATA to the folder of acceptance data");
    let path = PathBuf::from(folder).join(name);
    let compressed = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut content = Vec::new();
    lzma_rs::xz_decompress(&mut compressed.as_slice(), &mut content)
        .unwrap_or_else(|error| panic!("cannot decompress {name}: {error:?}"));
    content
}
