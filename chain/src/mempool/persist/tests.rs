use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::*;
use bitcoin::hashes::Hash;
use bitcoin::hex::{DisplayHex, FromHex};
use proptest::prelude::*;

use crate::primitives::DecodeError;
use crate::store::StoreError;

/// A transaction with one output, whose script has `script_size` bytes.
fn transaction(value: u64, script_size: usize) -> Arc<Transaction> {
    let mut bytes = Vec::from_hex("0200000001").unwrap();
    bytes.extend_from_slice(&[0x11; 32]);
    bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1]);
    bytes.extend_from_slice(&value.to_le_bytes());
    crate::serialize::append_with_size(&mut bytes, &vec![0x51; script_size]);
    bytes.extend_from_slice(&[0; 4]);
    Arc::new(Transaction::decode(bytes).unwrap())
}

fn entry(value: u64, script_size: usize, time: i64, fee_delta: i64) -> MempoolFileTransaction {
    MempoolFileTransaction { transaction: transaction(value, script_size), time, fee_delta }
}

fn txid(byte: u8) -> Txid {
    Txid::from_byte_array([byte; 32])
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Pool {
    transactions: Vec<MempoolFileTransaction>,
    deltas: BTreeMap<Txid, i64>,
    unbroadcast: BTreeSet<Txid>,
}

impl Pool {
    fn write(&self, path: &Path, key: Option<ObfuscationKey>) -> Vec<u8> {
        let size = write_mempool_file(path, key, &self.transactions, &self.deltas, &self.unbroadcast).unwrap();
        let bytes = fs::read(path).unwrap();
        assert_eq!(bytes.len() as u64, size);
        bytes
    }

    fn bytes(&self, key: Option<ObfuscationKey>) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        self.write(&directory.path().join("mempool.dat"), key)
    }

    fn entries(&self) -> Vec<MempoolFileEntry> {
        let transactions = self.transactions.iter().cloned().map(MempoolFileEntry::Transaction);
        let deltas = self.deltas.iter().map(|(txid, delta)| MempoolFileEntry::Delta { txid: *txid, fee_delta: *delta });
        let unbroadcast = self.unbroadcast.iter().map(|txid| MempoolFileEntry::Unbroadcast { txid: *txid });
        transactions.chain(deltas).chain(unbroadcast).collect()
    }
}

/// One transaction, one delta, one unbroadcast transaction.
fn small() -> Pool {
    Pool {
        transactions: vec![entry(5000, 1, 1_700_000_000, -250)],
        deltas: [(txid(0x22), 777)].into(),
        unbroadcast: [txid(0x33)].into(),
    }
}

/// Transactions of all sizes, the largest beyond every buffer.
fn large() -> Pool {
    let sizes = [0, 1, 252, 253, 4000, 4095, 4096, 65_400, 65_536, 70_000, 300_000, 9, 1_000_000, 5];
    let entries = sizes.iter().zip(0u32..).map(|(size, number)| {
        let sign = if number % 2 == 0 { 1 } else { -1 };
        entry(number.into(), *size, i64::from(number) << 32, sign * i64::from(number))
    });
    Pool {
        transactions: entries.collect(),
        deltas: (0..=255).map(|byte| (txid(byte), i64::from(byte) - 128)).collect(),
        unbroadcast: (0..=254).step_by(2).map(txid).collect(),
    }
}

const KEY: ObfuscationKey = ObfuscationKey([1, 2, 3, 4, 5, 6, 7, 8]);

fn open(input: impl Read) -> Result<MempoolFileReader<impl Read>, MempoolFileError> {
    MempoolFileReader::new(input, Path::new("mempool.dat"))
}

/// All whole entries, and what came after.
fn read(input: impl Read) -> (Vec<MempoolFileEntry>, Option<MempoolFileError>) {
    let mut reader = match open(input) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut entries = Vec::new();
    for entry in reader.by_ref() {
        match entry {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                assert!(reader.next().is_none(), "it ends after an error");
                return (entries, Some(error));
            }
        }
    }
    assert!(reader.next().is_none());
    (entries, None)
}

#[test]
fn golden_bytes_of_version_1() {
    let expected = "0100000000000000\
        0100000000000000\
        02000000011111111111111111111111111111111111111111111111111111111111111111\
        0000000000ffffffff018813000000000000015100000000\
        00f153650000000006ffffffffffffff\
        0122222222222222222222222222222222222222222222222222222222222222220903000000000000\
        013333333333333333333333333333333333333333333333333333333333333333";
    assert_eq!(small().bytes(None).to_lower_hex_string(), expected);
}

#[test]
fn golden_bytes_of_version_2() {
    let expected = "0200000000000000080102030405060708\
        03030405060708010003040507161910131215141716191013121514171619101312151417161910\
        13121514170708010203fbfaf9f809891103040506070800530304050607f952670304050601f7fe\
        fdfcfbfaf9062a232021262724252a232021262724252a232021262724252a232021262724250102\
        02030405060709323130373635343b323130373635343b323130373635343b323130373635343b";
    assert_eq!(small().bytes(Some(KEY)).to_lower_hex_string(), expected);
}

