//! Downloads from peers of every kind, by a clock of their own.

use bitcoin::hashes::Hash;

use super::*;

const MEGABYTE: usize = 1_000_000;

fn block(height: u32) -> BlockReference {
    BlockReference { height, hash: BlockHash::hash(&height.to_le_bytes()) }
}

fn everything() -> Offer {
    Offer { first: 0, last: u32::MAX }
}

/// A peer that sends so many bytes a second, one answer after the other.
#[derive(Clone, Copy)]
struct Line {
    peer: PeerId,
    speed: f64,
    offer: Offer,
    /// Whether it answers at all.
    answers: bool,
}

impl Line {
    fn new(speed: usize) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let speed = speed as f64;
        Self { peer: PeerId::random(), speed, offer: everything(), answers: true }
    }

    fn silent() -> Self {
        Self { answers: false, ..Self::new(MEGABYTE) }
    }
}

/// An answer on its way.
struct Coming {
    at: Instant,
    ask: Ask,
    is_answer: bool,
}

/// What a download took.
struct Outcome {
    time: Duration,
    /// Bytes that came, those that came twice included.
    bytes: usize,
    /// The most bytes that waited for their turn.
    peak: usize,
}

/// Downloads blocks of a size, and checks that each comes out once and in order.
fn simulate(lines: &[Line], blocks: u32, size: usize) -> Outcome {
    const TIMEOUT: Duration = Duration::from_secs(45);
    const LATENCY: Duration = Duration::from_millis(50);
    let start = Instant::now();
    let mut now = start;
    let mut download = Download::new();
    for line in lines {
        download.peer_offers(line.peer, line.offer);
    }
    let mut next = 1;
    let mut coming: Vec<Coming> = Vec::new();
    let mut free_at: HashMap<PeerId, Instant> = HashMap::new();
    let mut outcome = Outcome { time: Duration::ZERO, bytes: 0, peak: 0 };
    while next <= blocks {
        let wanted = (next..=blocks).take(MAX_WINDOW).map(block);
        download.retarget(wanted);
        for ask in download.ask(now) {
            let line = lines.iter().find(|line| line.peer == ask.peer).unwrap();
            #[allow(clippy::cast_precision_loss)]
            let time = Duration::from_secs_f64((ask.hashes.len() * size) as f64 / line.speed);
            let free = free_at.entry(ask.peer).or_insert(now);
            let at = (*free).max(now) + LATENCY + time;
            if line.answers && at < now + TIMEOUT {
                *free = at;
                coming.push(Coming { at, ask, is_answer: true });
            } else {
                coming.push(Coming { at: now + TIMEOUT, ask, is_answer: false });
            }
        }
        let due = download.next_due(now).filter(|due| *due > now);
        coming.sort_by_key(|coming| std::cmp::Reverse(coming.at));
        let first = coming.last().map(|coming| coming.at);
        now = first.into_iter().chain(due).min().expect("something goes on");
        assert!(now < start + Duration::from_secs(3600), "no end");
        while coming.last().is_some_and(|coming| coming.at <= now) {
            let Coming { ask, is_answer, .. } = coming.pop().unwrap();
            if is_answer {
                outcome.bytes += ask.hashes.len() * size;
                let found = ask.hashes.iter().map(|hash| Found::Body(*hash, size)).collect();
                download.answered(now, ask.request, found);
            } else {
                download.failed(now, ask.request, Failure::Unanswered);
            }
        }
        outcome.peak = outcome.peak.max(download.window.bytes());
        loop {
            let ready = download.take_ready(10, 4 * MEGABYTE);
            if ready.is_empty() {
                break;
            }
            for arrival in ready {
                assert_eq!(arrival.block, block(next));
                assert_eq!(arrival.body, block(next).hash);
                next += 1;
            }
        }
    }
    outcome.time = now - start;
    outcome
}

