//! Six bytes for a transaction.

use bitcoin::Wtxid;
use bitcoin::block::Header;
use siphasher::sip::SipHasher24;

use crate::hash::HashWriter;
use crate::primitives::header_bytes;

/// Bytes of a short id (Core: `SHORTTXIDS_LENGTH`, `blockencodings.h`).
pub const SHORT_ID_SIZE: usize = 6;

/// What a compact block calls a transaction: the low six bytes of a keyed hash of its wtxid, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortId(pub [u8; SHORT_ID_SIZE]);

/// The key of the short ids of one compact block. It differs from block to block and from sender to sender, so that two
/// transactions with one id are a nuisance to one peer, once.
#[derive(Debug, Clone, Copy)]
pub struct ShortIdKey(SipHasher24);

impl ShortIdKey {
    /// The first 16 bytes of SHA-256 over header and nonce, the nonce little-endian (BIP152, "Short transaction IDs"; Core:
    /// `FillShortTxIDSelector`).
    #[must_use]
    pub fn new(header: &Header, nonce: u64) -> Self {
        let mut writer = HashWriter::new();
        writer.write(&header_bytes(header)).write_u64(nonce);
        let hash = writer.sha256();
        Self(SipHasher24::new_with_key(hash.first_chunk().expect("a hash has 32 bytes")))
    }

    /// SipHash-2-4 of the wtxid, without its two high bytes (Core: `GetShortID`).
    #[must_use]
    pub fn short_id(&self, wtxid: &Wtxid) -> ShortId {
        let [id @ .., _, _] = self.0.hash(wtxid.as_ref()).to_le_bytes();
        ShortId(id)
    }
}