#[test]
fn what_was_written_is_read() {
    for pool in [Pool::default(), small(), large()] {
        for key in [None, Some(KEY), Some(ObfuscationKey([0; 8])), Some(ObfuscationKey::random())] {
            let bytes = pool.bytes(key);
            assert_eq!(open(&bytes[..]).unwrap().transactions_claimed(), pool.transactions.len() as u64);
            let (entries, error) = read(&bytes[..]);
            assert_eq!(entries, pool.entries());
            assert!(error.is_none());
        }
    }
}

#[test]
fn deltas_of_written_transactions_are_left_out() {
    let pool = small();
    let mut deltas = pool.deltas.clone();
    deltas.insert(Transaction::as_ref(&pool.transactions[0].transaction).txid(), -250);
    let with_both = Pool { deltas, ..pool.clone() };
    assert_eq!(with_both.bytes(None), pool.bytes(None));
}

#[test]
fn what_follows_the_end_is_not_looked_at() {
    let bytes = [&small().bytes(Some(KEY))[..], b"more"].concat();
    let (entries, error) = read(&bytes[..]);
    assert_eq!(entries, small().entries());
    assert!(error.is_none());
}

#[test]
fn every_truncation_gives_what_is_whole() {
    for key in [None, Some(KEY)] {
        let pool = Pool {
            transactions: vec![entry(1, 3, 7, 0), entry(2, 300, 8, 5)],
            deltas: [(txid(1), 4), (txid(2), -4)].into(),
            unbroadcast: [txid(3), txid(4)].into(),
        };
        let bytes = pool.bytes(key);
        let mut last = 0;
        for length in 0..bytes.len() {
            let (entries, error) = read(&bytes[..length]);
            assert_eq!(entries, pool.entries()[..entries.len()]);
            assert!(entries.len() >= last, "more bytes, no fewer entries");
            last = entries.len();
            let Some(MempoolFileError::Truncated { offset, .. }) = error else { panic!("{length}: {error:?}") };
            assert_eq!(offset, length as u64);
        }
        assert_eq!(last, pool.entries().len() - 1);
    }
    // The large ones at some places.
    let pool = large();
    let bytes = pool.bytes(Some(KEY));
    for length in (0..bytes.len()).step_by(104_729) {
        let (entries, error) = read(&bytes[..length]);
        assert_eq!(entries, pool.entries()[..entries.len()]);
        assert!(matches!(error, Some(MempoolFileError::Truncated { offset, .. }) if offset == length as u64));
    }
}

#[test]
fn other_formats_are_refused() {
    let version = |number: u64| read(&[&number.to_le_bytes()[..], &[0; 40]].concat()[..]).1.unwrap();
    for number in [0, 3, u64::MAX] {
        assert!(matches!(version(number), MempoolFileError::Version { got } if got == number));
    }
    let mut bytes = small().bytes(Some(KEY));
    for size in [0, 7, 9, 255] {
        bytes[8] = size;
        assert!(matches!(read(&bytes[..]).1, Some(MempoolFileError::KeySize { got }) if got == size));
    }
}

#[test]
fn claims_cost_nothing() {
    let claimed = |transactions: u64, rest: &[u8]| {
        let bytes = [&1u64.to_le_bytes()[..], &transactions.to_le_bytes(), rest].concat();
        read(&bytes[..])
    };
    let (entries, error) = claimed(u64::MAX, &[]);
    assert!(
        entries.is_empty() && matches!(error, Some(MempoolFileError::Truncated { offset: 16, what: "a transaction" }))
    );
    // 2^25 deltas, the most a compact size may say.
    let (_, error) = claimed(0, &[254, 0, 0, 0, 2]);
    assert!(matches!(error, Some(MempoolFileError::Truncated { offset: 21, what: "a delta" })));
    let (_, error) = claimed(0, &[254, 1, 0, 0, 2]);
    let Some(MempoolFileError::Count { what: "deltas", offset: 16, source }) = error else { panic!("{error:?}") };
    assert_eq!(source, DecodeError::SizeTooLarge { got: 0x0200_0001, offset: 0 });
    let (_, error) = claimed(0, &[0, 253, 1, 0]);
    let Some(MempoolFileError::Count { what: "unbroadcast transactions", offset: 17, source }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(source, DecodeError::NonCanonicalCompactSize { got: 1, offset: 0 });
    let (_, error) = claimed(0, &[0]);
    assert!(matches!(error, Some(MempoolFileError::Truncated { offset: 17, what: "unbroadcast transactions" })));
}

/// Gives a beginning, then zeros without end, and counts what was asked for.
struct Endless<'a> {
    beginning: &'a [u8],
    read: usize,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = if self.beginning.is_empty() { buffer.len() } else { self.beginning.read(buffer)? };
        self.read += count;
        Ok(count)
    }
}

