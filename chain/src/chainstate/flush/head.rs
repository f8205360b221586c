//! Which tip the stored coins are at.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use crate::store::codec::StoredReader;
use crate::store::{Database, JournalSeal, StoreError};

const FORMAT: u8 = 1;
const AT: u8 = 0;
const FLUSHING: u8 = 1;

/// Which tip the stored coins are at (Core: `DB_BEST_BLOCK` and `DB_HEAD_BLOCKS`, `txdb.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// At this tip.
    At {
        /// The tip.
        tip: BlockHash,
    },
    /// On the way to a tip, by way of a journal.
    Flushing {
        /// The tip before.
        from: BlockHash,
        /// The tip that counts.
        to: BlockHash,
        /// The changes that lead there.
        journal: JournalSeal,
    },
}

impl Head {
    /// The key in the index tree.
    pub(crate) const KEY: &'static [u8] = b"head";

    /// The tip that counts.
    pub(crate) fn tip(&self) -> BlockHash {
        match self {
            Self::At { tip } | Self::Flushing { to: tip, .. } => *tip,
        }
    }

    /// A format byte, a kind, then the fields in order, integers little-endian.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        match self {
            Self::At { tip } => {
                bytes.push(AT);
                bytes.extend_from_slice(tip.as_byte_array());
            }
            Self::Flushing { from, to, journal } => {
                bytes.push(FLUSHING);
                bytes.extend_from_slice(from.as_byte_array());
                bytes.extend_from_slice(to.as_byte_array());
                bytes.extend_from_slice(&journal.size.to_le_bytes());
                bytes.extend_from_slice(&journal.checksum.to_le_bytes());
            }
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut reader = StoredReader::new(bytes, "the head");
        let head = match (reader.u8()?, reader.u8()?) {
            (FORMAT, AT) => Self::At { tip: BlockHash::from_byte_array(reader.array()?) },
            (FORMAT, FLUSHING) => Self::Flushing {
                from: BlockHash::from_byte_array(reader.array()?),
                to: BlockHash::from_byte_array(reader.array()?),
                journal: JournalSeal { size: u64::from_le_bytes(reader.array()?), checksum: reader.u32()? },
            },
            (format, kind) => {
                return Err(
                    reader.damaged(format!("expected format {FORMAT} and kind 0 or 1, got {format} and {kind}"))
                );
            }
        };
        if reader.is_empty() { Ok(head) } else { Err(reader.damaged("it is too long")) }
    }

    /// The head of a database, or nothing in a new one.
    pub(crate) fn read(database: &Database) -> Result<Option<Self>, StoreError> {
        let value = database.index.get(Self::KEY).map_err(StoreError::database("read the head from"))?;
        value.map(|bytes| Self::decode(&bytes)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::DisplayHex;

    /// What is on disks today must be read for ever.
    #[test]
    fn golden_heads() {
        let hash = |byte| BlockHash::from_byte_array([byte; 32]);
        let journal = JournalSeal { size: 0x0102_0304, checksum: 0x0506_0708 };
        let golden = [
            (Head::At { tip: hash(1) }, format!("0100{}", "01".repeat(32))),
            (
                Head::Flushing { from: hash(1), to: hash(2), journal },
                format!("0101{}{}040302010000000008070605", "01".repeat(32), "02".repeat(32)),
            ),
        ];
        for (head, expected) in golden {
            assert_eq!(head.encode().to_lower_hex_string(), expected);
            assert_eq!(Head::decode(&head.encode()).unwrap(), head);
            let mut long = head.encode();
            long.push(0);
            assert!(Head::decode(&long).is_err() && Head::decode(&long[..20]).is_err());
        }
    }
}
