//! A chain from good, silent and lying peers.

use std::path::Path;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize_hex;
use cairn_tests::chain_generator::{ChainOptions, GeneratedChain};
use serde_json::json;

use crate::harness::evil_peer::{self, Blocks, EvilPeer};
use crate::harness::node_process::{Datadir, HEIGHT, chain, wait_for};
use crate::harness::test_node::TestNode;
use crate::privacy::line_to;

const ALONE: &str = "--kademlia=false";

/// A peer with the chain of the tests.
fn evil_peer(blocks: Blocks) -> EvilPeer {
    EvilPeer::start(blocks, &chain().block_file())
}

/// A node that starts with nothing and is told of these peers, and the time until it has the chain.
fn sync_from(peers: &[&EvilPeer]) -> (TestNode, Duration) {
    let mut args = vec![ALONE];
    for peer in peers {
        args.extend(["--peer", &peer.address]);
    }
    let start = Instant::now();
    let node = TestNode::start(Datadir::new(), &args);
    wait_for("the chain", || node.is_at(chain().tip()).then_some(()));
    (node, start.elapsed())
}

#[test]
fn an_empty_node_gets_the_chain_and_the_same_coins() {
    let first = TestNode::start(Datadir::with_chain(), &[ALONE]);
    let second = TestNode::start(Datadir::new(), &[ALONE, "--peer", &first.address()]);
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
    let metrics = node.node.get("/metrics");
    assert!(metrics.contains("cairn_peer_bans_total{reason=\"mutated block\"} 1\n"), "{metrics}");
    assert!(!metrics.contains("cairn_sync_stalls_total 0\n"), "{metrics}");
    let tips = node.call("getchaintips", json!([]));
    assert_eq!(tips.as_array().unwrap().len(), 1, "{tips}");
    wait_for("the others to stay", || (node.peers() == 2).then_some(()));
}

#[test]
fn a_chain_whose_blocks_nobody_sends_does_not_keep_an_honest_one_away() {
    let withheld = evil_peer(Blocks::Withheld);
    let honest = TestNode::start(Datadir::new(), &[ALONE]);
    honest.mine(5);
    let node = TestNode::start(Datadir::new(), &[ALONE, "--peer", &withheld.address]);
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
    let first = TestNode::start(Datadir::with_chain(), &[ALONE]);
    // A round trip takes a tenth of a second, as across an ocean.
    let (_line, address) = line_to(&first, Duration::from_millis(50));
    let start = Instant::now();
    let second = TestNode::start(Datadir::new(), &[ALONE, "--peer", &address]);
    wait_for("the chain", || second.is_at(chain().tip()).then_some(()));
    // One block a round trip would take twelve seconds.
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    second.mine(1);
    first.wait_for_tip_of(&second);
}

#[test]
fn a_branch_that_is_longer_than_an_answer_is_left_for_a_better_one() {
    // Headers come two thousand at a time: as many of the better branch have less work than ours.
    let [first, second] = [(2_050, 1), (2_500, 2)].map(|(blocks, seed)| {
        let options = ChainOptions { blocks, transactions_per_block: 0, coins: 0, seed };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let chain = GeneratedChain::open_or_generate(folder, &options).unwrap();
        let datadir = Datadir::new();
        let file = chain.block_file();
        let output = datadir.run(&["chain", "import", "--network", "regtest", file.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        TestNode::start(datadir, &[ALONE])
    });
    assert_ne!(first.block(1), second.block(1));
    first.call("addnode", json!([second.address(), "add"]));
    first.wait_for_tip_of(&second);
}

#[test]
fn a_block_with_other_witnesses_is_shown_to_nobody_and_only_who_made_it_is_banned() {
    let blocks = evil_peer::blocks(&chain().block_file());
    let (last, before) = blocks[1..].split_last().unwrap();
    let first = TestNode::start(Datadir::new(), &[ALONE]);
    for block in before {
        assert_eq!(first.call("submitblock", json!([serialize_hex(block)])), json!(null));
    }
    let second = TestNode::start(Datadir::new(), &[ALONE, "--peer", &first.address()]);
    second.wait_for_tip_of(&first);
    let tampered = evil_peer(Blocks::Tampered);
    first.call("addnode", json!([tampered.address, "onetry"]));
    wait_for("the evil peer", || (first.peers() == 2).then_some(()));
    tampered.announce();
    let bans = wait_for("the ban", || std::fs::read_to_string(first.folder().join("banlist.json")).ok());
    assert!(bans.contains(&tampered.peer) && bans.contains("mutated block"), "{bans}");
    // The header is not condemned, and nobody was shown the body.
    let good = evil_peer(Blocks::Good);
    first.call("addnode", json!([good.address, "add"]));
    for node in [&first, &second] {
        wait_for("the last block", || node.is_at(last.block_hash()).then_some(()));
    }
    assert!(!second.folder().join("banlist.json").exists(), "it was told nothing wrong");
}