#[test]
fn peers_share_the_work_by_their_speed() {
    let outcome = simulate(&[Line::new(10 * MEGABYTE), Line::new(5 * MEGABYTE)], 600, MEGABYTE);
    // 600 MB at 15 MB a second.
    assert!(outcome.time < Duration::from_secs(50), "{:?}", outcome.time);
    assert_eq!(outcome.bytes, 600 * MEGABYTE);
}

#[test]
fn a_slow_peer_costs_little() {
    let fast = Line::new(10 * MEGABYTE);
    let alone = simulate(&[fast], 300, MEGABYTE);
    let with_slow = simulate(&[fast, Line::new(50_000)], 300, MEGABYTE);
    assert!(with_slow.time < alone.time.mul_f64(1.25), "{:?} instead of {:?}", with_slow.time, alone.time);
    assert!(with_slow.bytes < 320 * MEGABYTE, "{} bytes", with_slow.bytes);
}

#[test]
fn a_silent_peer_costs_less_than_five_seconds() {
    let two = simulate(&[Line::new(10 * MEGABYTE), Line::new(10 * MEGABYTE)], 600, MEGABYTE);
    let with_silent = simulate(&[Line::new(10 * MEGABYTE), Line::new(10 * MEGABYTE), Line::silent()], 600, MEGABYTE);
    assert!(with_silent.time < two.time + Duration::from_secs(5), "{:?} instead of {:?}", with_silent.time, two.time);
}

#[test]
fn slow_peers_alone_do_not_send_everything_twice() {
    let outcome = simulate(&[Line::new(50_000), Line::new(50_000)], 20, MEGABYTE);
    assert!(outcome.bytes < 30 * MEGABYTE, "{} bytes for 20 MB", outcome.bytes);
}

#[test]
fn memory_is_bounded_while_the_front_is_late() {
    // Whoever has the first blocks is slow.
    let slow = Line { offer: Offer { first: 0, last: 3 }, ..Line::new(100_000) };
    let fast = Line { offer: Offer { first: 4, last: u32::MAX }, ..Line::new(100 * MEGABYTE) };
    let outcome = simulate(&[slow, fast], 300, MEGABYTE);
    // What is on its way is counted by the size of blocks so far, which at first is a guess.
    assert!(outcome.peak <= MAX_BYTES + MAX_BLOCKS_RESPONSE_BYTES, "{} bytes waited", outcome.peak);
}

#[test]
fn tiny_blocks_are_asked_for_sixteen_at_a_time() {
    let outcome = simulate(&[Line::new(10 * MEGABYTE)], 20_000, 250);
    assert!(outcome.time < Duration::from_secs(80), "{:?}", outcome.time);
}

#[test]
fn a_peer_that_lacks_a_block_is_asked_again_ever_later() {
    let start = Instant::now();
    let (first, second) = (PeerId::random(), PeerId::random());
    let mut download = Download::<()>::new();
    download.peer_offers(first, everything());
    download.retarget([block(1)]);
    let mut now = start;
    let mut asked = Vec::new();
    // Whoever forwards a header often fetches the block itself, and has it soon.
    while !download.is_withheld(now) {
        let ask = download.ask(now).pop().expect("it is asked");
        asked.push((now - start).as_millis());
        download.answered(now, ask.request, vec![Found::Lacking]);
        assert_eq!(download.ask(now), []);
        if !download.is_withheld(now) {
            now = download.next_due(now).unwrap();
        }
    }
    assert_eq!(asked, [0, 200, 600, 1400, 3000]);
    // Who has something new is asked once more, and who still lacks the block is not waited for.
    assert!(!download.peer_offers(first, everything()));
    assert!(download.peer_offers(first, Offer { first: 0, last: 9 }) && !download.is_withheld(now));
    let ask = download.ask(now).pop().unwrap();
    assert_eq!(ask.peer, first);
    download.answered(now, ask.request, vec![Found::Lacking]);
    assert!(download.is_withheld(now));
    assert!(download.peer_offers(second, everything()));
    assert!(!download.is_withheld(now));
    assert_eq!(download.ask(now)[0].peer, second);
}

