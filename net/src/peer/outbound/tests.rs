use std::hash::{BuildHasherDefault, DefaultHasher};

use super::*;

type Hasher = BuildHasherDefault<DefaultHasher>;

fn peer(number: u8) -> PeerId {
    libp2p::identity::Keypair::ed25519_from_bytes([number; 32]).unwrap().public().to_peer_id()
}

/// Each in a group of its own.
fn address(number: u8) -> Multiaddr {
    format!("/ip4/8.{number}.0.1/tcp/1").parse().unwrap()
}

fn outbound(target: usize, is_local: bool) -> Outbound<Hasher> {
    Outbound::with_book(AddressBook::with_spread(peer(255), Hasher::default()), target, is_local)
}

fn hear(outbound: &mut Outbound<Hasher>, now: Instant, numbers: std::ops::Range<u8>) {
    for number in numbers {
        outbound.heard(now, peer(number), &address(number), Source::Kademlia);
    }
}

fn connect(outbound: &mut Outbound<Hasher>, now: Instant, candidate: &Candidate) {
    outbound.connected(now, candidate.peer, Some(candidate.addresses[0].clone()), false);
    outbound.identified(now, candidate.peer, true);
}

#[test]
fn dials_until_the_target_is_reached() {
    let (now, mut outbound) = (Instant::now(), outbound(3, false));
    hear(&mut outbound, now, 0..9);
    let candidates = outbound.due(now);
    assert_eq!(candidates.len(), 3);
    assert_eq!(outbound.due(now), [], "they are being dialled");
    assert_eq!(outbound.next_due(), None);
    connect(&mut outbound, now, &candidates[0]);
    connect(&mut outbound, now, &candidates[1]);
    assert!(outbound.is_short());
    outbound.failed(now, candidates[2].peer);
    let another = outbound.due(now);
    assert_eq!(another.len(), 1);
    assert_ne!(another[0].peer, candidates[2].peer);
    connect(&mut outbound, now, &another[0]);
    assert!(!outbound.is_short());
    assert_eq!(outbound.due(now), []);
}

#[test]
fn a_lost_peer_is_replaced() {
    let (now, mut outbound) = (Instant::now(), outbound(1, false));
    hear(&mut outbound, now, 0..2);
    let first = outbound.due(now).remove(0);
    connect(&mut outbound, now, &first);
    assert_eq!(outbound.due(now), []);
    outbound.disconnected(now, first.peer);
    let second = outbound.due(now).remove(0);
    assert_ne!(second.peer, first.peer);
}

#[test]
fn peers_that_came_or_were_named_do_not_count_and_are_not_dialled() {
    let (now, mut outbound) = (Instant::now(), outbound(2, false));
    hear(&mut outbound, now, 0..2);
    outbound.connected(now, peer(0), None, false);
    outbound.connected(now, peer(1), Some(address(1)), true);
    assert!(outbound.is_short());
    assert_eq!(outbound.due(now), []);
    hear(&mut outbound, now, 0..2);
    assert_eq!(outbound.due(now), []);
}

#[test]
fn one_outbound_peer_of_a_group_and_all_of_a_private_network() {
    let (now, mut public) = (Instant::now(), outbound(4, false));
    let mut local = outbound(4, true);
    for number in 0..4 {
        public.heard(now, peer(number), &format!("/ip4/8.8.0.{number}/tcp/1").parse().unwrap(), Source::Kademlia);
        local.heard(now, peer(number), &format!("/ip4/10.0.0.{number}/tcp/1").parse().unwrap(), Source::Kademlia);
    }
    let candidates = public.due(now);
    assert_eq!(candidates.len(), 1);
    connect(&mut public, now, &candidates[0]);
    assert_eq!(public.due(now + Duration::from_secs(3600)), []);
    assert_eq!(local.due(now).len(), 4);
}

#[test]
fn what_a_walk_opened_beyond_the_target_is_closed_after_a_while() {
    let (now, mut outbound) = (Instant::now(), outbound(2, false));
    for number in 0..4 {
        let since = now + Duration::from_millis(number.into());
        outbound.connected(since, peer(number), Some(address(number)), false);
        outbound.identified(since, peer(number), true);
    }
    outbound.connected(now, peer(9), Some(address(9)), true);
    outbound.identified(now, peer(9), true);
    assert_eq!(outbound.excess(now + EXCESS_TIME - Duration::from_secs(1)), []);
    assert_eq!(outbound.excess(now + 2 * EXCESS_TIME), [peer(2), peer(3)]);
}

#[test]
fn introducers_do_not_count_and_go_when_there_are_enough_peers() {
    let (now, mut outbound) = (Instant::now(), outbound(1, false));
    outbound.heard(now, peer(0), &address(0), Source::Known);
    let introducer = outbound.due(now).remove(0);
    outbound.connected(now, introducer.peer, Some(address(0)), false);
    outbound.identified(now, introducer.peer, false);
    assert!(outbound.is_short());
    assert_eq!((outbound.peers(), outbound.addresses()), (0, vec![]));
    let later = now + 2 * INTRODUCER_TIME;
    assert_eq!(outbound.excess(later), []);
    hear(&mut outbound, now, 1..2);
    let found = outbound.due(now).remove(0);
    connect(&mut outbound, now, &found);
    assert_eq!(outbound.excess(now), []);
    assert_eq!(outbound.excess(later), [introducer.peer]);
}

#[test]
fn a_stranger_that_a_walk_found_is_not_dialled_again() {
    let (now, mut outbound) = (Instant::now(), outbound(1, false));
    outbound.connected(now, peer(0), Some(address(0)), false);
    outbound.is_of_another_network(now, peer(0));
    outbound.disconnected(now, peer(0));
    outbound.heard(now, peer(0), &address(0), Source::Mdns);
    assert_eq!(outbound.due(now + Duration::from_secs(60)), []);
}
