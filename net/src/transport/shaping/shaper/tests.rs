use super::*;

const PLAIN: LinkConditions = LinkConditions {
    is_cut: false,
    latency: Duration::ZERO,
    jitter: Duration::ZERO,
    loss: 0.0,
    bandwidth: None,
    reset_rate: 0.0,
};

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn shaper(conditions: LinkConditions) -> Shaper {
    let mut shaper = Shaper::new(7);
    shaper.set(conditions);
    shaper
}

/// Sends so many segments at once, and returns how long each takes.
fn burst(shaper: &mut Shaper, now: Instant, segments: usize) -> Vec<Duration> {
    (0..segments).map(|_| shaper.send(now, SEGMENT) - now).collect()
}

#[test]
fn a_plain_link_takes_everything_and_no_time() {
    let (mut shaper, now) = (shaper(PLAIN), Instant::now());
    assert_eq!(shaper.room(now), Ok(usize::MAX));
    assert_eq!(burst(&mut shaper, now, 3), [Duration::ZERO; 3]);
    assert_eq!(shaper.life(), None);
}

#[test]
fn latency_is_the_same_for_all_and_jitter_stays_within_its_bounds() {
    let now = Instant::now();
    let latency = milliseconds(80);
    assert_eq!(burst(&mut shaper(LinkConditions { latency, ..PLAIN }), now, 3), [latency; 3]);

    let jitter = milliseconds(30);
    let mut shaper = shaper(LinkConditions { latency, jitter, ..PLAIN });
    // So far apart that none waits for the one before.
    let taken: Vec<_> = (0..1_000u32).map(|second| now + second * Duration::from_secs(1)).collect();
    let taken: Vec<_> = taken.into_iter().map(|now| shaper.send(now, SEGMENT) - now).collect();
    assert!(taken.iter().all(|taken| (latency - jitter..=latency + jitter).contains(taken)), "{taken:?}");
    assert!(
        taken.iter().any(|taken| *taken < milliseconds(60)) && taken.iter().any(|taken| *taken > milliseconds(100))
    );
    let mean = taken.iter().sum::<Duration>() / 1_000;
    assert!(mean.abs_diff(latency) < milliseconds(3), "{mean:?}");
}

#[test]
fn more_jitter_than_latency_sends_nothing_into_the_past() {
    let now = Instant::now();
    let mut shaper = shaper(LinkConditions { latency: milliseconds(1), jitter: milliseconds(50), ..PLAIN });
    let arrivals: Vec<_> = (0..1_000).map(|_| shaper.send(now, SEGMENT)).collect();
    assert!(arrivals.iter().all(|arrival| *arrival >= now) && arrivals.is_sorted());
}

#[test]
fn a_narrow_link_carries_one_segment_after_the_other() {
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    let bandwidth = NonZeroU64::new(14_000);
    let mut shaper = shaper(LinkConditions { bandwidth, latency: milliseconds(5), ..PLAIN });
    assert_eq!(burst(&mut shaper, now, 3), [105, 205, 305].map(milliseconds));
    // Idle time is lost.
    let later = now + second;
    assert_eq!(shaper.send(later, SEGMENT / 2), later + milliseconds(55));
}

#[test]
fn a_narrow_link_takes_a_tenth_of_a_second_ahead_and_then_says_when() {
    let now = Instant::now();
    let mut narrow = shaper(LinkConditions { bandwidth: NonZeroU64::new(140_000), ..PLAIN });
    assert_eq!(narrow.room(now), Ok(14_000));
    burst(&mut narrow, now, 5);
    assert_eq!(narrow.room(now), Ok(7_000));
    burst(&mut narrow, now, 7);
    assert_eq!(narrow.room(now), Err(now + milliseconds(20)));
    assert_eq!(narrow.room(now + milliseconds(20)), Ok(SEGMENT), "no less than a segment");

    // However narrow, a segment is taken when the link is free.
    let narrowest = shaper(LinkConditions { bandwidth: NonZeroU64::new(1), ..PLAIN });
    assert_eq!(narrowest.room(now), Ok(SEGMENT));
    let widest = shaper(LinkConditions { bandwidth: NonZeroU64::new(u64::MAX), ..PLAIN });
    assert!(widest.room(now).unwrap() > 1_000_000_000);
}

