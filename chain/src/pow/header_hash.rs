//! The hash of a block header.
//!
//! A header is 80 bytes, one and a quarter blocks of SHA-256, and its hash is SHA-256 of SHA-256 of them (Core:
//! `CBlockHeader::GetHash`, `primitives/block.cpp`). The first 64 bytes do not contain the nonce: whoever tries nonces
//! compresses them once, keeps the [`Midstate`], and pays two compressions instead of three for each.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::Encodable;
use bitcoin::hashes::Hash;
use sha2::block_api::compress256;

use crate::hash::{SHA256_INITIAL_STATE, state_to_bytes};
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

/// The serialized form of `header`, as on the wire.
#[must_use]
pub fn header_bytes(header: &Header) -> [u8; HEADER_SIZE] {
    let mut bytes = [0; HEADER_SIZE];
    header.consensus_encode(&mut bytes.as_mut_slice()).expect("every header serializes to 80 bytes");
    bytes
}

/// The hash of a serialized header.
#[must_use]
pub fn hash_header(bytes: &[u8; HEADER_SIZE]) -> BlockHash {
    let (midstate, mut hasher) = HeaderHasher::prepare(bytes);
    BlockHash::from_byte_array(state_to_bytes(&hasher.hash(&midstate)))
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

/// The last SHA-256 block of a message of `message_bytes` bytes with nothing but its padding: a one bit behind the
/// message and its length in bits, eight bytes big-endian, at the end.
fn padded_block(message_bytes: usize) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block[message_bytes % BLOCK_BYTES] = 0x80;
    let bits = u64::try_from(8 * message_bytes).expect("headers are short");
    block[BLOCK_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;
    use bitcoin::constants::genesis_block;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn genesis_hashes_as_everyone_knows() {
        for network in [Network::Bitcoin, Network::Testnet, Network::Signet, Network::Regtest] {
            let header = genesis_block(network).header;
            assert_eq!(hash_header(&header_bytes(&header)), header.block_hash());
        }
        let genesis = hash_header(&header_bytes(&genesis_block(Network::Bitcoin).header));
        assert_eq!(genesis.to_string(), "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
    }

    proptest! {
        #[test]
        fn the_hash_is_sha256_twice(first: [u8; 32], second: [u8; 32], third: [u8; 16]) {
            let mut bytes = [0; HEADER_SIZE];
            bytes[..32].copy_from_slice(&first);
            bytes[32..64].copy_from_slice(&second);
            bytes[64..].copy_from_slice(&third);
            let expected: [u8; 32] = Sha256::digest(Sha256::digest(bytes)).into();
            prop_assert_eq!(hash_header(&bytes).to_byte_array(), expected);
        }

        #[test]
        fn a_set_nonce_is_the_header_s_nonce(nonce: u32) {
            let mut header = genesis_block(Network::Bitcoin).header;
            let (midstate, mut hasher) = HeaderHasher::prepare(&header_bytes(&header));
            hasher.set_nonce(nonce);
            header.nonce = nonce;
            prop_assert_eq!(state_to_bytes(&hasher.hash(&midstate)), header.block_hash().to_byte_array());
        }
    }
}
