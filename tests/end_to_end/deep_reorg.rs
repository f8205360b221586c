//! A branch of hundreds of blocks gives way.

use serde_json::{Value, json};

use crate::harness::test_cluster::TestCluster;

/// Blocks of the branch that gives way, and of the other one.
const SHORT: u32 = 150;
const LONG: u32 = 200;
/// Blocks that both have.
const COMMON: u32 = 110;

#[test]
fn a_hundred_and_fifty_blocks_give_way_to_more() {
    let cluster = TestCluster::mesh(3);
    cluster[0].mine(COMMON);
    cluster.wait_for_tip_of(0);
    let left = [0];
    cluster.partition(&left);

    // One spends what both have, one what only this branch has.
    let lasting = cluster[0].spend_coinbase(5);
    cluster[0].mine(SHORT);
    let height = u64::from(COMMON) + 1;
    let passing = cluster[0].spend_coinbase(height);
    cluster[0].mine(1);
    let old_tip = cluster[0].tip();
    cluster[1].mine(LONG);
    cluster[2].wait_for_tip_of(&cluster[1]);

    let healed = cluster.heal(&left);
    println!("{} blocks gave way to {LONG} within {} ms", SHORT + 1, healed.as_millis());
    assert_eq!(cluster[0].height(), u64::from(COMMON + LONG));
    cluster.coins_hash();
    cluster[0].wait_for_transaction(&lasting);
    assert!(!cluster[0].has_pooled(&passing), "what it spends is no more");

    let tips = cluster[0].call("getchaintips", json!([]));
    let old = tips.as_array().unwrap().iter().find(|tip| tip["hash"] == old_tip).unwrap();
    assert_eq!((&old["status"], &old["branchlen"]), (&json!("valid-fork"), &json!(SHORT + 1)));
    let metrics = cluster[0].node.get("/metrics");
    assert!(metrics.contains("\ncairn_reorgs_total 1\n"), "{metrics}");
    assert!(metrics.contains(&format!("\ncairn_reorg_depth_blocks_sum {}\n", SHORT + 1)), "{metrics}");

    cluster[0].mine(1);
    cluster.wait_for_tip_of(0);
    assert_eq!(cluster[2].call("gettxout", json!([lasting, 0]))["confirmations"], 1);
    assert_eq!(cluster[2].call("gettxout", json!([passing, 0])), Value::Null);
}
