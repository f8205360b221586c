//! The hash that spreads coins over tables and pages.

use std::hash::Hasher;

use bitcoin::OutPoint;
use bitcoin::hashes::Hash;
use siphasher::sip::SipHasher13;

/// The secret of one data directory that decides where its coins go, so that nobody can aim coins at one place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CoinSalt(pub [u8; 16]);

impl CoinSalt {
    /// A salt nobody knows.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn random() -> Self {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).expect("the operating system provides randomness");
        Self(salt)
    }
}

/// Without the salt, which must stay secret.
impl std::fmt::Debug for CoinSalt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CoinSalt")
    }
}

/// Hashes outpoints with the salt (Core: `SaltedOutpointHasher`, `util/hasher.h`). Its highest bits choose the page in the
/// store, its others the place in a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoinHasher(SipHasher13);

impl CoinHasher {
    pub(crate) fn new(salt: CoinSalt) -> Self {
        Self(SipHasher13::new_with_key(&salt.0))
    }

    /// The hash of an outpoint: SipHash-1-3 over txid and index (4 bytes little-endian).
    pub(crate) fn hash(&self, outpoint: &OutPoint) -> u64 {
        let mut bytes = [0; 36];
        bytes[..32].copy_from_slice(&outpoint.txid.to_byte_array());
        bytes[32..].copy_from_slice(&outpoint.vout.to_le_bytes());
        let mut hasher = self.0;
        hasher.write(&bytes);
        hasher.finish()
    }
}
