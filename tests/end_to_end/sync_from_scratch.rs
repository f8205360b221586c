//! An empty node gets the chain and the same coins.

use crate::harness::node_process::{Datadir, HEIGHT};
use crate::harness::test_cluster::TestCluster;

#[test]
fn an_empty_node_gets_the_chain_while_others_mine() {
    let mut cluster = TestCluster::mesh(2);
    // Blocks with transactions come with one that has them already.
    assert_eq!(cluster.join(Datadir::with_chain()).height(), u64::from(HEIGHT));
    cluster.wait_for_tip_of(2);
    cluster[0].mine(300);
    cluster.wait_for_tip_of(0);

    cluster.join(Datadir::new());
    cluster[1].mine(5);
    cluster.wait_for_tip_of(1);
    assert_eq!(cluster[3].height(), u64::from(HEIGHT) + 305);
    cluster.coins_hash();
    cluster[3].wait_for_peers(3);
    // And takes part from then on.
    cluster[3].mine(1);
    cluster.wait_for_tip_of(3);
}