/// A status may be older than an announcement that came before it, and a header is announced before its block is there.
#[test]
fn a_status_takes_back_no_announcement() {
    let now = Instant::now();
    let peer = PeerId::random();
    let mut download = Download::<()>::new();
    download.retarget([block(5)]);
    assert!(download.peer_announces(peer, 5));
    assert!(download.peer_offers(peer, Offer { first: 2, last: 4 }));
    assert!(!download.is_withheld(now));
    let ask = download.ask(now).pop().expect("it announced the block");
    download.answered(now, ask.request, vec![Found::Lacking]);
    assert!(!download.is_withheld(now));
    // It has the block now, which is news although it announced it.
    assert_eq!(download.ask(now), []);
    assert!(download.peer_offers(peer, Offer { first: 2, last: 5 }));
    assert_eq!(download.ask(now).len(), 1);
    // What it has pruned it does not send, whatever it announced.
    assert!(download.peer_offers(peer, Offer { first: 6, last: 9 }));
    download.retarget([block(3)]);
    assert!(download.is_withheld(now));
}

#[test]
fn what_a_lost_peer_was_asked_for_is_asked_of_another() {
    let now = Instant::now();
    let (first, second) = (PeerId::random(), PeerId::random());
    let mut download = Download::<()>::new();
    download.peer_offers(first, everything());
    download.retarget((1..=4).map(block));
    let asked: Vec<_> = download.ask(now).into_iter().flat_map(|ask| ask.hashes).collect();
    assert_eq!(asked, (1..=4).map(|height| block(height).hash).collect::<Vec<_>>());
    download.peer_offers(second, everything());
    assert_eq!(download.ask(now), []);
    download.remove_peer(&first);
    let again = download.ask(now);
    assert!(again.iter().all(|ask| ask.peer == second));
    assert_eq!(again.into_iter().flat_map(|ask| ask.hashes).collect::<Vec<_>>(), asked);
}

#[test]
fn a_new_target_keeps_what_came() {
    let now = Instant::now();
    let peer = PeerId::random();
    let mut download = Download::<u32>::new();
    download.peer_offers(peer, everything());
    download.retarget((1..=3).map(block));
    let ask = download.ask(now).pop().unwrap();
    download.answered(now, ask.request, vec![Found::Nothing, Found::Body(2, 100), Found::Nothing]);
    assert!(download.take_ready(9, 1000).is_empty());
    download.retarget([block(2), block(9)]);
    let ready = download.take_ready(9, 1000);
    assert_eq!(ready.len(), 1);
    assert_eq!((ready[0].body, ready[0].from), (2, peer));
    assert_eq!(download.front(), Some(block(9)));
    assert_eq!(download.window.bytes(), 0);
}

#[test]
fn a_busy_peer_is_left_alone_as_long_as_it_says() {
    let now = Instant::now();
    let peer = PeerId::random();
    let mut download = Download::<()>::new();
    download.peer_offers(peer, everything());
    download.retarget([block(1)]);
    let ask = download.ask(now).pop().unwrap();
    let wait = Duration::from_millis(300);
    download.failed(now, ask.request, Failure::Busy(wait));
    assert_eq!(download.ask(now), []);
    assert_eq!(download.next_due(now), Some(now + wait));
    assert_eq!(download.ask(now + wait).len(), 1);
}

#[test]
fn what_a_liar_sent_is_wanted_again() {
    let now = Instant::now();
    let (liar, honest) = (PeerId::random(), PeerId::random());
    let mut download = Download::<()>::new();
    download.peer_offers(liar, everything());
    download.retarget((1..=2).map(block));
    let ask = download.ask(now).pop().unwrap();
    download.answered(now, ask.request, vec![Found::Nothing, Found::Body((), 100)]);
    download.remove_peer(&liar);
    download.forget_blocks_of(&liar);
    download.peer_offers(honest, everything());
    assert_eq!(download.window.bytes(), 0);
    assert_eq!(download.ask(now)[0].hashes, [block(1).hash, block(2).hash]);
}
