use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn record(key: u64, height: u32) -> Record {
    Record { key, position: TransactionPosition { height, offset: 81 } }
}

fn write(directory: &Path, number: u64, records: &[Record]) -> Run {
    let mut writer = RunWriter::create(directory, number, records.len() as u64).unwrap();
    records.iter().for_each(|record| writer.push(*record).unwrap());
    writer.finish().unwrap()
}

fn find(run: &Run, key: u64) -> Vec<TransactionPosition> {
    let mut found = Vec::new();
    run.find(key, &mut found).unwrap();
    found
}

fn read_all(run: &Run) -> Result<Vec<Record>, IndexError> {
    let mut reader = run.reader();
    std::iter::from_fn(|| reader.next().transpose()).collect()
}

/// Keys that are spread as hashes are.
fn spread(count: u64) -> Vec<Record> {
    let mut records: Vec<_> = (1..=count).map(|number| record(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), 7)).collect();
    records.sort_unstable();
    records
}

#[test]
fn runs_of_every_size_are_found_again() {
    let directory = TempDir::new().unwrap();
    let page = RECORDS_PER_PAGE as u64;
    for count in [1, 2, page - 1, page, page + 1, 2 * page, 32 * page, 32 * page + 1, 33 * page, 100_000] {
        let records = spread(count);
        let written = write(directory.path(), count, &records);
        let opened = Run::open(directory.path(), count, count).unwrap();
        for run in [&written, &opened] {
            assert_eq!((run.number(), run.records()), (count, count));
            assert_eq!(read_all(run).unwrap(), records);
        }
        for index in (0..records.len()).step_by(1 + records.len() / 500) {
            let key = records[index].key;
            assert_eq!(find(&opened, key), [records[index].position], "{count} {index}");
            assert_eq!(find(&opened, key ^ 1), []);
        }
        for absent in [0, u64::MAX] {
            assert_eq!(find(&opened, absent), []);
        }
        opened.remove().unwrap();
        // Whoever has it open reads on.
        assert_eq!(find(&opened, records[0].key).len(), 1);
    }
}

/// A key that fills pages, at any place among others.
#[test]
fn a_key_may_take_more_than_a_page() {
    let directory = TempDir::new().unwrap();
    for before in [0u32, 1, 254, 255, 600] {
        for count in [1, 255, 256, 1_000] {
            let mut records: Vec<_> = (0..before).map(|key| record(key.into(), 1)).collect();
            records.extend((0..count).map(|height| record(5_000, height)));
            records.push(record(u64::MAX, 1));
            let run = write(directory.path(), 1, &records);
            assert_eq!(find(&run, 5_000).len(), usize::try_from(count).unwrap(), "{before}");
            assert_eq!(find(&run, u64::MAX).len(), 1);
            assert_eq!(find(&run, 4_999), []);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Keys need not be spread evenly for all to be found.
    #[test]
    fn a_run_knows_what_was_written(
        mut keys in prop::collection::vec(prop_oneof![any::<u64>(), 0..40u64, u64::MAX - 5..], 1..2_000),
        asked in prop::collection::vec(prop_oneof![any::<u64>(), 0..60u64, u64::MAX - 9..], 50),
    ) {
        keys.sort_unstable();
        let records: Vec<_> = (0..).zip(&keys).map(|(height, key)| record(*key, height)).collect();
        let directory = TempDir::new().unwrap();
        let run = write(directory.path(), 3, &records);
        for key in asked.iter().chain(keys.iter().step_by(17)) {
            let expected: Vec<_> =
                records.iter().filter(|record| record.key == *key).map(|record| record.position).collect();
            prop_assert_eq!(find(&run, *key), expected);
        }
        prop_assert_eq!(read_all(&run).unwrap(), records);
    }
}

#[test]
fn a_damaged_run_is_noticed() {
    let directory = TempDir::new().unwrap();
    let records = spread(1_000);
    write(directory.path(), 4, &records);
    let path = run_path(directory.path(), 4);
    let bytes = fs::read(&path).unwrap();
    let open = || Run::open(directory.path(), 4, 1_000);
    for damaged_byte in [0, 5_000, bytes.len() - TRAILER_SIZE - 1] {
        let mut damaged = bytes.clone();
        damaged[damaged_byte] ^= 4;
        fs::write(&path, &damaged).unwrap();
        let run = open().unwrap();
        assert!(matches!(read_all(&run), Err(IndexError::Damaged { .. })));
        let failures = records.iter().filter(|record| run.find(record.key, &mut Vec::new()).is_err()).count();
        assert!(failures >= 200, "{failures}");
    }
    for damaged_byte in bytes.len() - TRAILER_SIZE..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[damaged_byte] ^= 4;
        fs::write(&path, &damaged).unwrap();
        assert!(matches!(open(), Err(IndexError::Damaged { .. })), "{damaged_byte}");
    }
    for length in [0, 1, PAGE_SIZE, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = open().unwrap_err().to_string();
        assert!(error.contains(&format!("expected 16412 bytes for 1000 records, got {length}")), "{error}");
    }
    fs::remove_file(&path).unwrap();
    let error = open().unwrap_err().to_string();
    let shown = directory.path().display();
    assert_eq!(
        error,
        format!("{shown}/00000004.run is damaged: the file is missing; delete {shown} to build the index anew")
    );
    // Another run under its name.
    write(directory.path(), 5, &records);
    fs::rename(run_path(directory.path(), 5), &path).unwrap();
    assert!(open().unwrap_err().to_string().contains("expected trailer "));
}

#[test]
fn a_run_that_is_not_finished_is_removed() {
    let directory = TempDir::new().unwrap();
    let mut writer = RunWriter::create(directory.path(), 1, 1_000).unwrap();
    spread(1_000).into_iter().for_each(|record| writer.push(record).unwrap());
    assert!(run_path(directory.path(), 1).exists());
    drop(writer);
    assert!(!run_path(directory.path(), 1).exists());
}

#[test]
fn a_disk_without_room_is_asked_first() {
    let directory = TempDir::new().unwrap();
    let error = RunWriter::create(directory.path(), 1, u64::MAX / 64).unwrap_err();
    assert!(matches!(error, IndexError::Store(StoreError::DiskFull { .. })), "{error}");
    assert!(!run_path(directory.path(), 1).exists());
}
