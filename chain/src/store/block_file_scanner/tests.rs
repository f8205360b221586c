use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
const OTHER_MAGIC: [u8; 4] = [0xf9, 0xbe, 0xb4, 0xd9];

/// What stands in a file for these bytes under that magic.
fn record(magic: [u8; 4], bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&magic[..], &length.to_le_bytes(), bytes].concat()
}

/// All blocks as they come, and how many bytes were skipped.
fn scan(stream: &[u8]) -> (Vec<ScannedBlock>, u64) {
    let mut scanner = BlockFileScanner::new(stream, MAGIC);
    let mut blocks = Vec::new();
    while let Some(block) = scanner.next_record().unwrap() {
        blocks.push(block);
    }
    (blocks, scanner.skipped_bytes())
}

#[test]
fn records_are_found_between_padding_garbage_and_other_networks() {
    let (first, second) = ([1; 80], [2; 5000]);
    let stream = [
        &record(MAGIC, &first)[..],
        &[0; 700_000],
        &record(OTHER_MAGIC, &[9; 200]),
        &MAGIC[..3],
        &record(MAGIC, &second),
        &[0xfa; 10],
    ]
    .concat();
    let expected = [
        ScannedBlock { offset: 8, bytes: first.to_vec() },
        ScannedBlock { offset: 88 + 700_000 + 208 + 3 + 8, bytes: second.to_vec() },
    ];
    assert_eq!(scan(&stream), (expected.to_vec(), 700_000 + 208 + 3 + 10));
}

#[test]
fn lengths_that_no_block_has_are_passed_over() {
    let found = |length: usize| scan(&record(MAGIC, &vec![7; length])).0.len();
    assert_eq!([79, 80, 4_000_000, 4_000_001].map(found), [0, 1, 1, 0]);
    // The record that stands where the absurd frame claims its block to be is found.
    let block = [3; 100];
    for absurd in [0, 79, 4_000_001, u32::MAX] {
        let stream = [&MAGIC[..], &absurd.to_le_bytes(), &record(MAGIC, &block)].concat();
        assert_eq!(scan(&stream), (vec![ScannedBlock { offset: 16, bytes: block.to_vec() }], 8), "{absurd}");
    }
}

#[test]
fn a_record_that_the_end_cuts_short_is_passed_over_at_every_length() {
    let whole = record(MAGIC, &[1; 90]);
    for length in 0..whole.len() {
        let (blocks, skipped) = scan(&[&whole[..], &whole[..length]].concat());
        assert_eq!((blocks.len(), skipped), (1, u64::try_from(length).unwrap()));
    }
}

#[test]
fn a_frame_that_claims_more_than_there_is_hides_no_record_behind_it() {
    let block = [3; 100];
    let stream = [&MAGIC[..], &3_000_000_u32.to_le_bytes(), &record(MAGIC, &block), &[0; 50]].concat();
    assert_eq!(scan(&stream), (vec![ScannedBlock { offset: 16, bytes: block.to_vec() }], 58));
}

#[test]
fn rescanning_finds_the_record_within_a_wrong_one() {
    let block = [3; 100];
    let inner = record(MAGIC, &block);
    let stream = [&record(MAGIC, &[&[0; 20][..], &inner].concat())[..], &inner].concat();
    let mut scanner = BlockFileScanner::new(&stream[..], MAGIC);
    scanner.rescan_last();
    assert_eq!(scanner.next_record().unwrap().unwrap().bytes.len(), 128);
    assert_eq!(scanner.skipped_bytes(), 0);
    scanner.rescan_last();
    scanner.rescan_last();
    assert_eq!(scanner.next_record().unwrap().unwrap(), ScannedBlock { offset: 36, bytes: block.to_vec() });
    assert_eq!(scanner.next_record().unwrap().unwrap(), ScannedBlock { offset: 144, bytes: block.to_vec() });
    assert_eq!(scanner.next_record().unwrap(), None);
    scanner.rescan_last();
    assert_eq!(scanner.next_record().unwrap(), None);
    assert_eq!(scanner.skipped_bytes(), 28);
}

#[test]
fn it_can_be_asked_whether_the_next_frame_follows() {
    let endings = [(&MAGIC[..], true), (&MAGIC[..3], false), (&[], false), (&[0; 10], false), (&OTHER_MAGIC, false)];
    for (behind, expected) in endings {
        // Across the border of what is read at once, too.
        for length in [80, READ_SIZE - 8, READ_SIZE - 10, READ_SIZE + 3] {
            let stream = [&record(MAGIC, &vec![1; length])[..], behind].concat();
            let mut scanner = BlockFileScanner::new(&stream[..], MAGIC);
            assert!(!scanner.is_followed_by_frame());
            assert_eq!(scanner.next_record().unwrap().unwrap().bytes.len(), length);
            assert_eq!(scanner.is_followed_by_frame(), expected, "{behind:?} {length}");
            scanner.rescan_last();
            assert!(!scanner.is_followed_by_frame());
        }
    }
}

#[test]
fn a_record_across_the_end_of_a_broken_one_is_found() {
    let block = [3; 100];
    let stream = [&record(MAGIC, &[5; 100])[..50], &record(MAGIC, &block), &record(MAGIC, &block)].concat();
    let mut scanner = BlockFileScanner::new(&stream[..], MAGIC);
    assert_eq!(scanner.next_record().unwrap().unwrap().bytes.len(), 100);
    assert!(!scanner.is_followed_by_frame());
    scanner.rescan_last();
    for (offset, followed) in [(58, true), (166, false)] {
        assert_eq!(scanner.next_record().unwrap().unwrap(), ScannedBlock { offset, bytes: block.to_vec() });
        assert_eq!(scanner.is_followed_by_frame(), followed);
    }
    assert_eq!(scanner.skipped_bytes(), 50);
}

