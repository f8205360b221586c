//! Whoever sends bad blocks is banned.

use serde_json::json;

use crate::harness::evil_peer::{Blocks, EvilPeer};
use crate::harness::node_process::{HEIGHT, chain, wait_for};
use crate::harness::test_cluster::TestCluster;

#[test]
fn a_liar_is_banned_by_whoever_meets_it_and_harms_nobody() {
    let cluster = TestCluster::mesh(3);
    // Its chain is longer and its headers are good, its blocks are not.
    cluster[0].mine(3);
    cluster.wait_for_tip_of(0);
    let liar = EvilPeer::start(Blocks::Corrupt, &chain().block_file());
    for node in &cluster.nodes()[..2] {
        node.call("addnode", json!([liar.address, "add"]));
        wait_for("the ban", || {
            let bans = std::fs::read_to_string(node.folder().join("banlist.json")).ok()?;
            (bans.contains(&liar.peer) && bans.contains("mutated block")).then_some(())
        });
    }
    assert!(liar.asked() >= 2);
    for node in cluster.nodes() {
        assert_eq!(node.height(), 3, "{HEIGHT} blocks were offered, and none is good");
        node.wait_for_peers(2);
    }
    cluster[1].mine(1);
    cluster.wait_for_tip_of(1);
    // Nobody is banned for what the liar said.
    let bans = std::fs::read_to_string(cluster[0].folder().join("banlist.json")).unwrap();
    for node in cluster.nodes() {
        assert!(!bans.contains(&node.peer_id()), "{bans}");
    }
}
