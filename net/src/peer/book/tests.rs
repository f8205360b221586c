use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher};

use proptest::prelude::*;

use super::*;

type Hasher = BuildHasherDefault<DefaultHasher>;

fn peer(number: u32) -> PeerId {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    libp2p::identity::Keypair::ed25519_from_bytes(key).unwrap().public().to_peer_id()
}

fn address(port: u16) -> Multiaddr {
    format!("/ip4/10.0.0.1/tcp/{port}").parse().unwrap()
}

fn book() -> AddressBook<Hasher> {
    AddressBook::with_spread(peer(u32::MAX), Hasher::default())
}

fn dialled(book: &mut AddressBook<Hasher>, now: Instant) -> Vec<PeerId> {
    book.candidates(now, usize::MAX, |_| true).into_iter().map(|candidate| candidate.peer).collect()
}

#[test]
fn a_peer_is_dialled_once_at_all_its_addresses() {
    let (now, mut book) = (Instant::now(), book());
    book.add(now, peer(1), &address(1), Source::Kademlia);
    book.add(now, peer(1), &address(1).with(Protocol::P2p(peer(1))), Source::Mdns);
    book.add(now, peer(1), &address(2), Source::Dialed);
    let candidates = book.candidates(now, 9, |_| true);
    assert_eq!(candidates, [Candidate { peer: peer(1), addresses: vec![address(2), address(1)] }]);
    assert_eq!(dialled(&mut book, now + BACKOFF.longest), []);
    assert_eq!(book.next_due(), None);
}

#[test]
fn what_is_not_a_peers_address_is_not_taken() {
    let (now, mut book) = (Instant::now(), book());
    book.add(now, peer(1), &address(1).with(Protocol::P2p(peer(2))), Source::Mdns);
    book.add(now, peer(1), &address(1).with(Protocol::P2p(peer(2))).with(Protocol::P2pCircuit), Source::Mdns);
    book.add(now, peer(1), &Multiaddr::empty(), Source::Mdns);
    book.add(now, peer(1), &format!("/dns4/{}/tcp/1", "a".repeat(400)).parse().unwrap(), Source::Mdns);
    book.add(now, peer(u32::MAX), &address(1), Source::Mdns);
    assert_eq!(book.len(), 0);
}

#[test]
fn waits_double_and_peers_never_reached_are_forgotten() {
    let (mut now, mut book) = (Instant::now(), book());
    book.add(now, peer(1), &address(1), Source::Kademlia);
    for failures in 0..MAX_FAILURES {
        assert_eq!(dialled(&mut book, now), [peer(1)]);
        book.failed(now, peer(1));
        if let Some(due) = book.next_due() {
            assert!(due - now <= BACKOFF.first * 2u32.pow(failures));
            assert_eq!(dialled(&mut book, due - Duration::from_nanos(1)), []);
            now = due;
        }
    }
    assert_eq!(book.len(), 0);
}

#[test]
fn peers_that_were_reached_are_not_forgotten() {
    let (mut now, mut book) = (Instant::now(), book());
    book.reached(now, peer(1), &address(1));
    book.disconnected(now + LASTING, peer(1));
    now += LASTING;
    for _ in 0..5 * MAX_FAILURES {
        now += BACKOFF.longest;
        assert_eq!(dialled(&mut book, now), [peer(1)]);
        book.failed(now, peer(1));
    }
    assert_eq!(book.addresses(), [(peer(1), address(1))]);
}

#[test]
fn connected_peers_are_not_dialled() {
    let (now, mut book) = (Instant::now(), book());
    book.add(now, peer(1), &address(1), Source::Mdns);
    book.connected(now, peer(1));
    assert_eq!(dialled(&mut book, now), []);
    book.disconnected(now + LASTING, peer(1));
    assert_eq!(dialled(&mut book, now + LASTING + BACKOFF.first), [peer(1)]);
}

#[test]
fn what_an_inbound_peer_said_lasts_as_long_as_its_connection() {
    let (now, mut book) = (Instant::now(), book());
    book.add(now, peer(1), &address(1), Source::Inbound);
    book.add(now, peer(2), &address(2), Source::Inbound);
    book.add(now, peer(2), &address(3), Source::Kademlia);
    assert_eq!(book.addresses(), [(peer(2), address(3))]);
    for number in [1, 2] {
        book.connected(now, peer(number));
        book.disconnected(now + LASTING, peer(number));
    }
    let candidates = book.candidates(now + 2 * LASTING, 9, |_| true);
    assert_eq!(candidates, [Candidate { peer: peer(2), addresses: vec![address(3)] }]);
}