#[test]
fn memory_is_that_of_one_record() {
    let large = record(MAGIC, &vec![5; 4_000_000]);
    let stream = [&large[..], &large, &vec![0xfa; 9_000_000], &large].concat();
    let mut scanner = BlockFileScanner::new(&stream[..], MAGIC);
    while scanner.next_record().unwrap().is_some() {
        assert!(scanner.buffer.len() <= 4_000_012);
    }
    assert_eq!(scanner.skipped_bytes(), 9_000_000);
}

/// Gives out its bytes in pieces of the given sizes, and after every piece an error that asks to try again.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
    interrupt: bool,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8], sizes: &'a [usize]) -> Self {
        Self { bytes, sizes: sizes.iter().cycle(), interrupt: false }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(ErrorKind::Interrupted.into());
        }
        let count = buffer.len().min(*self.sizes.next().unwrap());
        self.bytes.read(&mut buffer[..count])
    }
}

/// Fails every other time.
struct Failing<'a>(Pieces<'a>);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|_| ErrorKind::TimedOut.into())
    }
}

#[test]
fn the_search_goes_on_after_an_error() {
    let stream = [&record(MAGIC, &[1; 100])[..], &[0; 40], &record(MAGIC, &[2; 100])].concat();
    let mut scanner = BlockFileScanner::new(Failing(Pieces::new(&stream, &[7])), MAGIC);
    let (mut blocks, mut errors) = (Vec::new(), 0);
    loop {
        match scanner.next_record() {
            Ok(Some(block)) => blocks.push(block.bytes),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                errors += 1;
            }
        }
    }
    assert_eq!(blocks, [vec![1; 100], vec![2; 100]]);
    assert!(errors > 30);
}

/// A piece of a stream.
#[derive(Debug, Clone)]
enum Piece {
    /// A record whose bytes end with their checksum.
    Block(Vec<u8>),
    Foreign(Vec<u8>),
    /// A frame with any length, and nothing behind it.
    Frame(u32),
    Garbage(Vec<u8>),
    Zeros(usize),
    /// The first bytes of a record.
    Truncated(usize),
}

fn piece() -> impl Strategy<Value = Piece> {
    let bytes = || vec(prop_oneof![any::<u8>(), 0..3_u8, prop::sample::select(&MAGIC[..])], 76..400);
    let length = prop_oneof![any::<u32>(), 0..1000_u32, Just(80), Just(4_000_000)];
    prop_oneof![
        4 => bytes().prop_map(|mut bytes| {
            bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
            Piece::Block(bytes)
        }),
        1 => bytes().prop_map(Piece::Foreign),
        1 => length.prop_map(Piece::Frame),
        1 => bytes().prop_map(Piece::Garbage),
        1 => (0..600_usize).prop_map(Piece::Zeros),
        1 => (0..100_usize).prop_map(Piece::Truncated),
    ]
}

fn is_block(bytes: &[u8]) -> bool {
    let (body, checksum) = bytes.split_last_chunk::<4>().unwrap();
    crc32fast::hash(body).to_le_bytes() == *checksum
}

proptest! {
    #[test]
    fn every_well_formed_record_is_found(
        pieces in vec(piece(), 0..40),
        sizes in vec(prop_oneof![1..20_usize, 1..5000_usize], 1..10),
        // One that no piece knows, and two of which a part is the start of another.
        magic in prop::sample::select(vec![MAGIC, [1; 4], [0, 0, 0, 1]]),
        key in prop::option::of(any::<[u8; 8]>()),
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Block(bytes) => {
                    let offset = u64::try_from(stream.len()).unwrap() + 8;
                    stream.extend(record(magic, &bytes));
                    expected.push(ScannedBlock { offset, bytes });
                }
                Piece::Foreign(bytes) => stream.extend(record(OTHER_MAGIC, &bytes)),
                Piece::Frame(length) => stream.extend([magic, length.to_le_bytes()].concat()),
                Piece::Garbage(bytes) => stream.extend(bytes),
                Piece::Zeros(count) => stream.extend(vec![0; count]),
                Piece::Truncated(length) => stream.extend(&record(magic, &[6; 100])[..length]),
            }
        }
        let total = u64::try_from(stream.len()).unwrap();
        let mut scanner = match key {
            None => BlockFileScanner::new(Pieces::new(&stream, &sizes), magic),
            Some(key) => {
                for (byte, key_byte) in stream.iter_mut().zip(key.iter().cycle()) {
                    *byte ^= key_byte;
                }
                BlockFileScanner::new(Pieces::new(&stream, &sizes), magic).with_obfuscation(key)
            }
        };
        let mut found = Vec::new();
        while let Some(block) = scanner.next_record().unwrap() {
            if is_block(&block.bytes) {
                found.push(block);
            } else {
                scanner.rescan_last();
            }
        }
        let record_bytes: u64 = expected.iter().map(|block| 8 + u64::try_from(block.bytes.len()).unwrap()).sum();
        prop_assert_eq!(scanner.skipped_bytes(), total - record_bytes);
        prop_assert_eq!(found, expected);
    }
}
