//! Two sides go on by themselves and become one again.

use std::time::Duration;

use serde_json::json;

use crate::harness::test_cluster::TestCluster;

#[test]
fn two_sides_become_one_and_no_payment_is_lost() {
    let cluster = TestCluster::mesh(5);
    cluster[0].mine(110);
    cluster.wait_for_tip_of(0);

    let small = [0, 1];
    cluster.partition(&small);
    let [mined, pooled] = [1, 2].map(|height| {
        let txid = cluster[0].spend_coinbase(height);
        cluster[1].wait_for_transaction(&txid);
        if height == 1 {
            cluster[1].mine(2);
            cluster[0].wait_for_tip_of(&cluster[1]);
        }
        txid
    });
    let elsewhere = cluster[3].spend_coinbase(3);
    cluster[4].wait_for_transaction(&elsewhere);
    cluster[4].mine(3);
    for node in &cluster.nodes()[2..] {
        node.wait_for_tip_of(&cluster[4]);
        assert!(!node.has_pooled(&mined) && !node.has_pooled(&pooled), "nothing came across");
    }
    assert_eq!((cluster[0].height(), cluster[4].height()), (112, 113));

    let healed = cluster.heal(&small);
    println!("one tip {} ms after the links were mended", healed.as_millis());
    assert!(healed < Duration::from_secs(10), "{healed:?}");
    assert_eq!(cluster[0].height(), 113);
    // What only the shorter branch had is in the pools of those who left it, and is mined.
    for node in &cluster.nodes()[..2] {
        node.wait_for_transaction(&mined);
        node.wait_for_transaction(&pooled);
    }
    cluster[0].mine(1);
    cluster.wait_for_tip_of(0);
    for txid in [&mined, &pooled, &elsewhere] {
        assert!(cluster[4].call("gettxout", json!([txid, 0]))["confirmations"].as_u64() >= Some(1), "{txid}");
    }
    cluster.coins_hash();
}
