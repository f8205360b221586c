//! The acceptance data outside the repository, answers Bitcoin Core gave: `CAIRN_DATA` names the folder.

use std::fs;
use std::path::PathBuf;

/// The content of a file of the acceptance data, decompressed if its name ends in `.xz`.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("CAIRN_DATA").expect("set CAIRN_DATA to the folder of acceptance data");
    let path = PathBuf::from(folder).join(name);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    if !name.ends_with(".xz") {
        return bytes;
    }
    let mut content = Vec::new();
    lzma_rs::xz_decompress(&mut bytes.as_slice(), &mut content)
        .unwrap_or_else(|error| panic!("cannot decompress {name}: {error:?}"));
    content
}
