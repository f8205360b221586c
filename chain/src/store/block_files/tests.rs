use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::thread;

use tempfile::TempDir;

use super::*;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

/// Files of at most `maximum_file_size` bytes, of which `known` is known.
fn open(directory: &TempDir, maximum_file_size: u32, known: &[BlockFileInfo]) -> Result<BlockFiles, StoreError> {
    BlockFiles::open(directory.path(), MAGIC, maximum_file_size, known.iter().copied())
}

fn new_files(maximum_file_size: u32) -> (TempDir, BlockFiles) {
    let directory = TempDir::new().unwrap();
    let files = open(&directory, maximum_file_size, &[]).unwrap();
    (directory, files)
}

fn path(directory: &TempDir, name: &str) -> PathBuf {
    directory.path().join(name)
}

fn known(files: &BlockFiles) -> Vec<BlockFileInfo> {
    files.file_sizes().collect()
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn kind_of(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Io { source, .. } => source.kind(),
        other => panic!("expected an error of input or output, got {other}"),
    }
}

#[test]
fn records_stand_in_the_framing_of_core() {
    let (directory, mut files) = new_files(MAX_BLOCK_FILE_SIZE);
    let first = files.append_block(b"a block").unwrap();
    let second = files.append_block(b"").unwrap();
    let undo = files.append_undo(0, b"undo").unwrap();
    assert_eq!(first, RecordPosition { file: 0, offset: 8, length: 7, checksum: crc32fast::hash(b"a block") });
    assert_eq!((second.offset, second.length, second.end()), (23, 0, 23));
    assert_eq!(undo.offset, 8);
    assert_eq!(files.read_block(first).unwrap(), b"a block");
    assert_eq!(files.read_block(second).unwrap(), b"");
    assert_eq!(files.read_undo(undo).unwrap(), b"undo");
    let blocks = fs::read(path(&directory, "blk00000.dat")).unwrap();
    assert_eq!(blocks, b"\xfa\xbf\xb5\xda\x07\0\0\0a block\xfa\xbf\xb5\xda\0\0\0\0");
    assert_eq!(fs::read(path(&directory, "rev00000.dat")).unwrap(), b"\xfa\xbf\xb5\xda\x04\0\0\0undo");
    assert_eq!(known(&files), [BlockFileInfo { number: 0, size: 23, undo_size: 12 }]);
    assert_eq!(files.size_on_disk(), 35);
}

#[test]
fn large_and_small_records_are_read_back_by_any_thread() {
    let (_directory, mut files) = new_files(MAX_BLOCK_FILE_SIZE);
    let reader = files.reader();
    for length in [1, 300, 16 * 1024, 16 * 1024 + 1, 1_000_000] {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        let position = files.append_block(&bytes).unwrap();
        let read = thread::scope(|scope| scope.spawn(|| reader.read_block(position)).join().unwrap());
        assert!(read.unwrap() == bytes);
    }
}

#[test]
fn a_torn_tail_of_any_length_is_cut_off() {
    let (directory, mut files) = new_files(MAX_BLOCK_FILE_SIZE);
    let block = files.append_block(&[1; 100]).unwrap();
    let undo = files.append_undo(0, &[2; 50]).unwrap();
    files.sync().unwrap();
    let known = known(&files);
    let lost = files.append_block(&[3; 40]).unwrap();
    files.append_undo(0, &[4; 40]).unwrap();
    drop(files);
    let (whole_blocks, whole_undo) =
        (fs::read(path(&directory, "blk00000.dat")).unwrap(), fs::read(path(&directory, "rev00000.dat")).unwrap());
    for torn in 0..=48 {
        fs::write(path(&directory, "blk00000.dat"), &whole_blocks[..108 + torn]).unwrap();
        fs::write(path(&directory, "rev00000.dat"), &whole_undo[..58 + torn]).unwrap();
        let mut files = open(&directory, MAX_BLOCK_FILE_SIZE, &known).unwrap();
        assert_eq!(fs::metadata(path(&directory, "blk00000.dat")).unwrap().len(), 108);
        assert_eq!(fs::metadata(path(&directory, "rev00000.dat")).unwrap().len(), 58);
        assert!(matches!(files.read_block(lost), Err(StoreError::Damaged { .. })));
        assert_eq!(files.append_block(&[5; 10]).unwrap().offset, 116);
        assert_eq!(files.read_block(block).unwrap(), [1; 100]);
        assert_eq!(files.read_undo(undo).unwrap(), [2; 50]);
    }
}

