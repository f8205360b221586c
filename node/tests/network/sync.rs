//! A chain from good, silent and lying peers.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::evil_peer::{Blocks, EvilPeer};
use crate::privacy::line_to;
use crate::support::node_process::{Datadir, HEIGHT, chain, wait_for};
use crate::support::running::Running;

const ALONE: &str = "--kademlia=false";

/// A peer with the chain of the tests.
fn evil_peer(blocks: Blocks) -> EvilPeer {
    EvilPeer::start(blocks, &chain().block_file())
}

/// A node that starts with nothing and is told of these peers, and the time until it has the chain.
fn sync_from(peers: &[&EvilPeer]) -> (Running, Duration) {
    let mut args = vec![ALONE];
    for peer in peers {
        args.extend(["--peer", &peer.address]);
    }
    let start = Instant::now();
    let node = Running::start(Datadir::new(), &args);
    wait_for("the chain", || node.is_at(chain().tip()).then_some(()));
    (node, start.elapsed())
}

#[test]
fn an_empty_node_gets_the_chain_and_the_same_coins() {
    let first = Running::start(Datadir::with_chain(), &[ALONE]);
    let second = Running::start(Datadir::new(), &[ALONE, "--peer", &first.address()]);
    wait_for("the chain", || second.is_at(chain().tip()).then_some(()));
    assert_eq!(second.coins_hash(), first.coins_hash());
    assert_eq!(second.height(), u64::from(HEIGHT));
}

#[test]
fn a_silent_peer_and_a_liar_cost_little_and_the_liar_is_banned() {
    let [good, other, silent, corrupt] = [Blocks::Good, Blocks::Good, Blocks::Silent, Blocks::Corrupt].map(evil_peer);
    let (node, of_two) = sync_from(&[&good, &other]);
    let coins = node.coins_hash();
    node.node.stop();

    let (node, of_three) = sync_from(&[&silent, &corrupt, &good]);
    assert_eq!(node.coins_hash(), coins, "the header of a corrupt body is not condemned");
    // The front is with the silent peer once, for two seconds, and with the liar once.
    assert!(of_three < of_two + Duration::from_secs(5), "{of_three:?} instead of {of_two:?}");
    wait_for("the liar to be asked", || (corrupt.asked() > 0).then_some(()));
    let bans = wait_for("the ban", || std::fs::read_to_string(node.folder().join("banlist.json")).ok());
    assert!(bans.contains(&corrupt.peer) && bans.contains("mutated block"), "{bans}");
    assert!(!bans.contains(&silent.peer) && !bans.contains(&good.peer), "{bans}");
    assert!(!bans.contains("127.0.0.1"), "an address that many share is not banned: {bans}");
    let tips = node.call("getchaintips", json!([]));
    assert_eq!(tips.as_array().unwrap().len(), 1, "{tips}");
    wait_for("the others to stay", || (node.peers() == 2).then_some(()));
}

#[test]
fn a_chain_whose_blocks_nobody_sends_does_not_keep_an_honest_one_away() {
    let withheld = evil_peer(Blocks::Withheld);
    let honest = Running::start(Datadir::new(), &[ALONE]);
    honest.mine(5);
    let node = Running::start(Datadir::new(), &[ALONE, "--peer", &withheld.address]);
    wait_for("the headers without blocks", || (withheld.asked() > 0).then_some(()));
    assert_eq!(node.height(), 0);
    let headers = || node.call("getblockchaininfo", json!([]))["headers"].as_u64().unwrap();
    assert_eq!(headers(), u64::from(HEIGHT));
    node.call("addnode", json!([honest.address(), "add"]));
    node.wait_for_tip_of(&honest);
    assert_eq!(headers(), u64::from(HEIGHT), "the longer chain is not forgotten");
}

#[test]
fn over_a_long_line_many_blocks_are_on_their_way_at_once() {
    let first = Running::start(Datadir::with_chain(), &[ALONE]);
    // A round trip takes a tenth of a second, as across an ocean.
    let (_line, address) = line_to(&first, Duration::from_millis(50));
    let start = Instant::now();
    let second = Running::start(Datadir::new(), &[ALONE, "--peer", &address]);
    wait_for("the chain", || second.is_at(chain().tip()).then_some(()));
    // One block a round trip would take twelve seconds.
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    second.mine(1);
    first.wait_for_tip_of(&second);
}
