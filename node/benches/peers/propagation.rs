//! A block over eight nodes.

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Result;
use crate::node::Node;

/// Nodes, each of which knows the one before it: a block has to go the whole way.
const NODES: usize = 8;
/// Blocks that are mined.
const BLOCKS: usize = 40;

/// Mines blocks at one end of a line of nodes, and measures when each node has them as its tip.
pub(crate) fn measure() -> Result<()> {
    let mut nodes: Vec<Node> = Vec::new();
    for _ in 0..NODES {
        let previous = nodes.last().map(Node::address);
        let mut args = vec!["--kademlia=false"];
        args.extend(previous.iter().flat_map(|address| ["--peer", address]));
        nodes.push(Node::start(&args)?);
    }
    for (number, node) in nodes.iter_mut().enumerate() {
        node.wait_for_peers(if number == 0 || number == NODES - 1 { 1 } else { 2 })?;
    }
    let tip = nodes[0].mine(1)?;
    nodes[NODES - 1].wait_for_tip(&tip)?;

    let mut times = Vec::new();
    for _ in 0..BLOCKS {
        let (first, others) = nodes.split_first_mut().ok_or("no nodes")?;
        let height = first.call("getblockcount", &json!([]))?.as_u64().ok_or("no height")? + 1;
        let (sender, seen) = sync_channel(NODES);
        thread::scope(|scope| {
            for node in others {
                let sender = sender.clone();
                scope.spawn(move || {
                    // Answers as soon as the node has the block.
                    let answer = node.call("waitforblockheight", &json!([height, 30_000]));
                    let _ = sender.send((Instant::now(), answer.is_ok_and(|tip| tip["height"] == height)));
                });
            }
            // So that all wait when the block is mined.
            thread::sleep(Duration::from_millis(100));
            let mined = first.mine(1).map(|_| Instant::now());
            let mined = mined.map_err(|error| error.to_string())?;
            drop(sender);
            for (at, is_there) in &seen {
                if !is_there {
                    return Err("a block did not come".to_owned());
                }
                times.push(at.saturating_duration_since(mined));
            }
            Ok::<(), String>(())
        })?;
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!("{BLOCKS} blocks along a line of {NODES} nodes, {} arrivals after they were mined", times.len());
    println!("  p50 {:6.1} ms   p95 {:6.1} ms   at the far end at most {:6.1} ms", at(50), at(95), at(100));
    Ok(())
}
