//! Copies of each transaction per node, beside flooding the same graph.

use std::thread;
use std::time::{Duration, Instant};

use bitcoin::Target;
use cairn_net::{Acceptance, Keypair, Network, NetworkConfig, NetworkHandle, NetworkNames, PublishError};
use cairn_tests::random::Random;
use tokio::runtime::Runtime;

use crate::Result;
use crate::node::wait_for;

/// Nodes, and how many others each dials.
const NODES: usize = 30;
const DIALS: usize = 5;
/// Transactions that are sent, and their size in bytes.
const TRANSACTIONS: usize = 200;
const SIZE: usize = 400;
/// Time between two of them.
const SPACING: Duration = Duration::from_millis(20);

/// Networks without chains, in one process, that take everything.
struct Graph {
    runtime: Runtime,
    nodes: Vec<NetworkHandle>,
    edges: usize,
}

/// Sends transactions through a graph, and counts what came.
pub(crate) fn measure() -> Result<()> {
    let graph = Graph::start()?;
    // The mesh settles.
    thread::sleep(Duration::from_secs(5));
    let quiet = graph.received_in(Duration::from_secs(5));
    let before = graph.received();
    let start = Instant::now();
    for number in 0..TRANSACTIONS {
        let bytes: Vec<u8> = u32::try_from(number)?.to_le_bytes().into_iter().cycle().take(SIZE).collect();
        let publisher = &graph.nodes[number % NODES];
        match graph.runtime.block_on(publisher.publish_transaction(bytes)) {
            Ok(()) | Err(PublishError::AlreadyPublished) => {}
            Err(error) => return Err(error.into()),
        }
        thread::sleep(SPACING);
    }
    let expected = u64::try_from(TRANSACTIONS * (NODES - 1))?;
    wait_for("all transactions everywhere", || {
        let came: u64 = graph.nodes.iter().map(|node| node.counters().transactions_received.get()).sum();
        (came >= expected).then_some(())
    })?;
    let bytes = graph.received() - before;
    let own = bytes as f64 - quiet * start.elapsed().as_secs_f64();
    let of_each = own / (TRANSACTIONS * NODES) as f64;
    // A copy goes over each line but the one it came by; of the sender over all of its own.
    let flooding = (2 * graph.edges - (NODES - 1)) as f64 / NODES as f64;
    println!("{TRANSACTIONS} transactions of {SIZE} bytes over {NODES} nodes and {} lines", graph.edges);
    println!("  {:40} {of_each:8.0}", "bytes per transaction and node");
    println!("  {:40} {:8.2}", "copies per node, at most", of_each / SIZE as f64);
    println!("  {:40} {flooding:8.2}", "copies per node when flooding");
    Ok(())
}

impl Graph {
    fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mut random = Random::new(5);
        let mut nodes: Vec<NetworkHandle> = Vec::new();
        let mut edges = 0;
        for number in 0..NODES {
            let names = NetworkNames::new("bench", &[5; 32]);
            let mut config = NetworkConfig::new(names, [5; 32], Target::MAX_ATTAINABLE_REGTEST, true);
            config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse()?];
            let mut others: Vec<usize> = (0..number).collect();
            while config.peers.len() < DIALS && !others.is_empty() {
                let other = others.swap_remove(random.below(others.len()));
                config.peers.push(nodes[other].listen_addresses()[0].clone());
                edges += 1;
            }
            let Network { service, handle, mut events } =
                runtime.block_on(Network::start(config, Keypair::generate_ed25519()))?;
            runtime.spawn(service.run(std::future::pending()));
            let reporter = handle.clone();
            runtime.spawn(async move {
                while let Some(transaction) = events.transactions.recv().await {
                    let _ = reporter.report(transaction.token, Acceptance::Accept).await;
                }
            });
            nodes.push(handle);
        }
        wait_for("all lines", || {
            let connected: usize = nodes.iter().map(|node| node.connected_peers().len()).sum();
            (connected == 2 * edges).then_some(())
        })?;
        Ok(Self { runtime, nodes, edges })
    }

    /// Bytes that all nodes received so far.
    fn received(&self) -> u64 {
        self.nodes.iter().map(|node| node.traffic().received).sum()
    }

    /// Bytes a second that all nodes receive when nothing is sent.
    fn received_in(&self, time: Duration) -> f64 {
        let before = self.received();
        thread::sleep(time);
        (self.received() - before) as f64 / time.as_secs_f64()
    }
}
