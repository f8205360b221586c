//! Reading the acceptance data.

use std::path::PathBuf;

use bitcoin::hex::FromHex;

fn read(file: &str) -> Vec<u8> {
    let folder = std::env::var_os("CAIRN_DATA").expect("CAIRN_DATA must name the folder of acceptance data");
    let path = PathBuf::from(folder).join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if !file.ends_with(".xz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    lzma_rs::xz_decompress(&mut bytes.as_slice(), &mut unpacked).unwrap();
    unpacked
}

/// A file of text.
pub(crate) fn text(file: &str) -> String {
    String::from_utf8(read(file)).unwrap()
}

/// A file with one JSON object a line.
pub(crate) fn json_lines(file: &str) -> Vec<serde_json::Value> {
    text(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The blocks of a file in the framing of Core's `blk*.dat`: magic, length (four bytes little-endian), block.
pub(crate) fn block_file(file: &str) -> Vec<Vec<u8>> {
    let bytes = read(file);
    let mut rest = &bytes[..];
    let mut blocks = Vec::new();
    while let Some((frame, tail)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes(frame[4..].try_into().unwrap());
        let (block, tail) = tail.split_at(length.try_into().unwrap());
        blocks.push(block.to_vec());
        rest = tail;
    }
    blocks
}

/// Bytes from hex.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    Vec::from_hex(text).unwrap()
}
