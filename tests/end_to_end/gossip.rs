//! Blocks and transactions of any node reach all, over several others.

use crate::harness::test_cluster::TestCluster;

#[test]
fn what_any_node_mines_or_is_sent_reaches_all_others() {
    let cluster = TestCluster::line(5);
    cluster[0].mine(105);
    cluster.wait_for_tip_of(0);
    for miner in 0..5 {
        cluster[miner].mine(1);
        cluster.wait_for_tip_of(miner);
    }
    let sent: Vec<_> = (1..).zip(cluster.nodes()).map(|(height, node)| node.spend_coinbase(height)).collect();
    for txid in &sent {
        cluster.wait_for_transaction(txid);
    }
    // Whoever mines puts all of them into one block.
    cluster[2].mine(1);
    cluster.wait_for_tip_of(2);
    assert_eq!(cluster[4].block(111).txdata.len(), 1 + sent.len());
    for node in cluster.nodes() {
        assert!(sent.iter().all(|txid| !node.has_pooled(txid)));
    }
    cluster.coins_hash();
}
