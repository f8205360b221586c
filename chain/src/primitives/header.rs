//! A header's 80 bytes, and their hash.

use bitcoin::block::{Header, Version};
use bitcoin::consensus::Encodable;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};

use crate::hash::sha256d;

/// Size of a serialized block header, in bytes (Core: `CBlockHeader`, `primitives/block.h`).
pub const HEADER_SIZE: usize = 80;

/// Decodes the 80 bytes of a header: version, previous hash, merkle root, time, bits, nonce, integers little-endian.
#[must_use]
pub fn decode_header(bytes: &[u8; HEADER_SIZE]) -> Header {
    let word = |offset: usize| -> [u8; 4] { bytes[offset..offset + 4].try_into().expect("four bytes") };
    let hash = |offset: usize| -> [u8; 32] { bytes[offset..offset + 32].try_into().expect("32 bytes") };
    Header {
        version: Version::from_consensus(i32::from_le_bytes(word(0))),
        prev_blockhash: BlockHash::from_byte_array(hash(4)),
        merkle_root: TxMerkleNode::from_byte_array(hash(36)),
        time: u32::from_le_bytes(word(68)),
        bits: CompactTarget::from_consensus(u32::from_le_bytes(word(72))),
        nonce: u32::from_le_bytes(word(76)),
    }
}

/// The serialized form of `header`, as on the wire.
#[must_use]
pub fn header_bytes(header: &Header) -> [u8; HEADER_SIZE] {
    let mut bytes = [0; HEADER_SIZE];
    header.consensus_encode(&mut bytes.as_mut_slice()).expect("every header serializes to 80 bytes");
    bytes
}

/// The hash of a serialized header (Core: `CBlockHeader::GetHash`, `primitives/block.cpp`).
#[must_use]
pub fn hash_header(bytes: &[u8; HEADER_SIZE]) -> BlockHash {
    BlockHash::from_byte_array(sha256d(bytes))
}