#[test]
fn files_that_are_not_known_go_away_and_files_of_others_stay() {
    let (directory, mut files) = new_files(20);
    for _ in 0..4 {
        let position = files.append_block(&[1; 10]).unwrap();
        files.append_undo(position.file, &[2]).unwrap();
    }
    files.sync().unwrap();
    let known = [1, 2].map(|number| known(&files)[number]);
    drop(files);
    fs::write(path(&directory, "xor.dat"), [0; 8]).unwrap();
    let mut files = open(&directory, 20, &known).unwrap();
    assert_eq!(names(&directory), ["blk00001.dat", "blk00002.dat", "rev00001.dat", "rev00002.dat", "xor.dat"]);
    assert_eq!(files.append_block(&[1; 10]).unwrap().file, 3);
    files.sync().unwrap();
}

#[test]
fn a_full_file_is_followed_by_the_next() {
    let (_directory, mut files) = new_files(100);
    let mut file_of = |length| files.append_block(&vec![9; length]).unwrap().file;
    // The third fills the file to the last byte.
    assert_eq!([42, 20, 14, 0, 84, 85, 1000, 1, 92, 93].map(&mut file_of), [0, 0, 0, 1, 1, 2, 3, 4, 5, 6]);
    let known = known(&files);
    assert_eq!(known.iter().map(|info| info.size).collect::<Vec<_>>(), [100, 100, 93, 1008, 9, 100, 101]);
    let (directory, mut oversized) = new_files(100);
    assert_eq!(oversized.append_block(&[9; 1000]).unwrap().file, 0);
    assert_eq!(oversized.append_block(&[9; 1]).unwrap().file, 1);
    drop(oversized);
    assert_eq!(names(&directory), ["blk00000.dat", "blk00001.dat"]);
}

#[test]
fn undo_data_goes_to_files_of_any_age_with_few_open() {
    let (directory, mut files) = new_files(20);
    let blocks: Vec<_> = (0..50).map(|byte| files.append_block(&[byte; 12]).unwrap()).collect();
    let mut undo = Vec::new();
    for byte in 0..3 {
        undo.extend(blocks.iter().rev().map(|block| files.append_undo(block.file, &[byte; 5]).unwrap()));
    }
    assert!(files.writer.open_file_count() <= 16);
    files.sync().unwrap();
    for (index, position) in undo.iter().enumerate() {
        assert_eq!(files.read_undo(*position).unwrap(), [u8::try_from(index / 50).unwrap(); 5]);
    }
    assert_eq!(files.reader.open_file_count(), 32);
    assert_eq!(files.size_on_disk(), 50 * (20 + 3 * 13));
    assert_eq!(kind_of(&files.append_undo(50, b"none").unwrap_err()), ErrorKind::NotFound);
    files.append_undo(49, b"still usable").unwrap();
    let known = known(&files);
    drop(files);
    assert_eq!(open(&directory, 20, &known).unwrap().read_undo(undo[149]).unwrap(), [2; 5]);
}

#[test]
fn pruned_files_are_gone_and_their_numbers_are_not_used_again() {
    let (directory, mut files) = new_files(20);
    let blocks: Vec<_> = (0..4).map(|byte| files.append_block(&[byte; 12]).unwrap()).collect();
    files.append_undo(1, b"undo").unwrap();
    files.read_block(blocks[1]).unwrap();
    files.remove_files([1, 3, 77]).unwrap();
    assert_eq!(names(&directory), ["blk00000.dat", "blk00002.dat"]);
    assert_eq!(files.size_on_disk(), 40);
    assert_eq!(kind_of(&files.read_block(blocks[1]).unwrap_err()), ErrorKind::NotFound);
    assert_eq!(kind_of(&files.append_undo(1, b"undo").unwrap_err()), ErrorKind::NotFound);
    assert_eq!(files.append_block(&[7; 12]).unwrap().file, 4);
    files.sync().unwrap();
    let known = known(&files);
    assert_eq!(known.iter().map(|info| info.number).collect::<Vec<_>>(), [0, 2, 4]);
    drop(files);
    assert_eq!(open(&directory, 20, &known).unwrap().read_block(blocks[2]).unwrap(), [2; 12]);
}

