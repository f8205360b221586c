//! Nodes are killed while payments arrive.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use bitcoin::consensus::encode::serialize_hex;
use serde_json::{Value, json};

use crate::harness::anyone::{ADDRESS, spend};
use crate::harness::node_process::wait_for;
use crate::harness::rpc::Rpc;
use crate::harness::test_cluster::TestCluster;

/// Payments that are ready, each from a coinbase of its own.
const PAYMENTS: u32 = 400;
/// Payments after which a block is mined.
const PER_BLOCK: usize = 10;
/// How often a node is killed.
const KILLS: usize = 6;
/// Payments and blocks that arrive while it is away.
const MISSED: usize = 20;

/// Sends payments and mines until it is told to stop or none is left; what was acknowledged.
fn send(rpc: &Rpc, payments: &[String], count: &AtomicUsize, stop: &AtomicBool) -> Vec<Value> {
    let mut acknowledged = Vec::new();
    for payment in payments {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        acknowledged.push(rpc.call("sendrawtransaction", &json!([payment])));
        if count.fetch_add(1, Ordering::Relaxed).is_multiple_of(PER_BLOCK) {
            rpc.call("generatetoaddress", &json!([1, ADDRESS]));
        }
    }
    acknowledged
}

#[test]
fn nodes_that_are_killed_under_load_come_back_to_the_same_coins() {
    let mut cluster = TestCluster::mesh(4);
    cluster[0].mine(PAYMENTS + 100);
    cluster.wait_for_tip_of(0);
    let payment = |height| serialize_hex(&spend(&cluster[0].block(height), 1_000, 1));
    let payments: Vec<String> = (1..=u64::from(PAYMENTS)).map(payment).collect();
    let rpc = cluster[0].rpc.clone();
    let (count, stop) = (AtomicUsize::new(0), AtomicBool::new(false));

    let acknowledged = thread::scope(|scope| {
        let sender = scope.spawn(|| send(&rpc, &payments, &count, &stop));
        for kill in 0..KILLS {
            let killed = cluster.kill(1 + kill % 3);
            let before = count.load(Ordering::Relaxed);
            wait_for("payments while it is away", || {
                let is_over = count.load(Ordering::Relaxed) >= (before + MISSED).min(payments.len());
                is_over.then_some(())
            });
            cluster.restart(killed);
        }
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap()
    });
    assert!(acknowledged.len() >= KILLS * MISSED, "{} payments", acknowledged.len());

    // What waits is mined by one of those that were killed, once it has heard of it; the rest by the one that has all of it.
    for node in cluster.nodes() {
        node.wait_for_tip_of(&cluster[0]);
        node.wait_for_peers(3);
    }
    cluster[3].mine(1);
    cluster[0].wait_for_tip_of(&cluster[3]);
    cluster[0].mine(1);
    cluster.wait_for_tip_of(0);
    for node in cluster.nodes() {
        assert_eq!(node.call("getrawmempool", json!([])), json!([]));
        for txid in &acknowledged {
            assert!(node.call("gettxout", json!([txid, 0]))["confirmations"].as_u64() >= Some(1), "{txid} is lost");
        }
    }
    cluster.coins_hash();
    println!("{} payments, {KILLS} kills", acknowledged.len());
}
