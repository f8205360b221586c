//! Sixteen nodes on one machine, and what an idle one takes.

use crate::harness::node_process::{resident_memory, wait_for};
use crate::running::Place;

/// Bytes of memory that an idle node may take.
const MEMORY: u64 = 80_000_000;

#[test]
fn sixteen_nodes_agree_and_are_small() {
    let place = Place::new();
    let mut devnet = place.up(&["-n", "16", "--block-time", "off"]);
    let ready = devnet.banner.lines().last().unwrap().to_owned();
    assert_eq!(devnet.ask(&["mine", "3"])["of"], 16);
    wait_for("all sixteen to agree", || (devnet.ask(&["status"])["agree"] == true).then_some(()));
    let each: Vec<u64> = devnet.nodes().iter().map(|node| resident_memory(node["pid"].as_u64().unwrap())).collect();
    let (sum, most) = (each.iter().sum::<u64>(), *each.iter().max().unwrap());
    println!(
        "{ready}; memory of an idle node: {:.1} MB on average, {:.1} MB at most",
        sum as f64 / 16e6,
        most as f64 / 1e6
    );
    assert!(most < MEMORY, "{each:?}");
    devnet.signal("INT");
    assert_eq!(devnet.wait().0, Some(0));
    devnet.wait_until_gone();
}
