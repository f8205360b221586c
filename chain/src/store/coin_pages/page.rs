//! One page: a format byte, a depth, and coins sorted by outpoint, each an outpoint and a coin.

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Txid};

use super::StoreError;
use crate::coins::{Change, Coin, CoinHasher, CoinsError};
use crate::store::codec::{StoredReader, write_coin, write_outpoint};

const FORMAT: u8 = 1;
const HEADER_SIZE: usize = 2;
const WHAT: &str = "a page of coins";

/// The coins whose hashes lie in one range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    value: sled::IVec,
    depth: u8,
}

/// One coin in its page: where it is, and its bytes together with the outpoint.
struct Entry<'a> {
    outpoint: OutPoint,
    bytes: &'a [u8],
}

impl Page {
    /// A page without coins.
    pub(super) fn empty(depth: u8) -> Self {
        Self { value: sled::IVec::from(&[FORMAT, depth]), depth }
    }

    /// A page as it was read; its entries are looked at when they are asked for.
    pub(super) fn decode(value: sled::IVec) -> Result<Self, StoreError> {
        let mut reader = StoredReader::new(&value, WHAT);
        let (format, depth) = (reader.u8()?, reader.u8()?);
        if format != FORMAT || depth > 64 {
            return Err(
                reader.damaged(format!("expected format {FORMAT} and at most depth 64, got {format} and {depth}"))
            );
        }
        Ok(Self { value, depth })
    }

    pub(super) fn bytes(&self) -> sled::IVec {
        self.value.clone()
    }

    /// Size in bytes.
    pub(super) fn size(&self) -> usize {
        self.value.len()
    }

    /// The highest hash of the page, whose lowest is `lowest`.
    pub(super) fn highest(&self, lowest: u64) -> u64 {
        lowest | u64::MAX.checked_shr(self.depth.into()).unwrap_or(0)
    }

    /// Whether there are coins to part. One that is larger than a page has to be alone in it.
    pub(super) fn can_split(&self) -> Result<bool, StoreError> {
        let mut entries = self.entries();
        Ok(self.depth < 64 && entries.next()?.is_some() && entries.next()?.is_some())
    }

    /// Whether its range can be halved.
    pub(super) fn can_halve(&self) -> bool {
        self.depth < 64
    }

    fn entries(&self) -> Entries<'_> {
        Entries(StoredReader::new(&self.value[HEADER_SIZE..], WHAT))
    }

    /// The coin at `outpoint`.
    pub(super) fn find(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        let mut reader = StoredReader::new(&self.value[HEADER_SIZE..], WHAT);
        let wanted = outpoint.txid.as_byte_array();
        while !reader.is_empty() {
            let txid = reader.take(32)?;
            let vout = reader.number_u32()?;
            if txid == wanted && vout == outpoint.vout {
                return reader.coin().map(Some);
            }
            if txid > &wanted[..] {
                break;
            }
            reader.skip_coin()?;
        }
        Ok(None)
    }

    /// Visits every coin.
    pub(super) fn for_each(
        &self,
        mut visit: impl FnMut(OutPoint, Coin) -> Result<(), CoinsError>,
    ) -> Result<(), CoinsError> {
        let mut reader = StoredReader::new(&self.value[HEADER_SIZE..], WHAT);
        while !reader.is_empty() {
            let outpoint = reader.outpoint()?;
            visit(outpoint, reader.coin()?)?;
        }
        Ok(())
    }

    /// The page after these changes, which are sorted by outpoint.
    pub(super) fn merged<'a>(&self, changes: impl Iterator<Item = &'a Change>) -> Result<Self, StoreError> {
        let mut bytes = Vec::with_capacity(self.value.len() + 1024);
        bytes.extend_from_slice(&self.value[..HEADER_SIZE]);
        let mut entries = self.entries();
        let mut entry = entries.next()?;
        for change in changes {
            while let Some(kept) = entry.take_if(|entry| entry.outpoint < change.outpoint) {
                bytes.extend_from_slice(kept.bytes);
                entry = entries.next()?;
            }
            if entry.as_ref().is_some_and(|entry| entry.outpoint == change.outpoint) {
                entry = entries.next()?;
            }
            if let Some(coin) = &change.coin {
                write_outpoint(&mut bytes, &change.outpoint);
                write_coin(&mut bytes, coin);
            }
        }
        if let Some(kept) = entry {
            bytes.extend_from_slice(kept.bytes);
            bytes.extend_from_slice(entries.0.left());
        }
        Ok(Self { value: bytes.into(), depth: self.depth })
    }

    /// The two halves of a page whose lowest hash is `lowest`, and the lowest hash of the upper one.
    pub(super) fn split(&self, lowest: u64, hasher: &CoinHasher) -> Result<(Self, Self, u64), StoreError> {
        let depth = self.depth + 1;
        let middle = lowest | 1 << (64 - depth);
        let mut halves = [vec![FORMAT, depth], vec![FORMAT, depth]];
        let mut entries = self.entries();
        while let Some(entry) = entries.next()? {
            let half = usize::from(hasher.hash(&entry.outpoint) >= middle);
            halves[half].extend_from_slice(entry.bytes);
        }
        let [lower, upper] = halves.map(|bytes| Self { value: bytes.into(), depth });
        Ok((lower, upper, middle))
    }
}

/// The coins of a page in order.
struct Entries<'a>(StoredReader<'a>);

impl<'a> Entries<'a> {
    fn next(&mut self) -> Result<Option<Entry<'a>>, StoreError> {
        let start = self.0.left();
        if start.is_empty() {
            return Ok(None);
        }
        let txid = Txid::from_byte_array(self.0.array()?);
        let outpoint = OutPoint { txid, vout: self.0.number_u32()? };
        self.0.skip_coin()?;
        Ok(Some(Entry { outpoint, bytes: &start[..start.len() - self.0.left().len()] }))
    }
}
