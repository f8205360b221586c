//! Full disks, short writes, failed syncs.

use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::child::{FAILED, Message, Orders};
use crate::environment::number_from;
use crate::recorder;
use crate::recovery;
use crate::stream::Stream;
use cairn_tests::random::Random;

/// A child that takes longer waits for something that never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// Writes of a whole import at least, so that faults come in all of its parts.
const OPERATIONS: usize = 2_500;

/// Whatever write or sync fails, the process ends and says why, and the next one, on a disk in order, goes on to the same end.
#[test]
fn an_import_goes_on_after_the_disk_failed() {
    let faults = number_from("CAIRN_FAULTS", 12);
    let mut random = Random::new(number_from("CAIRN_SEED", 3));
    let stream = Stream::shared();
    let (mut failed, mut unharmed) = (0, 0);
    for index in 0..faults {
        let kind = ["full", "once", "short", "sync"][usize::try_from(index % 4).unwrap()];
        // Of the first operations each is special.
        let operations = if random.chance(30) { 40 } else { OPERATIONS };
        let at = random.below(operations);
        let ended_well = fail(&stream, kind, at, &mut random);
        *if ended_well { &mut unharmed } else { &mut failed } += 1;
    }
    println!("{failed} imports failed and went on, {unharmed} did not notice");
}

/// Runs the child on a disk that fails, and then a healthy one. Whether the child did not notice.
fn fail(stream: &Stream, kind: &str, at: usize, random: &mut Random) -> bool {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let directory = folder.path().join("data");
    fs::create_dir(&directory).unwrap();
    let orders = Orders {
        directory: directory.clone(),
        files: stream.files.clone(),
        cache_bytes: random.pick(&[16 << 10, 64 << 10]),
        block_file_size: random.pick(&[32 << 10, 256 << 10]),
        prunes: random.chance(30),
        checks: false,
        singly: random.chance(25),
        marks: None,
    };
    let what = format!("{kind} at {at}, {} pruned, {} singly", orders.prunes, orders.singly);
    let mut child = orders.spawn(&recorder::with_fault(&directory, kind, at));
    let (status, errors) = child.end(Instant::now() + DEADLINE).unwrap_or_else(|| panic!("{what}: the child hangs"));
    let mut durable = None;
    let mut end = None;
    while let Some(message) = child.next() {
        match message {
            Message::Durable { tip, .. } => durable = Some(tip),
            Message::Failed(_) | Message::Done { .. } => end = Some(message),
            Message::Opened { .. } | Message::Checked => {}
        }
    }
    match &end {
        Some(Message::Done { tip }) if status.success() => assert_eq!(*tip, stream.last, "{what}"),
        Some(Message::Failed(error)) if status.code() == Some(FAILED) => assert!(!error.is_empty(), "{what}"),
        _ => panic!("{what}: {status}, said {end:?}\n{errors}"),
    }
    let options = cairn_chain::chainstate::ChainstateOptions { cache_bytes: 16 << 20, ..orders.options() };
    recovery::check(&directory, &options, stream, durable);
    matches!(end, Some(Message::Done { .. }))
}
