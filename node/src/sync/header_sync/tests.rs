//! Peers that have headers, claim to have them, and are slow.

use super::*;

fn peers<const COUNT: usize>() -> [PeerId; COUNT] {
    std::array::from_fn(|_| PeerId::random())
}

fn work(blocks: u8) -> Work {
    let mut bytes = [0; 32];
    bytes[31] = blocks;
    Work::from_be_bytes(bytes)
}

/// Everybody who is asked now.
fn asked(sync: &mut HeaderSync, now: Instant, best: Work) -> Vec<PeerId> {
    std::iter::from_fn(|| sync.ask(now, best)).collect()
}

#[test]
fn a_peer_that_has_more_goes_on_alone() {
    let (now, [first, second]) = (Instant::now(), peers());
    let mut sync = HeaderSync::default();
    sync.peer_claims(first, work(9));
    assert_eq!(asked(&mut sync, now, work(1)), [first]);
    sync.answered(now, &first, Answered::More);
    sync.peer_claims(second, work(8));
    for _ in 0..3 {
        assert_eq!(asked(&mut sync, now, work(1)), [first]);
        sync.answered(now, &first, Answered::More);
    }
    assert_eq!(asked(&mut sync, now, work(5)), [first]);
    sync.answered(now, &first, Answered::All);
    assert_eq!(asked(&mut sync, now, work(9)), [], "nobody claims more");
}

#[test]
fn who_claims_much_and_sends_nothing_is_asked_once() {
    let (now, [liar, honest]) = (Instant::now(), peers());
    let mut sync = HeaderSync::default();
    sync.peer_claims(liar, work(9));
    sync.peer_claims(honest, work(8));
    assert_eq!(asked(&mut sync, now, work(1)), [liar, honest], "a claim keeps nobody from being asked");
    sync.answered(now, &liar, Answered::All);
    sync.answered(now, &honest, Answered::All);
    assert_eq!(asked(&mut sync, now, work(2)), [], "both had their turn");
    sync.peer_claims(honest, work(10));
    assert_eq!(asked(&mut sync, now, work(2)), [honest]);
}

#[test]
fn peers_that_say_busy_in_turn_do_not_keep_an_honest_one_away() {
    let (mut now, liars, [honest]) = (Instant::now(), peers::<6>(), peers());
    let mut sync = HeaderSync::default();
    for liar in liars {
        sync.peer_claims(liar, work(200));
    }
    sync.peer_claims(honest, work(8));
    let mut rounds = 0;
    loop {
        let all = asked(&mut sync, now, work(1));
        if all.contains(&honest) {
            break;
        }
        now += Duration::from_secs(14);
        for peer in all {
            sync.answered(now, &peer, Answered::Busy(Duration::ZERO));
        }
        rounds += 1;
        assert!(rounds < 3, "the honest peer is never asked");
    }
}

#[test]
fn who_fails_waits_while_others_are_asked() {
    let (now, [first, second]) = (Instant::now(), peers());
    let mut sync = HeaderSync::default();
    sync.peer_claims(first, work(9));
    sync.peer_claims(second, work(8));
    assert_eq!(asked(&mut sync, now, work(1)), [first, second]);
    sync.answered(now, &first, Answered::Failed);
    sync.answered(now, &second, Answered::Failed);
    assert_eq!(asked(&mut sync, now, work(1)), []);
    let due = sync.next_due(now).unwrap();
    assert_eq!(asked(&mut sync, due, work(1)), [first, second]);
}

#[test]
fn who_is_slow_does_not_keep_others_from_being_asked_for_ever() {
    let (now, [slow, honest]) = (Instant::now(), peers());
    let mut sync = HeaderSync::default();
    sync.peer_claims(slow, work(9));
    assert_eq!(asked(&mut sync, now, work(1)), [slow]);
    sync.answered(now, &slow, Answered::More);
    sync.peer_claims(honest, work(8));
    assert_eq!(asked(&mut sync, now, work(1)), [slow]);
    assert_eq!(asked(&mut sync, now + LOADING_TURN, work(1)), [honest]);
}

#[test]
fn who_is_busy_goes_on_where_it_was() {
    let (now, [peer]) = (Instant::now(), peers());
    let mut sync = HeaderSync::default();
    sync.peer_claims(peer, work(9));
    assert_eq!(asked(&mut sync, now, work(1)), [peer]);
    sync.answered(now, &peer, Answered::More);
    assert_eq!(asked(&mut sync, now, work(1)), [peer]);
    let wait = Duration::from_millis(100);
    sync.answered(now, &peer, Answered::Busy(wait));
    assert_eq!(asked(&mut sync, now, work(1)), []);
    assert_eq!(asked(&mut sync, now + wait, work(1)), [peer]);
}

#[test]
fn news_are_asked_for_whatever_a_peer_claims() {
    let (now, [peer]) = (Instant::now(), peers());
    let mut sync = HeaderSync::default();
    sync.peer_claims(peer, work(1));
    assert_eq!(asked(&mut sync, now, work(5)), []);
    sync.peer_has_news(peer);
    assert_eq!(asked(&mut sync, now, work(5)), [peer]);
    sync.answered(now, &peer, Answered::All);
    assert_eq!(asked(&mut sync, now, work(5)), []);
    sync.remove_peer(&peer);
    sync.peer_has_news(peer);
    assert_eq!(asked(&mut sync, now, work(5)), []);
}
