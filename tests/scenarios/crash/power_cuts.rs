//! Power cuts at random moments of imports that were recorded.

use std::fs;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use cairn_chain::chainstate::ChainstateOptions;
use tempfile::TempDir;

use crate::child::{Message, Orders};
use crate::disk::{Disk, Survival};
use crate::environment::number_from;
use crate::recorder::{self, Record};
use crate::recovery;
use crate::stream::Stream;
use cairn_tests::random::Random;

/// Longer than any recovery, and any run of the child.
const DEADLINE: Duration = Duration::from_secs(120);
/// Records before a cut that are shown when what it left is wrong.
const RECORDS_SHOWN: usize = 40;
/// Cuts that are made of one recording.
const CUTS_PER_RECORDING: usize = 16;

/// Whatever of the unsynced writes a power cut leaves, the directory opens, nothing is lost that was durable, and the import
/// goes on to the same end.
#[test]
fn an_import_goes_on_after_power_cuts() {
    let cuts = usize::try_from(number_from("CAIRN_CUTS", 16)).unwrap();
    let mut random = Random::new(number_from("CAIRN_SEED", 2));
    let stream = Stream::shared();
    let mut slowest = Duration::ZERO;
    let mut made = 0;
    while made < cuts {
        let recording = Recording::make(&stream, &mut random);
        let mut moments: Vec<usize> = (0..CUTS_PER_RECORDING.min(cuts - made))
            // The first moments of a directory are few among all, and special.
            .map(|index| random.below(if index % 5 == 0 { 80 } else { recording.records.len() }))
            .collect();
        moments.sort_unstable();
        slowest = slowest.max(recording.cut_at(&moments, &stream, &mut random));
        made += moments.len();
    }
    println!("{made} power cuts, opened in at most {slowest:?}");
}

/// A recorded import.
struct Recording {
    log: Vec<u8>,
    records: Vec<Record>,
    orders: Orders,
}

impl Recording {
    /// Records an import, which is killed some times, so that there are cuts after kills.
    fn make(stream: &Stream, random: &mut Random) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let [directory, log, marks] = ["data", "log", "marks"].map(|name| folder.path().join(name));
        fs::create_dir(&directory).unwrap();
        let orders = Orders {
            directory: directory.clone(),
            files: stream.files.clone(),
            cache_bytes: random.pick(&[16 << 10, 64 << 10, 512 << 10]),
            block_file_size: random.pick(&[32 << 10, 256 << 10]),
            prunes: random.chance(30),
            checks: false,
            singly: random.chance(25),
            marks: Some(marks.clone()),
        };
        loop {
            let stop_after = random.chance(60).then(|| 1 + random.below(3_000));
            let mut child = orders.spawn(&recorder::recording(&directory, &log, &marks, stop_after));
            let done = loop {
                match child.next() {
                    Some(Message::Done { tip }) => {
                        assert_eq!(tip, stream.last);
                        break true;
                    }
                    Some(Message::Failed(error)) => panic!("{error}"),
                    Some(_) => {}
                    None => break false,
                }
            };
            let (status, errors) = child.end(Instant::now() + DEADLINE).expect("the child ends");
            assert!(done || (stop_after.is_some() && status.code().is_none()), "{status}: {errors}");
            if done {
                break;
            }
        }
        let log = fs::read(&log).unwrap();
        Self { records: recorder::parse(&log), log, orders }
    }

    /// Cuts the power at these moments, which are numbers of records in order, and looks what is left. Gives the longest time
    /// that opening took.
    fn cut_at(&self, moments: &[usize], stream: &Stream, random: &mut Random) -> Duration {
        let mut disk = Disk::new(&self.log);
        let mut durable = None;
        let mut next = 0;
        let mut slowest = Duration::ZERO;
        for &moment in moments {
            for record in &self.records[next..moment] {
                disk.apply(record);
                if let Record::Mark(text) = record {
                    durable = durable_tip(text);
                }
            }
            next = moment;
            let survival = random.pick(&[
                Survival::Nothing,
                Survival::Some(10),
                Survival::Some(50),
                Survival::Some(90),
                Survival::JournalledNames(50),
                Survival::JournalledNames(90),
                Survival::Everything,
            ]);
            let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            disk.cut(survival, random, directory.path());
            let before = &self.records[moment.saturating_sub(RECORDS_SHOWN)..moment];
            let what = format!("cut after {moment} of {} records, {survival:?}: {before:#?}", self.records.len());
            let mut options = self.orders.options();
            if !random.chance(10) {
                // Going on is not what takes long then.
                options.cache_bytes = 16 << 20;
            }
            slowest = slowest.max(check(directory, &options, &what, stream, durable));
        }
        slowest
    }
}

/// Checks what is left, in a thread of its own so that waiting for ever is noticed.
fn check(
    directory: TempDir,
    options: &ChainstateOptions,
    what: &str,
    stream: &Stream,
    durable: Option<BlockHash>,
) -> Duration {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        let path = directory.path();
        scope.spawn(move || {
            let opening = recovery::check(path, options, stream, durable);
            let _ = sender.send(opening);
        });
        match receiver.recv_timeout(DEADLINE) {
            Ok(opening) => opening,
            Err(error) => {
                // For whoever looks for the reason; opening has changed it a little.
                let kept = directory.path().with_extension("failed");
                fs::rename(directory.path(), &kept).unwrap();
                println!("{what}: {error}; what was left is kept in {}", kept.display());
                if error == mpsc::RecvTimeoutError::Timeout {
                    // The thread would be waited for.
                    std::process::exit(1);
                }
                panic!("{what}");
            }
        }
    })
}

fn durable_tip(text: &str) -> Option<BlockHash> {
    match Message::decode(text) {
        Some(Message::Durable { tip, .. }) => Some(tip),
        _ => panic!("a mark of {text:?}"),
    }
}
