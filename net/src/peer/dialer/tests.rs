use std::hash::{BuildHasherDefault, DefaultHasher};

use super::*;

type Hasher = BuildHasherDefault<DefaultHasher>;

fn peer(number: u8) -> PeerId {
    libp2p::identity::Keypair::ed25519_from_bytes([number; 32]).unwrap().public().to_peer_id()
}

fn target(port: u16) -> Target {
    Target { address: format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap() }
}

fn target_of(port: u16, peer: PeerId) -> Target {
    Target { address: format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}").parse().unwrap() }
}

fn dialer() -> Dialer<Hasher> {
    Dialer::with_spread(Hasher::default())
}

/// How long after `now` the next dial is due, which then takes place.
fn next_dial(dialer: &mut Dialer<Hasher>, now: &mut Instant) -> Duration {
    let due = dialer.next_due().expect("nothing is due");
    let wait = due - *now;
    assert_eq!(dialer.due(due - Duration::from_nanos(1)), [], "due too early");
    *now = due;
    assert_eq!(dialer.due(due).len(), 1);
    wait
}

#[test]
fn a_named_peer_is_due_once() {
    let (now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.add(now, target(1));
    assert_eq!(dialer.due(now), [target(1)]);
    assert_eq!(dialer.due(now + BACKOFF.longest), []);
    assert_eq!(dialer.next_due(), None);
}

#[test]
fn waits_double_up_to_a_minute() {
    let (mut now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.due(now);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        dialer.failed(now, &target(1), DialFailed::Retry);
        let wait = next_dial(&mut dialer, &mut now);
        let longest = Duration::from_secs(seconds);
        assert!(wait <= longest && wait > longest * 3 / 4, "{wait:?} for {seconds} s");
    }
}

#[test]
fn endless_failures_do_not_overflow() {
    let (mut now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.due(now);
    for _ in 0..100 {
        dialer.failed(now, &target(1), DialFailed::Retry);
        next_dial(&mut dialer, &mut now);
    }
}

#[test]
fn a_lost_peer_is_dialled_again_at_once_if_it_had_lasted() {
    let (mut now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.due(now);
    for _ in 0..5 {
        dialer.failed(now, &target(1), DialFailed::Retry);
        next_dial(&mut dialer, &mut now);
    }
    dialer.dialed(now, &target(1), peer(7));
    assert_eq!(dialer.next_due(), None);
    now += LASTING;
    dialer.disconnected(now, peer(7));
    assert!(next_dial(&mut dialer, &mut now) <= BACKOFF.first);
}

#[test]
fn a_peer_that_refuses_us_is_not_hammered() {
    let (mut now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.due(now);
    let mut waited = Duration::ZERO;
    for _ in 0..10 {
        dialer.dialed(now, &target(1), peer(7));
        now += Duration::from_millis(10);
        dialer.disconnected(now, peer(7));
        waited = next_dial(&mut dialer, &mut now);
    }
    assert!(waited > BACKOFF.longest * 3 / 4);
}

#[test]
fn a_peer_that_connected_by_itself_is_not_dialled() {
    let (now, mut dialer) = (Instant::now(), dialer());
    dialer.connected(now, peer(7));
    dialer.add(now, target_of(1, peer(7)));
    assert_eq!(dialer.due(now), []);

    dialer.add(now, target_of(2, peer(8)));
    dialer.connected(now, peer(8));
    assert_eq!(dialer.due(now), []);

    dialer.disconnected(now + LASTING, peer(8));
    assert_eq!(dialer.due(now + LASTING + BACKOFF.first), [target_of(2, peer(8))]);
}

#[test]
fn a_dial_that_fails_beside_a_connection_changes_nothing() {
    let (now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target_of(1, peer(7)));
    dialer.due(now);
    dialer.connected(now, peer(7));
    dialer.failed(now, &target_of(1, peer(7)), DialFailed::Retry);
    assert_eq!(dialer.next_due(), None);
}

#[test]
fn nobody_dials_himself_twice() {
    let (now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.due(now);
    dialer.failed(now, &target(1), DialFailed::Ourselves);
    assert_eq!(dialer.next_due(), None);
}

#[test]
fn a_removed_peer_is_not_dialled_again() {
    let (now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.due(now);
    assert!(dialer.remove(&target(1)));
    assert!(!dialer.remove(&target(1)));
    dialer.failed(now, &target(1), DialFailed::Retry);
    dialer.dialed(now, &target(1), peer(7));
    dialer.disconnected(now, peer(7));
    assert_eq!(dialer.next_due(), None);
}

#[test]
fn two_addresses_of_one_peer_are_one_peer() {
    let (now, mut dialer) = (Instant::now(), dialer());
    dialer.add(now, target(1));
    dialer.add(now, target(2));
    assert_eq!(dialer.due(now).len(), 2);
    dialer.dialed(now, &target(1), peer(7));
    dialer.dialed(now, &target(2), peer(7));
    assert_eq!(dialer.next_due(), None);
    dialer.disconnected(now + LASTING, peer(7));
    assert_eq!(dialer.due(now + LASTING + BACKOFF.first).len(), 2);
}

#[test]
fn who_is_kept_away_no_longer_is_due_at_once_and_starts_anew() {
    let (mut now, mut dialer) = (Instant::now(), dialer());
    let [named, other, unknown] = [target_of(1, peer(7)), target_of(2, peer(8)), target(3)];
    for target in [&named, &other, &unknown] {
        dialer.add(now, target.clone());
    }
    for _ in 0..5 {
        for target in dialer.due(now) {
            dialer.failed(now, &target, DialFailed::Retry);
        }
        now += BACKOFF.longest;
    }
    for target in dialer.due(now) {
        dialer.failed(now, &target, DialFailed::Retry);
    }
    dialer.retry(now, Some(peer(7)));
    let mut due = dialer.due(now);
    due.sort_by_key(|target| target.address.to_string());
    // Who is at the third address never showed: it may be the one.
    assert_eq!(due, [named.clone(), unknown.clone()]);
    dialer.failed(now, &named, DialFailed::Retry);
    dialer.dialed(now, &unknown, peer(9));
    assert!(dialer.next_due().unwrap() <= now + BACKOFF.first);

    // Whoever was connected or is being dialled is left alone.
    dialer.retry(now, None);
    assert_eq!(dialer.due(now).len(), 2);
    dialer.retry(now, None);
    assert_eq!(dialer.due(now), []);
}