#[test]
fn a_changed_byte_anywhere_in_a_record_is_noticed() {
    let (directory, mut files) = new_files(MAX_BLOCK_FILE_SIZE);
    files.append_block(&[1; 30]).unwrap();
    let block = files.append_block(&[2; 100]).unwrap();
    files.append_block(&[3; 30]).unwrap();
    let undo = files.append_undo(0, &[4; 100]).unwrap();
    for (name, position, is_undo) in [("blk00000.dat", block, false), ("rev00000.dat", undo, true)] {
        let read = |position| if is_undo { files.read_undo(position) } else { files.read_block(position) };
        let whole = fs::read(path(&directory, name)).unwrap();
        let (start, end) = (usize::try_from(position.offset).unwrap() - 8, usize::try_from(position.end()).unwrap());
        for index in start..end {
            for bit in [1, 128] {
                let mut changed = whole.clone();
                changed[index] ^= bit;
                fs::write(path(&directory, name), changed).unwrap();
                assert!(matches!(read(position), Err(StoreError::Damaged { .. })), "{name} {index}");
            }
        }
        for length in 0..end {
            fs::write(path(&directory, name), &whole[..length]).unwrap();
            assert!(matches!(read(position), Err(StoreError::Damaged { .. })), "{name} {length}");
        }
        fs::write(path(&directory, name), &whole).unwrap();
        assert_eq!(read(position).unwrap().len(), 100);
    }
}

#[test]
fn a_position_that_leads_astray_is_noticed_before_memory_is_taken() {
    let (_directory, mut files) = new_files(MAX_BLOCK_FILE_SIZE);
    let right = files.append_block(&[1; 30]).unwrap();
    for wrong in [
        RecordPosition { offset: 7, ..right },
        RecordPosition { offset: 9, ..right },
        RecordPosition { offset: u32::MAX, ..right },
        RecordPosition { length: 29, ..right },
        RecordPosition { length: u32::MAX, ..right },
        RecordPosition { checksum: !right.checksum, ..right },
    ] {
        assert!(matches!(files.read_block(wrong), Err(StoreError::Damaged { .. })), "{wrong:?}");
    }
    let error = files.read_block(RecordPosition { checksum: 0, ..right }).unwrap_err().to_string();
    assert!(error.starts_with("a block record is damaged: "), "{error}");
    assert!(error.ends_with(&format!("expected checksum 00000000, got {:08x}", right.checksum)), "{error}");
    assert_eq!(kind_of(&files.read_block(RecordPosition { file: 1, ..right }).unwrap_err()), ErrorKind::NotFound);
}

#[test]
fn missing_and_short_files_are_named_and_nothing_is_changed() {
    let (directory, mut files) = new_files(20);
    for byte in 0..4 {
        files.append_block(&[byte; 12]).unwrap();
        files.append_undo(u32::from(byte), b"undo").unwrap();
    }
    let known = known(&files);
    drop(files);
    assert_eq!(BlockFiles::find_damaged(directory.path(), known.iter().copied()).unwrap(), []);
    fs::remove_file(path(&directory, "blk00001.dat")).unwrap();
    fs::write(path(&directory, "rev00002.dat"), [0; 11]).unwrap();
    fs::write(path(&directory, "blk00009.dat"), [0; 11]).unwrap();
    let damaged = BlockFiles::find_damaged(directory.path(), known.iter().copied()).unwrap();
    let found: Vec<_> = damaged.iter().map(|file| (file.number, file.kind, file.expected, file.got)).collect();
    assert_eq!(found, [(1, BlockFileKind::Blocks, 20, 0), (2, BlockFileKind::Undo, 12, 11)]);
    let error = open(&directory, 20, &known).unwrap_err().to_string();
    assert!(error.ends_with("blk00001.dat: expected at least 20 bytes, got 0"), "{error}");
    assert!(names(&directory).contains(&"blk00009.dat".to_owned()));
    // The index forgets what is damaged and goes on.
    let left = [known[0], BlockFileInfo { undo_size: 0, ..known[2] }, known[3]];
    open(&directory, 20, &left).unwrap();
    assert_eq!(fs::metadata(path(&directory, "rev00002.dat")).unwrap().len(), 0);
}