#[test]
fn what_is_lost_comes_late_and_holds_up_what_is_behind_it() {
    let now = Instant::now();
    let mut shaper = shaper(LinkConditions { latency: milliseconds(20), loss: 0.1, ..PLAIN });
    let taken = burst(&mut shaper, now, 10_000);
    assert!(taken.is_sorted());
    // At worst five times in a row: 200 ms, and twice as long each time.
    let allowed: Vec<_> = (0..=MAX_LOSSES).map(|losses| milliseconds(20 + 200 * (2u64.pow(losses) - 1))).collect();
    assert!(taken.iter().all(|taken| allowed.contains(taken)), "{taken:?}");
    let on_time = taken.iter().filter(|taken| **taken == milliseconds(20)).count();
    assert!((1..100).contains(&on_time), "{on_time} before the first loss");
}

#[test]
fn about_as_much_is_lost_as_was_said() {
    let now = Instant::now();
    let mut shaper = shaper(LinkConditions { loss: 0.02, ..PLAIN });
    let minute = Duration::from_secs(60);
    let times = (0..100_000u32).map(|count| now + count * minute);
    let lost = times.filter(|now| shaper.send(*now, SEGMENT) > *now).count();
    assert!((1_800..2_200).contains(&lost), "{lost} of 100000");
}

#[test]
fn a_lost_segment_is_missed_after_a_round_trip() {
    let now = Instant::now();
    let latency = milliseconds(500);
    let mut shaper = shaper(LinkConditions { latency, loss: 0.9, ..PLAIN });
    let first_late = burst(&mut shaper, now, 100).into_iter().find(|taken| *taken > latency).unwrap();
    assert!(first_late >= latency + 2 * latency, "{first_late:?}");
}

#[test]
fn new_conditions_count_at_once_and_nothing_is_overtaken() {
    let now = Instant::now();
    let mut shaper = shaper(LinkConditions { bandwidth: NonZeroU64::new(14_000), ..PLAIN });
    burst(&mut shaper, now, 2);
    shaper.set(PLAIN);
    assert_eq!(shaper.room(now), Ok(usize::MAX));
    assert_eq!(shaper.send(now, SEGMENT), now + milliseconds(200), "behind those on their way");
    assert_eq!(shaper.send(now + milliseconds(201), SEGMENT), now + milliseconds(201));
    shaper.set(LinkConditions { latency: milliseconds(50), ..PLAIN });
    assert_eq!(shaper.send(now + milliseconds(201), SEGMENT), now + milliseconds(251));
}

#[test]
fn connections_live_as_long_as_the_rate_says() {
    let mut shaper = shaper(LinkConditions { reset_rate: 4.0, ..PLAIN });
    let lives: Vec<_> = (0..20_000).map(|_| shaper.life().unwrap()).collect();
    let mean = lives.iter().sum::<Duration>() / 20_000;
    assert!(mean.abs_diff(Duration::from_secs(15)) < milliseconds(500), "{mean:?}");
    // Some die young, and some do not.
    let young = lives.iter().filter(|life| **life < Duration::from_secs(1)).count();
    assert!((1_000..1_600).contains(&young), "{young}");
    // A rate that is hardly one is none.
    shaper.set(LinkConditions { reset_rate: f64::MIN_POSITIVE, ..PLAIN });
    assert_eq!(shaper.life(), None);
}

#[test]
fn the_same_seed_does_the_same() {
    let now = Instant::now();
    let conditions = LinkConditions { jitter: milliseconds(9), loss: 0.1, reset_rate: 1.0, ..PLAIN };
    let [mut one, mut other] = [shaper(conditions), shaper(conditions)];
    assert_eq!(burst(&mut one, now, 100), burst(&mut other, now, 100));
    assert_eq!(one.life(), other.life());
}
