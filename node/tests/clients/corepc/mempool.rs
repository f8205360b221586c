//! The mempool, and how it orders.

use std::collections::BTreeSet;
use std::fs;

use bitcoin::hashes::Hash;
use bitcoin::{FeeRate, OutPoint, SignedAmount, Txid};
use corepc_client::types::model::MempoolEntry;

use super::{refusal, scene};
use crate::scene::{CHILD_FEE, PARENT_FEE, Scene, TIP};

fn set(txids: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
    txids.into_iter().collect()
}

#[test]
fn entries() {
    let (scene, client) = scene();
    let (parent, child) = (scene.parent.compute_txid(), scene.child.compute_txid());
    let info = client.get_mempool_info().unwrap();
    assert_eq!(info.total_fee, (PARENT_FEE + CHILD_FEE).to_btc());
    let info = info.into_model().unwrap();
    assert_eq!((info.loaded, info.size), (Some(true), 2));
    assert_eq!(info.bytes as usize, scene.parent.vsize() + scene.child.vsize());
    assert_eq!((info.max_mempool, info.unbroadcast_count), (300_000_000, Some(2)));
    let least = Some(FeeRate::from_sat_per_kwu(25));
    assert_eq!((info.mempool_min_fee, info.min_relay_tx_fee, info.incremental_relay_fee), (least, least, least));
    assert_eq!((info.limit_cluster_count, info.limit_cluster_size), (Some(64), Some(101_000)));
    assert_eq!((info.max_data_carrier_size, info.permit_bare_multisig), (Some(100_000), Some(true)));
    assert_eq!((info.optimal, info.full_rbf), (Some(true), Some(true)));

    assert_eq!(set(client.get_raw_mempool().unwrap().into_model().unwrap().0), set([parent, child]));
    let sequence = client.get_raw_mempool_sequence().unwrap().into_model().unwrap();
    assert_eq!(set(sequence.txids), set([parent, child]));
    assert!(sequence.mempool_sequence > 2);
    let entries = client.get_raw_mempool_verbose().unwrap().into_model().unwrap().0;
    assert_eq!(set(entries.keys().copied()), set([parent, child]));
    for txid in [parent, child] {
        assert_eq!(client.get_mempool_entry(txid).unwrap().into_model().unwrap().0, entries[&txid]);
    }
    check_entries(&scene, &entries[&parent], &entries[&child]);

    assert_eq!(client.get_mempool_ancestors(child).unwrap().into_model().unwrap().0, [parent]);
    assert_eq!(client.get_mempool_ancestors(parent).unwrap().into_model().unwrap().0, []);
    assert_eq!(client.get_mempool_descendants(parent).unwrap().into_model().unwrap().0, [child]);
    let above = client.get_mempool_ancestors_verbose(child).unwrap().into_model().unwrap().0;
    assert_eq!(above.into_iter().collect::<Vec<_>>(), [(parent, entries[&parent].clone())]);
    let below = client.get_mempool_descendants_verbose(parent).unwrap().into_model().unwrap().0;
    assert_eq!(below.into_iter().collect::<Vec<_>>(), [(child, entries[&child].clone())]);
    assert_eq!(refusal(client.get_mempool_entry(Txid::all_zeros())), (-5, "Transaction not in mempool".into()));
}

fn check_entries(scene: &Scene, parent: &MempoolEntry, child: &MempoolEntry) {
    for (entry, transaction) in [(parent, &scene.parent), (child, &scene.child)] {
        assert_eq!(entry.vsize.unwrap() as usize, transaction.vsize());
        assert_eq!(u64::from(entry.weight.unwrap()), transaction.weight().to_wu());
        assert_eq!((entry.wtxid, entry.height as usize), (transaction.compute_wtxid(), TIP));
        assert_eq!((entry.bip125_replaceable, entry.unbroadcast), (Some(true), Some(true)));
        // The child pays more, so that both are mined together.
        assert_eq!(entry.fees.chunk, Some(PARENT_FEE + CHILD_FEE));
        let weight = scene.parent.weight() + scene.child.weight();
        assert_eq!(entry.chunk_weight.map(u64::from), Some(weight.to_wu()));
    }
    let both = parent.vsize.unwrap() + child.vsize.unwrap();
    assert_eq!((parent.ancestor_count, parent.descendant_count, parent.descendant_size), (1, 2, both));
    assert_eq!((child.ancestor_count, child.ancestor_size, child.descendant_count), (2, both, 1));
    assert_eq!((parent.fees.base, parent.fees.descendant), (PARENT_FEE, PARENT_FEE + CHILD_FEE));
    assert_eq!((child.fees.base, child.fees.ancestor), (CHILD_FEE, PARENT_FEE + CHILD_FEE));
    assert_eq!(
        (&parent.spent_by, &child.depends),
        (&vec![scene.child.compute_txid()], &vec![scene.parent.compute_txid()])
    );
}