#[test]
fn a_failed_write_is_the_last() {
    let (directory, mut files) = new_files(20);
    let block = files.append_block(&[1; 12]).unwrap();
    files.sync().unwrap();
    let known = known(&files);
    symlink("/dev/full", path(&directory, "blk00001.dat")).unwrap();
    let first = files.append_block(&[2; 12]).unwrap_err();
    assert_eq!(kind_of(&first), ErrorKind::StorageFull);
    fs::remove_file(path(&directory, "blk00001.dat")).unwrap();
    for error in [
        files.append_block(&[2; 12]).unwrap_err(),
        files.append_undo(0, &[2; 12]).unwrap_err(),
        files.sync().unwrap_err(),
    ] {
        assert_eq!(kind_of(&error), ErrorKind::StorageFull);
        assert!(error.to_string().contains("refused because it failed before"), "{error}");
    }
    assert_eq!(files.read_block(block).unwrap(), [1; 12]);
    assert_eq!(self::known(&files), known);
    drop(files);
    assert_eq!(open(&directory, 20, &known).unwrap().append_block(&[2; 12]).unwrap().file, 1);
}

#[test]
fn a_failed_sync_is_the_last() {
    let (directory, mut files) = new_files(20);
    files.append_block(&[1; 12]).unwrap();
    // Takes everything, and cannot be synced.
    symlink("/dev/null", path(&directory, "rev00000.dat")).unwrap();
    files.append_undo(0, &[2; 12]).unwrap();
    assert_eq!(kind_of(&files.sync().unwrap_err()), ErrorKind::InvalidInput);
    assert_eq!(kind_of(&files.sync().unwrap_err()), ErrorKind::InvalidInput);
    assert_eq!(kind_of(&files.append_block(&[1; 12]).unwrap_err()), ErrorKind::InvalidInput);
}

#[test]
fn some_space_stays_free() {
    let (directory, mut files) = new_files(MAX_BLOCK_FILE_SIZE);
    files.check_free_space(0).unwrap();
    let error = files.check_free_space(u64::MAX / 2).unwrap_err();
    let StoreError::DiskFull { path, expected, got } = error else { panic!("got {error}") };
    assert_eq!((path.as_path(), expected), (directory.path(), u64::MAX / 2 + (50 << 20)));
    assert!(got >= 50 << 20);
    // A new file is asked for, and then 16 MiB are covered by the answer.
    files.append_block(&[1; 100]).unwrap();
    assert_eq!(files.unchecked_bytes, (16 << 20) - 108);
    files.append_block(&vec![1; 16 << 20]).unwrap();
    assert_eq!(files.unchecked_bytes, 0);
}

#[test]
fn numbers_run_out_without_harm() {
    let directory = TempDir::new().unwrap();
    fs::write(path(&directory, "blk4294967295.dat"), [0; 20]).unwrap();
    let mut files = open(&directory, 20, &[BlockFileInfo { number: u32::MAX, size: 20, undo_size: 0 }]).unwrap();
    assert_eq!(kind_of(&files.append_block(&[1; 12]).unwrap_err()), ErrorKind::Other);
}

#[test]
fn positions_beyond_32_bits_are_refused() {
    let directory = TempDir::new().unwrap();
    let size = u32::MAX - 20;
    fs::File::create(path(&directory, "rev00000.dat")).unwrap().set_len(u64::from(size)).unwrap();
    let mut files = open(&directory, 20, &[BlockFileInfo { number: 0, size: 0, undo_size: size }]).unwrap();
    assert_eq!(kind_of(&files.append_undo(0, &[1; 13]).unwrap_err()), ErrorKind::FileTooLarge);
    let last = files.append_undo(0, &[1; 12]).unwrap();
    assert_eq!(last.end(), u64::from(u32::MAX));
    assert_eq!(files.read_undo(last).unwrap(), [1; 12]);
}
