//! What is kept of a transaction.

use std::fmt;
use std::hash::Hasher;

use bitcoin::Txid;
use bitcoin::hashes::Hash;
use siphasher::sip::SipHasher13;

/// Size of a record, in bytes.
pub(super) const RECORD_SIZE: usize = 16;

/// Where a transaction may be. The order is that of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionPosition {
    /// Height of its block.
    pub height: u32,
    /// Where it starts in the serialized block, in bytes.
    pub offset: u32,
}

/// What is kept of a transaction. The order is that of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    /// Salted hash of the txid.
    pub(super) key: u64,
    pub(super) position: TransactionPosition,
}

impl Record {
    /// Key, height and offset, each big-endian: bytes are ordered as records are.
    pub(super) fn to_bytes(self) -> [u8; RECORD_SIZE] {
        let mut bytes = [0; RECORD_SIZE];
        bytes[..8].copy_from_slice(&self.key.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.position.height.to_be_bytes());
        bytes[12..].copy_from_slice(&self.position.offset.to_be_bytes());
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    pub(super) fn from_bytes(
        [k0, k1, k2, k3, k4, k5, k6, k7, h0, h1, h2, h3, o0, o1, o2, o3]: [u8; RECORD_SIZE],
    ) -> Self {
        Self {
            key: u64::from_be_bytes([k0, k1, k2, k3, k4, k5, k6, k7]),
            position: TransactionPosition {
                height: u32::from_be_bytes([h0, h1, h2, h3]),
                offset: u32::from_be_bytes([o0, o1, o2, o3]),
            },
        }
    }
}

/// The secret of an index. Without it nobody can make transactions whose keys are equal, or crowd one part of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Salt(pub(super) [u8; 16]);

impl Salt {
    /// A salt nobody knows.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    pub(super) fn random() -> Self {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).expect("the operating system provides randomness");
        Self(salt)
    }

    /// The key of a transaction: SipHash-1-3 over its txid.
    pub(super) fn key(&self, txid: &Txid) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(txid.as_byte_array());
        hasher.finish()
    }
}

/// Without the salt, which must stay secret.
impl fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Salt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_are_ordered_as_records_are(a: (u64, u32, u32), b: (u64, u32, u32)) {
            let record = |(key, height, offset)| Record { key, position: TransactionPosition { height, offset } };
            let (a, b) = (record(a), record(b));
            prop_assert_eq!(Record::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
        }
    }

    /// Pinned: another hash would make every index on disk useless.
    #[test]
    fn keys_stay_what_they_are() {
        let salt = Salt(std::array::from_fn(|index| u8::try_from(index).unwrap()));
        let txid = Txid::from_byte_array([7; 32]);
        assert_eq!(salt.key(&txid), salt.key(&txid));
        assert_ne!(salt.key(&txid), Salt([0; 16]).key(&txid));
        assert_eq!(salt.key(&txid), 0x7ece_1fe5_975b_008a);
    }
}
