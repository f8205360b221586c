use std::sync::Arc;
use std::time::Duration;

use bitcoin::consensus::serialize;
use cairn_chain::chainstate::{Acceptance, Chainstate, ChainstateOptions};
use cairn_chain::mempool::{Mempool, MempoolOptions};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use tempfile::TempDir;

use super::*;

fn open(directory: &TempDir) -> Chain {
    let params = ChainParams::select("regtest", RegtestOptions::default()).unwrap();
    let options = ChainstateOptions { threads: 1, ..ChainstateOptions::default() };
    let chainstate = Chainstate::open(&directory.path().join("regtest"), params, options).unwrap();
    Chain::new(chainstate, Mempool::new(MempoolOptions::default()))
}

fn blocks(count: u32) -> Vec<Arc<Block>> {
    let options = ChainOptions { blocks: count, transactions_per_block: 0, coins: 0, seed: 1 };
    ChainGenerator::new(options)
        .map(|generated| Arc::new(Block::decode(serialize(&generated.block)).unwrap()))
        .collect()
}

#[tokio::test]
async fn a_block_moves_the_tip_for_everybody_and_outlives_the_thread() {
    let directory = TempDir::new().unwrap();
    let (service, handle) = ChainService::start(open(&directory)).unwrap();
    let mut tip = handle.watch_tip();
    let mut events = handle.subscribe();
    for block in blocks(3) {
        let hash = block.hash();
        let outcome = handle.call(|chain| chain.process_new_block(block, true)).await.unwrap();
        assert_eq!(outcome.unwrap().unwrap(), Acceptance::New);
        tokio::time::timeout(Duration::from_secs(10), tip.changed()).await.unwrap().unwrap();
        assert_eq!(tip.borrow_and_update().hash, hash);
        let event = events.recv().await.unwrap();
        assert!(matches!(&*event, ChainEvent::TipChanged { connected, .. } if connected[0].hash == hash));
    }
    assert_eq!(handle.tip().height, 3);

    handle.stop().await;
    service.join().unwrap();
    assert_eq!(handle.call(|chain| chain.chainstate.tip()).await, Err(ChainStopped));
    assert_eq!(open(&directory).chainstate.tip().height, 3);
}

#[tokio::test]
async fn the_thread_ends_when_nobody_holds_a_handle() {
    let directory = TempDir::new().unwrap();
    let (service, handle) = ChainService::start(open(&directory)).unwrap();
    drop(handle);
    tokio::task::spawn_blocking(|| service.join()).await.unwrap().unwrap();
}
