//! Records as they stand in a file, checked.
//!
//! A file is read in pages of 4096 bytes: up to 255 records, zeros where there are fewer, and at the end a CRC-32 of the
//! run's number, the page's number and all bytes before it. So a page that is read is the one that was written, and there.

use crc32fast::Hasher;

use super::record::{RECORD_SIZE, Record};

/// Size of a page, in bytes.
pub(super) const PAGE_SIZE: usize = 4096;
/// Records of a page that is full.
pub(super) const RECORDS_PER_PAGE: usize = 255;
const CHECKSUM_OFFSET: usize = PAGE_SIZE - 4;

/// Bytes of a page.
pub(super) type PageBytes = [u8; PAGE_SIZE];

/// Which page of which run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageNumber {
    pub(super) run: u64,
    pub(super) page: u64,
}

/// Bytes of a page.
///
/// # Panics
///
/// When there are more records than fit.
pub(super) fn page_bytes(number: PageNumber, records: &[Record]) -> PageBytes {
    assert!(records.len() <= RECORDS_PER_PAGE, "a page has no room for {} records", records.len());
    let mut bytes = [0; PAGE_SIZE];
    for (slot, record) in bytes.chunks_exact_mut(RECORD_SIZE).zip(records) {
        slot.copy_from_slice(&record.to_bytes());
    }
    let checksum = checksum(number, &bytes);
    bytes[CHECKSUM_OFFSET..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn checksum(number: PageNumber, bytes: &PageBytes) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&number.run.to_le_bytes());
    hasher.update(&number.page.to_le_bytes());
    hasher.update(&bytes[..CHECKSUM_OFFSET]);
    hasher.finalize()
}

/// A page whose checksum is right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    records: &'a [[u8; RECORD_SIZE]],
}

impl<'a> Page<'a> {
    /// The first `count` records of a page; what is wrong if it is not the page of that number.
    pub(super) fn read(number: PageNumber, bytes: &'a PageBytes, count: usize) -> Result<Self, String> {
        let expected = checksum(number, bytes);
        let got = bytes.last_chunk().copied().map_or(0, u32::from_le_bytes);
        if got != expected {
            return Err(format!("expected checksum {expected:08x} of page {}, got {got:08x}", number.page));
        }
        let (records, _) = bytes.as_chunks();
        Ok(Self { records: &records[..count.clamp(1, RECORDS_PER_PAGE)] })
    }

    /// All records, sorted.
    pub(super) fn records(self) -> impl Iterator<Item = Record> + 'a {
        self.records.iter().map(|bytes| Record::from_bytes(*bytes))
    }

    /// The smallest key.
    pub(super) fn first_key(self) -> u64 {
        Record::from_bytes(self.records[0]).key
    }

    /// The largest key.
    pub(super) fn last_key(self) -> u64 {
        Record::from_bytes(self.records[self.records.len() - 1]).key
    }

    /// The records with this key.
    pub(super) fn find(self, key: u64) -> impl Iterator<Item = Record> + 'a {
        let start = self.records.partition_point(|bytes| Record::from_bytes(*bytes).key < key);
        let records = self.records[start..].iter().map(|bytes| Record::from_bytes(*bytes));
        records.take_while(move |record| record.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::TransactionPosition;

    const NUMBER: PageNumber = PageNumber { run: 3, page: 9 };

    fn record(key: u64) -> Record {
        Record { key, position: TransactionPosition { height: 1, offset: 81 } }
    }

    #[test]
    fn pages_hold_up_to_255_records() {
        for count in [1, 2, 254, 255] {
            let records: Vec<Record> = (0..count).map(|number| record(10 * number)).collect();
            let bytes = page_bytes(NUMBER, &records);
            let page = Page::read(NUMBER, &bytes, records.len()).unwrap();
            assert_eq!(page.records().collect::<Vec<_>>(), records);
            assert_eq!((page.first_key(), page.last_key()), (0, 10 * (count - 1)));
            for (key, found) in [(0, 1), (5, 0), (10 * (count - 1), 1), (10 * count, 0), (u64::MAX, 0)] {
                assert_eq!(page.find(key).count(), found, "{count} {key}");
            }
        }
    }

    #[test]
    fn equal_keys_are_all_found() {
        let bytes = page_bytes(NUMBER, &[record(1), record(2), record(2), record(2), record(3)]);
        assert_eq!(Page::read(NUMBER, &bytes, 5).unwrap().find(2).count(), 3);
    }

    #[test]
    fn every_changed_bit_and_every_other_place_is_noticed() {
        let bytes = page_bytes(NUMBER, &[record(77)]);
        for offset in 0..PAGE_SIZE {
            let mut damaged = bytes;
            damaged[offset] ^= 1 << (offset % 8);
            assert!(Page::read(NUMBER, &damaged, 1).is_err(), "byte {offset}");
        }
        for number in [PageNumber { run: 2, ..NUMBER }, PageNumber { page: 8, ..NUMBER }] {
            assert!(Page::read(number, &bytes, 1).unwrap_err().starts_with("expected checksum "));
        }
    }
}
