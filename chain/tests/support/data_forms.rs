//! The forms acceptance data comes in.

use bitcoin::hex::FromHex;

use crate::acceptance_data::read;

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
