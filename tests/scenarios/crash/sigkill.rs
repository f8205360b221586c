//! The child is killed, again and again.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::child::{Message, Orders};
use crate::environment::number_from;
use crate::recovery::{self, MAX_OPENING};
use crate::stream::Stream;
use cairn_tests::random::Random;

/// Longer than any run of the child.
const DEADLINE: Duration = Duration::from_secs(60);
/// The most microseconds between what the child says and its end.
const MAX_DELAY: usize = 40_000;

/// Kills the child at random moments. What is left opens every time, and when the stream is at its end, all is as if nothing
/// had happened.
#[test]
fn a_killed_import_goes_on() {
    let kills = number_from("CAIRN_KILLS", 15);
    let mut random = Random::new(number_from("CAIRN_SEED", 1));
    let stream = &*Stream::shared();
    let mut killed = 0;
    let mut slowest = Duration::ZERO;
    let mut whole_runs = 0;
    while killed < kills {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let orders = draw_orders(directory.path(), stream, &mut random);
        let mut progress = 0;
        loop {
            let orders = Orders { checks: random.chance(50), singly: random.chance(25), ..orders.clone() };
            let until = if killed < kills { progress + random.below(12) } else { usize::MAX };
            match run(&orders, stream, until, &mut random, &mut slowest) {
                None => break,
                Some(reached) => progress = progress.max(reached),
            }
            killed += 1;
        }
        recovery::check(directory.path(), &orders.options(), stream, Some(stream.last));
        whole_runs += 1;
    }
    println!("{killed} kills in {whole_runs} imports, opened in at most {slowest:?}");
}

fn draw_orders(directory: &Path, stream: &Stream, random: &mut Random) -> Orders {
    Orders {
        directory: directory.to_owned(),
        files: stream.files.clone(),
        cache_bytes: random.pick(&[16 << 10, 64 << 10, 64 << 10, 512 << 10]),
        block_file_size: random.pick(&[32 << 10, 256 << 10]),
        prunes: random.chance(50),
        checks: false,
        singly: false,
        marks: None,
    }
}

/// Runs the child until it has finished file `until` and a little longer, and kills it. Gives the number of files that it
/// finished, or nothing when it reached the end of the stream before.
fn run(orders: &Orders, stream: &Stream, until: usize, random: &mut Random, slowest: &mut Duration) -> Option<usize> {
    let mut child = orders.spawn(&HashMap::new());
    let mut reached = 0;
    // Often the child dies while it opens the directory.
    let while_opening = until < usize::MAX && random.chance(25);
    let at_once = until == 0 || while_opening;
    loop {
        if at_once {
            break;
        }
        match child.next() {
            Some(Message::Opened { milliseconds, tip }) => {
                stream.tip(tip);
                let opening = Duration::from_millis(milliseconds);
                assert!(opening < MAX_OPENING, "opening took {opening:?}");
                *slowest = opening.max(*slowest);
            }
            Some(Message::Checked) => {}
            Some(Message::Durable { file, tip }) => {
                stream.tip(tip);
                reached = file + 1;
                if reached >= until {
                    break;
                }
            }
            Some(Message::Done { tip }) => {
                assert_eq!(tip, stream.last);
                let (status, errors) = child.end(Instant::now() + DEADLINE).expect("what is done ends");
                assert!(status.success(), "{errors}");
                return None;
            }
            Some(Message::Failed(error)) => panic!("{error}\n{orders:?}"),
            None => {
                let ended = child.end(Instant::now() + DEADLINE);
                panic!("the child ended by itself: {ended:?}\n{orders:?}");
            }
        }
    }
    let delay = Duration::from_micros(random.below(MAX_DELAY) as u64);
    std::thread::sleep(delay);
    child.kill();
    child.end(Instant::now() + DEADLINE).expect("what was killed ends");
    Some(reached)
}
