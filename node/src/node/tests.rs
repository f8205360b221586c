use std::io;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::consensus::serialize;
use cairn_chain::chainstate::{Acceptance, Chainstate, ChainstateOptions};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

fn config(directory: &TempDir) -> Config {
    Config::of(&[
        "--network=regtest",
        "--threads=1",
        "--cache=8",
        "--rpc-port=0",
        "--metrics-listen=127.0.0.1:0",
        &format!("--datadir={}", directory.path().display()),
    ])
}

async fn start(directory: &TempDir) -> Node {
    Node::start(config(directory), CancellationToken::new()).await.unwrap()
}

async fn clumsy() -> Result<(), io::Error> {
    panic!("dropped it")
}

/// What a node ends with that stops by itself.
async fn ended(mut node: Node) -> (String, Result<(), NodeError>) {
    let ended = timeout(Duration::from_secs(10), node.wait()).await.unwrap();
    (ended.unwrap_err().to_string(), node.stop().await)
}

fn height_on_disk(directory: &TempDir) -> u32 {
    let params = ChainParams::select("regtest", RegtestOptions::default()).unwrap();
    let options = ChainstateOptions { threads: 1, ..ChainstateOptions::default() };
    Chainstate::open(&directory.path().join("regtest"), params, options).unwrap().tip().height
}

fn blocks(count: u32, seed: u64) -> Vec<Arc<Block>> {
    let options = ChainOptions { blocks: count, transactions_per_block: 0, coins: 0, seed };
    ChainGenerator::new(options)
        .map(|generated| Arc::new(Block::decode(serialize(&generated.block)).unwrap()))
        .collect()
}

async fn submit(node: &Node, blocks: Vec<Arc<Block>>) {
    for block in blocks {
        let outcome = node.context.chain.call(|chain| chain.chainstate.process_new_block(block, true)).await.unwrap();
        assert_eq!(outcome.unwrap().unwrap(), Acceptance::New);
    }
}

/// What `GET path` answers: the status line, and everything.
async fn get(node: &Node, path: &str) -> (String, String) {
    let endpoints = Endpoints::read(&node.context.directory).unwrap().unwrap();
    let url = format!("GET {path} HTTP/1.0\r\n\r\n");
    let address = endpoints.metrics[0];
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(url.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    (answer.lines().next().unwrap().to_owned(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_on_disk_when_the_node_has_stopped() {
    let directory = TempDir::new().unwrap();
    let node = start(&directory).await;
    submit(&node, blocks(3, 1)).await;
    node.context.shutdown.cancel();
    let mut node = node;
    node.wait().await.unwrap();
    node.stop().await.unwrap();
    assert_eq!(height_on_disk(&directory), 3);
    assert!(Endpoints::read(&directory.path().join("regtest")).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_fails_stops_the_node_which_still_writes_everything() {
    let directory = TempDir::new().unwrap();
    let mut node = start(&directory).await;
    submit(&node, blocks(2, 1)).await;
    node.tasks.spawn("unlucky", async { Err(io::Error::other("no luck")) });
    let (message, stopped) = ended(node).await;
    assert_eq!(message, "task unlucky: no luck");
    stopped.unwrap();
    assert_eq!(height_on_disk(&directory), 2);

    let mut node = start(&directory).await;
    node.tasks.spawn("clumsy", clumsy());
    let (message, _) = ended(node).await;
    assert_eq!(message, "task clumsy panicked: dropped it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_chain_thread_is_the_end_of_the_node() {
    let directory = TempDir::new().unwrap();
    let node = start(&directory).await;
    let _ = node.context.chain.call(|_| panic!("of fright")).await;
    assert_eq!(ended(node).await.0, "the chain thread panicked: of fright");

    let node = start(&directory).await;
    node.context.chain.stop().await;
    let (message, stopped) = ended(node).await;
    assert_eq!(message, "the chain thread ended by itself");
    stopped.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_stopped_while_it_starts_stops_in_order() {
    let directory = TempDir::new().unwrap();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    run(config(&directory), shutdown).await.unwrap();
    assert_eq!(height_on_disk(&directory), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_follow_the_chain() {
    let directory = TempDir::new().unwrap();
    let node = start(&directory).await;
    submit(&node, blocks(5, 1)).await;
    let third = blocks(5, 1)[2].hash();
    let invalidated = node.context.chain.call(move |chain| chain.chainstate.invalidate_block(&third)).await.unwrap();
    invalidated.unwrap();
    submit(&node, blocks(4, 2)).await;
    // Events are counted by a task of their own.
    let expected = [
        "cairn_chain_height{kind=\"blocks\"} 4",
        "cairn_chain_height{kind=\"headers\"} 4",
        "cairn_blocks_connected_total 9",
        "cairn_blocks_disconnected_total 5",
        "cairn_reorgs_total 2",
        "cairn_reorg_depth_blocks_bucket{le=\"2\"} 1",
        "cairn_reorg_depth_blocks_bucket{le=\"3\"} 2",
        "cairn_reorg_depth_blocks_sum 5",
        "cairn_initial_block_download 1",
    ];
    let mut text = String::new();
    for _ in 0..50 {
        text = get(&node, "/metrics").await.1;
        if expected.iter().all(|line| text.contains(&format!("\n{line}\n"))) {
            node.stop().await.unwrap();
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_what_the_node_does() {
    let directory = TempDir::new().unwrap();
    let node = start(&directory).await;
    for path in ["/healthy", "/ready"] {
        assert_eq!(get(&node, path).await.0, "HTTP/1.0 200 OK");
    }
    for (phase, reason) in [(Phase::WarmUp("thinking"), "warming up: thinking"), (Phase::Stopping, "stopping")] {
        node.phase.send_replace(phase);
        let (status, answer) = get(&node, "/ready").await;
        assert_eq!(status, "HTTP/1.0 503 Service Unavailable");
        assert!(answer.ends_with(&format!("{{\"ok\":false,\"reasons\":[\"{reason}\"]}}\n")), "{answer}");
        assert_eq!(get(&node, "/healthy").await.0, "HTTP/1.0 200 OK");
    }
    node.phase.send_replace(Phase::Running(Arc::clone(&node.context)));
    let (wake, sleep) = std::sync::mpsc::sync_channel::<()>(0);
    let chain = node.context.chain.clone();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let busy = tokio::spawn(async move {
        let sleep = move |_: &mut crate::chain_service::Chain| {
            begin.send(()).unwrap();
            sleep.recv().is_err()
        };
        chain.call(sleep).await
    });
    begun.await.unwrap();
    let (status, answer) = get(&node, "/healthy").await;
    assert_eq!(status, "HTTP/1.0 503 Service Unavailable");
    assert!(answer.contains("the chain thread did not answer within 5 seconds"), "{answer}");
    // Metrics show what was known last instead of nothing.
    assert_eq!(get(&node, "/metrics").await.0, "HTTP/1.0 200 OK");
    drop(wake);
    assert!(busy.await.unwrap().unwrap());
    assert_eq!(get(&node, "/healthy").await.0, "HTTP/1.0 200 OK");
    node.stop().await.unwrap();
}