#[test]
fn a_transaction_that_fits_into_no_block_is_not_waited_for() {
    // Version, one input, whose script claims to be of 32 MiB.
    let mut bytes = [1u64.to_le_bytes(), 1u64.to_le_bytes()].concat();
    bytes.extend_from_slice(&[2, 0, 0, 0, 1]);
    bytes.extend_from_slice(&[0; 36]);
    bytes.extend_from_slice(&[254, 0, 0, 0, 2]);
    let mut endless = Endless { beginning: &bytes, read: 0 };
    let (entries, error) = read(&mut endless);
    assert!(entries.is_empty());
    assert!(matches!(error, Some(MempoolFileError::TransactionTooLarge { offset: 16 })));
    assert!(endless.read < 4_200_000, "{} bytes were read", endless.read);

    // The largest that is read, and one byte more.
    for (size, fits) in [(4_000_000, true), (4_000_001, false)] {
        let frame = transaction(1, 100_000).as_ref().as_ref().total_size() - 100_000;
        let pool = Pool { transactions: vec![entry(1, size - frame, 0, 0)], ..Pool::default() };
        assert_eq!(Transaction::as_ref(&pool.transactions[0].transaction).total_size(), size);
        let (entries, error) = read(&pool.bytes(Some(KEY))[..]);
        assert_eq!((entries == pool.entries(), error.is_none()), (fits, fits));
    }
}

#[test]
fn damage_within_a_transaction_is_told() {
    let mut bytes = small().bytes(None);
    // The marker and a flag that nobody knows, where the number of inputs stands.
    bytes[20] = 0;
    bytes[21] = 2;
    bytes[22..26].copy_from_slice(&[0; 4]);
    let (entries, error) = read(&bytes[..]);
    assert!(entries.is_empty());
    let Some(MempoolFileError::Transaction { offset: 16, source }) = error else { panic!("{error:?}") };
    assert_eq!(source, DecodeError::UnknownOptionalData { got: 2 });
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mempool.dat");
    let missing = MempoolFileReader::open(&path).unwrap_err();
    assert!(missing.is_not_found());
    small().write(&path, Some(KEY));
    // What a call that was killed leaves behind does not matter.
    fs::write(directory.path().join("mempool.dat.new"), vec![9; 100_000]).unwrap();
    large().write(&path, None);
    let entries: Result<Vec<_>, _> = MempoolFileReader::open(&path).unwrap().collect();
    assert_eq!(entries.unwrap(), large().entries());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    // A directory in place of the file cannot be replaced, and nothing is left behind.
    let blocked = directory.path().join("blocked");
    fs::create_dir(&blocked).unwrap();
    fs::write(blocked.join("file"), "").unwrap();
    let error = write_mempool_file(&blocked, None, &[], &BTreeMap::new(), &BTreeSet::new()).unwrap_err();
    assert!(matches!(&error, MempoolFileError::Store(StoreError::Io { action: "write", .. })), "{error}");
    assert!(!error.is_not_found() && !directory.path().join("blocked.new").exists());
    let unreadable = MempoolFileReader::open(&blocked).unwrap_err();
    assert!(matches!(unreadable, MempoolFileError::Store(StoreError::Io { action: "read", .. })));
}

/// Gives few bytes at once.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(13);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn a_slow_file_is_the_same_file() {
    let bytes = small().bytes(Some(KEY));
    let (entries, error) = read(Trickle(&bytes));
    assert_eq!((entries, error.is_none()), (small().entries(), true));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(version in 0u64..4, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [&version.to_le_bytes()[..], &bytes].concat();
        let _ = read(&bytes[..]);
    }

    /// A flipped byte gives other entries or an error, never more than was there, and those before it unharmed.
    #[test]
    fn flipped_bytes_never_panic(position in 0usize..263, value in 1u8..) {
        let pool = Pool { transactions: vec![entry(1, 1, 2, 3), entry(4, 1, 5, 6)], ..small() };
        for key in [None, Some(KEY)] {
            let mut bytes = pool.bytes(key);
            let position = position.min(bytes.len() - 1);
            bytes[position] ^= value;
            let (entries, error) = read(&bytes[..]);
            prop_assert!(error.is_some() || entries != pool.entries());
            // The first transaction ends at 94, and nine later in a file with a key.
            if position > 94 + 9 {
                prop_assert_eq!(&entries[0], &pool.entries()[0]);
            }
        }
    }

    #[test]
    fn random_pools(
        sizes in prop::collection::vec((0usize..9000, any::<i64>(), any::<i64>()), 0..20),
        deltas in prop::collection::btree_map(any::<[u8; 32]>(), any::<i64>(), 0..20),
        unbroadcast in prop::collection::btree_set(any::<[u8; 32]>(), 0..20),
        key: Option<[u8; 8]>,
    ) {
        let pool = Pool {
            transactions: sizes.into_iter().map(|(size, time, fee_delta)| entry(1, size, time, fee_delta)).collect(),
            deltas: deltas.into_iter().map(|(bytes, delta)| (Txid::from_byte_array(bytes), delta)).collect(),
            unbroadcast: unbroadcast.into_iter().map(Txid::from_byte_array).collect(),
        };
        let (entries, error) = read(&pool.bytes(key.map(ObfuscationKey))[..]);
        prop_assert_eq!(entries, pool.entries());
        prop_assert!(error.is_none());
    }
}