#[test]
fn clusters() {
    let (scene, client) = scene();
    let (parent, child) = (scene.parent.compute_txid(), scene.child.compute_txid());
    let weight = (scene.parent.weight() + scene.child.weight()).to_wu();
    for txid in [parent, child] {
        let cluster = client.get_mempool_cluster(txid).unwrap().into_model().unwrap();
        assert_eq!((cluster.cluster_weight, cluster.tx_count, cluster.chunks.len()), (weight, 2, 1));
        let chunk = &cluster.chunks[0];
        assert_eq!(
            (chunk.chunk_fee, chunk.chunk_weight, &chunk.txs),
            (PARENT_FEE + CHILD_FEE, weight, &vec![parent, child])
        );
    }
    let diagram = client.get_mempool_feerate_diagram().unwrap().into_model().unwrap().0;
    let points: Vec<_> = diagram.iter().map(|point| (point.weight, point.fee)).collect();
    assert_eq!(points, [(0, bitcoin::Amount::ZERO), (weight, PARENT_FEE + CHILD_FEE)]);
}

#[test]
fn who_spends_what() {
    let (scene, client) = scene();
    let spent = scene.parent.input[0].previous_output;
    let unspent = OutPoint::new(scene.child.compute_txid(), 0);
    let items = client.get_tx_spending_prevout(&[spent, unspent]).unwrap().into_model().unwrap().0;
    assert_eq!((items[0].outpoint, items[0].spending_txid), (spent, Some(scene.parent.compute_txid())));
    assert_eq!((items[1].outpoint, items[1].spending_txid), (unspent, None));
    assert_eq!((&items[0].spending_tx, &items[0].block_hash), (&None, &None));
}

#[test]
fn priorities() {
    let (scene, client) = scene();
    let txid = scene.parent.compute_txid();
    assert!(client.prioritise_transaction(&txid, SignedAmount::from_sat(700)).unwrap());
    let priorities = client.get_prioritised_transactions().unwrap().into_model().unwrap().0;
    assert_eq!(priorities.len(), 1);
    let priority = &priorities[&txid];
    assert_eq!((priority.fee_delta, priority.in_mempool), (SignedAmount::from_sat(700), true));
    let modified = PARENT_FEE + bitcoin::Amount::from_sat(700);
    assert_eq!(priority.modified_fee, Some(modified.to_signed().unwrap()));
    let entry = client.get_mempool_entry(txid).unwrap().into_model().unwrap().0;
    assert_eq!((entry.fees.base, entry.fees.modified), (PARENT_FEE, modified));
    assert!(client.prioritise_transaction(&txid, SignedAmount::from_sat(-700)).unwrap());
    assert!(client.get_prioritised_transactions().unwrap().0.is_empty());
}

#[test]
fn a_mempool_on_disk() {
    let (scene, client) = scene();
    let saved = client.save_mempool().unwrap().filename;
    let copy = scene.datadir.path().join("copy.dat");
    fs::copy(saved, &copy).unwrap();
    // What is mined is gone from the mempool, and comes back from the file when the block goes.
    let hash = client.generate_to_address(1, &scene.purse.address()).unwrap().into_model().unwrap().0[0];
    assert!(client.get_raw_mempool().unwrap().0.is_empty());
    client.import_mempool(copy.to_str().unwrap()).unwrap();
    assert!(client.get_raw_mempool().unwrap().0.is_empty(), "a block has them");
    client.invalidate_block(hash).unwrap();
    assert_eq!(client.get_raw_mempool().unwrap().0.len(), 2);
    assert_eq!(refusal(client.import_mempool("/nonexistent/mempool.dat")).0, -1);
}
