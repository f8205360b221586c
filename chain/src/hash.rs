//! SHA-256 the way Bitcoin uses it: doubled, tagged, and over 64-byte pairs of merkle nodes; and the hash of a set.
//!
//! SHA-256 comes from `sha2`, which picks the processor's SHA instructions at run time. RIPEMD-160 and SHA-1, which only
//! scripts need, come from rust-bitcoin.

mod muhash;

use bitcoin::hashes::{Hash, ripemd160};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::serialize::compact_size;

pub use muhash::MuHash3072;

/// The initial state of SHA-256 (FIPS 180-4, section 5.3.3).
pub(crate) const SHA256_INITIAL_STATE: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// SHA-256 of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// SHA-256 of the SHA-256 of `data`: Bitcoin's hash of transactions and blocks.
#[must_use]
pub fn sha256d(data: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(data)).into()
}

/// RIPEMD-160 of the SHA-256 of `data`: Bitcoin's hash of public keys and scripts.
#[must_use]
pub fn hash160(data: &[u8]) -> [u8; 20] {
    ripemd160::Hash::hash(&sha256(data)).to_byte_array()
}

/// Double SHA-256 of two concatenated 32-byte hashes: one inner node of a merkle tree.
///
/// The lengths are fixed, so the padding is too: three compressions and no buffering (Core: `SHA256D64`).
#[must_use]
pub fn sha256d_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    // 64 bytes of message fill a block, so the padding is a block of its own.
    const PADDING: [u8; 64] = padded_block(64);
    let mut message = [0; 64];
    message[..32].copy_from_slice(left);
    message[32..].copy_from_slice(right);
    let mut state = SHA256_INITIAL_STATE;
    compress256(&mut state, &[message, PADDING]);
    sha256_of_digest(&state)
}

/// SHA-256 of a digest that is still held as state words: the second half of a double hash.
fn sha256_of_digest(digest: &[u32; 8]) -> [u8; 32] {
    let mut block = padded_block(32);
    block[..32].copy_from_slice(&state_to_bytes(digest));
    let mut state = SHA256_INITIAL_STATE;
    compress256(&mut state, &[block]);
    state_to_bytes(&state)
}

/// The last SHA-256 block of a message of `length` bytes with nothing but its padding: a one bit behind the message, and at
/// the end the length in bits, big-endian (FIPS 180-4, section 5.1.1). The message must leave
/// room for nine bytes of padding in its last block, and its length fit two.
pub(crate) const fn padded_block(length: usize) -> [u8; 64] {
    let mut block = [0; 64];
    block[length % 64] = 0x80;
    let [.., high, low] = (8 * length).to_be_bytes();
    block[62] = high;
    block[63] = low;
    block
}

/// The digest a final SHA-256 state stands for: its words in big-endian order.
#[inline]
pub(crate) fn state_to_bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(state) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// SHA-256 over fields written one after the other in Bitcoin's serialization (Core: `HashWriter`, `hash.h`).
///
/// A clone continues from the same midstate, which is what signature hashes share.
#[derive(Clone, Default)]
pub struct HashWriter(Sha256);

impl HashWriter {
    /// A writer that nothing was written to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that starts with SHA-256(`tag`) twice (BIP340, "tagged hashes").
    #[must_use]
    pub fn tagged(tag: &str) -> Self {
        let tag = sha256(tag.as_bytes());
        let mut writer = Self::new();
        writer.write(&tag);
        writer.write(&tag);
        writer
    }

    /// Appends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// Appends a 32-bit integer, little-endian.
    pub fn write_u32(&mut self, value: u32) -> &mut Self {
        self.write(&value.to_le_bytes())
    }

    /// Appends a 64-bit integer, little-endian.
    pub fn write_u64(&mut self, value: u64) -> &mut Self {
        self.write(&value.to_le_bytes())
    }

    /// Appends a length in Bitcoin's variable-length form (Core: `WriteCompactSize`, `serialize.h`).
    pub fn write_compact_size(&mut self, size: usize) -> &mut Self {
        let (bytes, length) = compact_size(size);
        self.write(&bytes[..length])
    }

    /// Appends bytes preceded by their length.
    pub fn write_with_size(&mut self, bytes: &[u8]) -> &mut Self {
        self.write_compact_size(bytes.len()).write(bytes)
    }

    /// SHA-256 of everything written.
    #[must_use]
    pub fn sha256(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// Double SHA-256 of everything written.
    #[must_use]
    pub fn sha256d(self) -> [u8; 32] {
        sha256(&self.sha256())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pair_hash_equals_the_plain_double_hash() {
        let (left, right) = ([7; 32], [201; 32]);
        assert_eq!(sha256d_pair(&left, &right), sha256d(&[left, right].concat()));
    }

    #[test]
    fn writer_hashes_what_is_written() {
        let mut writer = HashWriter::new();
        writer.write(b"ab").write_u32(1).write_with_size(b"c");
        assert_eq!(writer.sha256d(), sha256d(b"ab\x01\0\0\0\x01c"));
    }

    #[test]
    fn tags_follow_bip340() {
        let tag = sha256(b"TapLeaf");
        assert_eq!(HashWriter::tagged("TapLeaf").sha256(), sha256(&[tag, tag].concat()));
    }
}
