//! A node with fifty peers and nothing to do.

use std::thread;
use std::time::{Duration, Instant};

use bitcoin::Target;
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_net::{Keypair, Network, NetworkConfig, NetworkNames};

use crate::Result;
use crate::node::Node;

const PEERS: u32 = 50;
/// How long it is watched.
const TIME: Duration = Duration::from_secs(20);

/// Processor time and memory of a node with fifty peers.
pub(crate) fn measure() -> Result<()> {
    let mut node = Node::start(&["--kademlia=false"])?;
    let alone = usage(&node)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let params = ChainParams::regtest(RegtestOptions::default());
    let mut peers = Vec::new();
    for _ in 0..PEERS {
        let names = NetworkNames::new(&params.name, &params.spec_hash());
        let target = Target::MAX_ATTAINABLE_REGTEST;
        let mut config = NetworkConfig::new(names, params.spec_hash(), target, true);
        config.peers = vec![node.address().parse()?];
        let network = runtime.block_on(Network::start(config, Keypair::generate_ed25519()))?;
        runtime.spawn(network.service.run(std::future::pending()));
        peers.push((network.handle, network.events));
    }
    node.wait_for_peers(u64::from(PEERS))?;
    // The mesh settles.
    thread::sleep(Duration::from_secs(5));
    let with_peers = usage(&node)?;
    let memory = node.memory()?;
    println!("an idle node, over {} s", TIME.as_secs());
    println!("  {:40} {:8.2} % of a core", "alone", alone * 100.0);
    println!("  {:40} {:8.2} % of a core", format!("with {PEERS} peers"), with_peers * 100.0);
    println!("  {:40} {:8.1} MB", "memory", f64::from(u32::try_from(memory / 1000)?) / 1e3);
    Ok(())
}

/// Share of a core that the node uses.
fn usage(node: &Node) -> Result<f64> {
    let (start, before) = (Instant::now(), node.processor_time()?);
    thread::sleep(TIME);
    Ok((node.processor_time()? - before).as_secs_f64() / start.elapsed().as_secs_f64())
}
