//! The hash of a header, again and again with another nonce.
//!
//! A header is 80 bytes, one and a quarter blocks of SHA-256. The first 64 bytes do not contain the nonce: whoever tries
//! nonces compresses them once, keeps the [`Midstate`], and pays two compressions instead of three for each.

use sha2::block_api::compress256;

use crate::hash::{SHA256_INITIAL_STATE, padded_block, state_to_bytes};
use crate::primitives::HEADER_SIZE;

/// Bytes that one compression of SHA-256 takes in.
const BLOCK_BYTES: usize = 64;

/// Bytes of a header behind the first SHA-256 block: the end of the Merkle root, time, bits and nonce.
const TAIL_BYTES: usize = HEADER_SIZE - BLOCK_BYTES;

/// Offset of the nonce, four bytes little-endian, in the second SHA-256 block of a header.
const NONCE_OFFSET: usize = 12;

/// The state of SHA-256 after the first 64 bytes of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Midstate([u32; 8]);

impl Midstate {
    /// The state after `first`, the first 64 bytes of a serialized header.
    #[must_use]
    pub fn new(first: &[u8; BLOCK_BYTES]) -> Self {
        let mut state = SHA256_INITIAL_STATE;
        compress256(&mut state, std::slice::from_ref(first));
        Self(state)
    }

    /// The eight words of the state, as `sha2::block_api::compress256` takes them.
    #[must_use]
    pub const fn to_words(self) -> [u32; 8] {
        self.0
    }
}

/// The two padded SHA-256 blocks behind the midstate, kept so that only what changes is written again.
pub(super) struct HeaderHasher {
    /// Bytes 64..80 of the header, and the padding of an 80-byte message.
    tail: [u8; BLOCK_BYTES],
    /// The first digest, and the padding of a 32-byte message.
    digest: [u8; BLOCK_BYTES],
}

impl HeaderHasher {
    /// Splits a serialized header into its midstate and the rest.
    pub(super) fn prepare(header: &[u8; HEADER_SIZE]) -> (Midstate, Self) {
        let (first, rest) = header.split_first_chunk::<BLOCK_BYTES>().expect("a header has 80 bytes");
        let mut tail = padded_block(HEADER_SIZE);
        tail[..TAIL_BYTES].copy_from_slice(rest);
        (Midstate::new(first), Self { tail, digest: padded_block(32) })
    }

    /// Replaces the nonce.
    #[inline]
    pub(super) fn set_nonce(&mut self, nonce: u32) {
        self.tail[NONCE_OFFSET..TAIL_BYTES].copy_from_slice(&nonce.to_le_bytes());
    }

    /// The final state of the second SHA-256: the hash as eight big-endian words.
    ///
    /// Read as a little-endian integer, the hash has its most significant 32 bits in the last word, byte-swapped.
    #[inline]
    pub(super) fn hash(&mut self, midstate: &Midstate) -> [u32; 8] {
        let mut state = midstate.0;
        compress256(&mut state, std::slice::from_ref(&self.tail));
        self.digest[..32].copy_from_slice(&state_to_bytes(&state));
        let mut state = SHA256_INITIAL_STATE;
        compress256(&mut state, std::slice::from_ref(&self.digest));
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::header_bytes;
    use bitcoin::Network;
    use bitcoin::constants::genesis_block;
    use bitcoin::hashes::Hash;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nonce_that_is_set_is_hashed(nonce: u32) {
            let mut header = genesis_block(Network::Bitcoin).header;
            let (midstate, mut hasher) = HeaderHasher::prepare(&header_bytes(&header));
            hasher.set_nonce(nonce);
            header.nonce = nonce;
            prop_assert_eq!(state_to_bytes(&hasher.hash(&midstate)), header.block_hash().to_byte_array());
        }
    }
}