#[test]
fn a_peer_of_another_network_is_left_alone_for_an_hour() {
    let (now, mut book) = (Instant::now(), book());
    book.add(now, peer(1), &address(1), Source::Mdns);
    dialled(&mut book, now);
    book.connected(now, peer(1));
    book.is_of_another_network(now, peer(1));
    book.disconnected(now, peer(1));
    book.add(now, peer(1), &address(1), Source::Mdns);
    // It may come to us as often as it likes.
    book.connected(now, peer(1));
    book.disconnected(now, peer(1));
    assert_eq!(dialled(&mut book, now + ANOTHER_NETWORK_WAIT - Duration::from_secs(1)), []);
    assert_eq!(dialled(&mut book, now + ANOTHER_NETWORK_WAIT), [peer(1)]);
}

#[test]
fn who_is_kept_away_no_longer_may_be_dialled_at_once_unless_it_is_shunned() {
    let (now, mut book) = (Instant::now(), book());
    for number in 1..=3u16 {
        book.reached(now, peer(number.into()), &address(number));
        book.disconnected(now, peer(number.into()));
    }
    book.is_of_another_network(now, peer(3));
    assert_eq!(dialled(&mut book, now), []);
    book.retry(now, Some(peer(2)));
    assert_eq!(dialled(&mut book, now), [peer(2)]);
    book.retry(now, None);
    assert_eq!(dialled(&mut book, now), [peer(1)], "the second is being dialled, the third is a stranger");
}

#[test]
fn addresses_that_may_not_be_dialled_wait() {
    let (now, mut book) = (Instant::now(), book());
    book.add(now, peer(1), &address(1), Source::Mdns);
    assert_eq!(book.candidates(now, 9, |_| false), []);
    assert_eq!(dialled(&mut book, now), [peer(1)]);
}

#[test]
fn peers_that_were_reached_come_first() {
    let (mut now, mut book) = (Instant::now(), book());
    for number in 1..20 {
        book.add(now, peer(number), &address(1), Source::Kademlia);
    }
    book.reached(now, peer(7), &address(1));
    now += LASTING;
    book.disconnected(now, peer(7));
    // Its one failure to last for ever weighs less than that nobody knows the others.
    let order = dialled(&mut book, now + BACKOFF.first);
    assert_eq!(order.len(), 19);
    assert!(order.contains(&peer(7)));
}

#[test]
fn inventions_drive_out_inventions() {
    let (now, mut book) = (Instant::now(), book());
    book.reached(now, peer(0), &address(1));
    book.disconnected(now + LASTING, peer(0));
    book.add(now, peer(1), &address(1), Source::Kademlia);
    for number in 2..5000 {
        book.add(now + Duration::from_millis(number.into()), peer(number), &address(1), Source::Mdns);
    }
    assert!(book.len() <= MAX_PEERS_PER_SOURCE + 2);
    let known: HashSet<_> = book.addresses().into_iter().map(|(peer, _)| peer).collect();
    assert!(known.contains(&peer(0)) && known.contains(&peer(1)) && known.contains(&peer(4999)));
}

proptest! {
    #[test]
    fn whatever_happens_no_peer_is_dialled_twice_at_a_time(
        steps in prop::collection::vec((0u8..8, 0u32..6, 0u64..700), 0..200),
    ) {
        let (mut now, mut book) = (Instant::now(), book());
        let mut connected = HashSet::new();
        for (step, number, wait) in steps {
            now += Duration::from_secs(wait);
            match step {
                0 => book.add(now, peer(number), &address(1), Source::Kademlia),
                1 => book.add(now, peer(number), &address(2), Source::Inbound),
                2 => book.failed(now, peer(number)),
                3 => {
                    book.disconnected(now, peer(number));
                    connected.remove(&peer(number));
                }
                4 => {
                    book.reached(now, peer(number), &address(3));
                    connected.insert(peer(number));
                }
                _ => {
                    let dialled_now = dialled(&mut book, now);
                    prop_assert!(dialled_now.iter().all(|peer| !connected.contains(peer)));
                    prop_assert_eq!(dialled(&mut book, now), []);
                }
            }
            prop_assert!(book.len() <= 6);
        }
    }
}
