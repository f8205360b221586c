use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::consensus::serialize;
use cairn_chain::chainstate::ChainstateOptions;
use cairn_chain::mempool::{Mempool, MempoolOptions};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Block;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::chain_service::{Chain, ChainService};

const PATIENCE: Duration = Duration::from_secs(60);

fn blocks(count: u32, transactions_per_block: usize, seed: u64) -> Vec<Arc<Block>> {
    let options = ChainOptions { blocks: count, transactions_per_block, coins: 200, seed };
    ChainGenerator::new(options)
        .map(|generated| Arc::new(Block::decode(serialize(&generated.block)).unwrap()))
        .collect()
}

/// A chain without a node.
struct TestChain {
    chain: ChainHandle,
    directory: TempDir,
}

impl TestChain {
    async fn new(blocks: &[Arc<Block>]) -> Self {
        let directory = TempDir::new().unwrap();
        let params = ChainParams::select("regtest", RegtestOptions::default()).unwrap();
        let options = ChainstateOptions { threads: 1, ..ChainstateOptions::default() };
        let chainstate = Chainstate::open(&directory.path().join("regtest"), params, options).unwrap();
        let chain = Chain::new(chainstate, Mempool::new(MempoolOptions::default()));
        let (_, chain) = ChainService::start(chain).unwrap();
        let test = Self { chain, directory };
        test.submit(blocks).await;
        test
    }

    async fn submit(&self, blocks: &[Arc<Block>]) {
        for block in blocks {
            let block = Arc::clone(block);
            self.chain.call(|chain| chain.process_new_block(block, true)).await.unwrap().unwrap().unwrap();
        }
    }

    fn open(&self) -> (TxIndex, TxIndexer) {
        TxIndex::open(self.directory.path()).unwrap()
    }

    fn run(&self) -> RunningIndex<'_> {
        let (index, indexer) = self.open();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(indexer.run(self.chain.clone(), shutdown.clone()));
        RunningIndex { test: self, index, shutdown, task }
    }

    fn files(&self) -> PathBuf {
        self.directory.path().join("indexes").join("txindex")
    }
}

struct RunningIndex<'a> {
    test: &'a TestChain,
    index: TxIndex,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), std::convert::Infallible>>,
}

impl RunningIndex<'_> {
    async fn wait_for(&self, what: impl FnMut(&TxIndexStatus) -> bool) -> TxIndexStatus {
        let mut status = self.index.status.clone();
        timeout(PATIENCE, status.wait_for(what)).await.unwrap().unwrap().clone()
    }

    async fn caught_up(&self) -> TxIndexStatus {
        let tip = self.test.chain.tip();
        self.wait_for(|status| status.is_synced && status.best_block == Some(tip)).await
    }

    async fn stop(self) -> TxIndexStatus {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
        self.index.status()
    }

    async fn find(&self, txid: Txid) -> Option<IndexedTransaction> {
        self.index.find(&self.test.chain, txid).await.unwrap()
    }

    /// All transactions of these blocks are found where they are.
    async fn knows(&self, blocks: &[Arc<Block>]) {
        for block in blocks {
            for tx in block.transactions() {
                let found = self.find(tx.txid()).await.unwrap();
                assert_eq!((found.block.reference.hash, found.offset), (block.hash(), tx.offset()));
                assert_eq!(found.transaction.as_ref().bytes(), tx.bytes());
            }
        }
    }

    async fn knows_nothing_of(&self, blocks: &[Arc<Block>]) {
        for block in blocks {
            for tx in block.transactions() {
                assert!(self.find(tx.txid()).await.is_none());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_catches_up_follows_and_goes_on_after_a_restart() {
    let blocks = blocks(160, 5, 1);
    let test = TestChain::new(&blocks[..130]).await;
    let index = test.run();
    index.caught_up().await;
    index.knows(&blocks[..130]).await;
    for block in &blocks[130..150] {
        test.submit(std::slice::from_ref(block)).await;
        assert!(index.index.wait_until_synced(&test.chain).await);
        index.knows(std::slice::from_ref(block)).await;
    }
    index.knows_nothing_of(&blocks[150..]).await;
    let status = index.stop().await;
    assert_eq!(status, TxIndexStatus { best_block: Some(test.chain.tip()), is_synced: true, failure: None });

    test.submit(&blocks[150..]).await;
    assert_eq!(test.open().0.status().best_block, status.best_block);
    let index = test.run();
    index.caught_up().await;
    index.knows(&blocks).await;
    // Genesis is no ordinary block.
    let genesis = test.chain.call(|chain| chain.chainstate.params().genesis.header.merkle_root).await.unwrap();
    assert!(index.find(Txid::from_raw_hash(genesis.to_raw_hash())).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_reorganisations() {
    let (first, second) = (blocks(8, 0, 1), blocks(9, 0, 2));
    let test = TestChain::new(&first).await;
    let index = test.run();
    index.caught_up().await;
    index.knows(&first).await;
    test.submit(&second).await;
    assert!(index.index.wait_until_synced(&test.chain).await);
    index.knows(&second).await;
    index.knows_nothing_of(&first).await;
    // Down, with nothing to index.
    let hash = second[5].hash();
    test.chain.call(move |chain| chain.chainstate.invalidate_block(&hash)).await.unwrap().unwrap();
    index.caught_up().await;
    // Back to the chain before, while nobody looks.
    index.stop().await;
    let hash = second[0].hash();
    test.chain.call(move |chain| chain.chainstate.invalidate_block(&hash)).await.unwrap().unwrap();
    let index = test.run();
    assert_eq!(index.caught_up().await.best_block.unwrap().height, 8);
    index.knows(&first).await;
    index.knows_nothing_of(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_caught_up_does_not_keep_anybody_waiting() {
    let test = TestChain::new(&blocks(3, 0, 1)).await;
    let (index, indexer) = test.open();
    assert!(!index.wait_until_synced(&test.chain).await);
    assert_eq!(index.status(), TxIndexStatus::default());
    drop(indexer);
    assert!(!index.wait_until_synced(&test.chain).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_chain_thread_is_its_end() {
    let test = TestChain::new(&blocks(3, 0, 1)).await;
    let index = test.run();
    index.caught_up().await;
    test.chain.stop().await;
    timeout(PATIENCE, index.task).await.unwrap().unwrap().unwrap();
    assert_eq!(index.index.status().failure, None);
    assert_eq!(test.open().0.status().best_block.unwrap().height, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_chain_says_so() {
    let test = TestChain::new(&blocks(3, 0, 1)).await;
    let index = test.run();
    index.caught_up().await;
    index.stop().await;
    let other = TestChain::new(&[]).await;
    let params = ChainParams::select("main", RegtestOptions::default()).unwrap();
    let chainstate =
        Chainstate::open(&other.directory.path().join("main"), params, ChainstateOptions::default()).unwrap();
    let chain = Chain::new(chainstate, Mempool::new(MempoolOptions::default()));
    let (_, chain) = ChainService::start(chain).unwrap();
    let (index, indexer) = test.open();
    indexer.run(chain.clone(), CancellationToken::new()).await.unwrap();
    let status = index.status();
    assert!(!status.is_synced);
    assert_eq!(status.failure.unwrap(), "it is of another chain; delete its directory to build it anew");
    assert!(!index.wait_until_synced(&chain).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_cannot_be_read_ends_it() {
    let blocks = blocks(5, 0, 1);
    let test = TestChain::new(&blocks).await;
    for entry in fs::read_dir(test.directory.path().join("regtest").join("blocks")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "dat") {
            fs::File::options().write(true).open(path).unwrap().set_len(600).unwrap();
        }
    }
    let index = test.run();
    let failure = index.wait_for(|status| status.failure.is_some()).await.failure.unwrap();
    assert!(failure.starts_with("cannot read block ") && failure.contains("needs all blocks"), "{failure}");
    assert!(!index.index.wait_until_synced(&test.chain).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_run_fails_those_who_look() {
    let blocks = blocks(5, 0, 1);
    let test = TestChain::new(&blocks).await;
    let index = test.run();
    index.caught_up().await;
    index.stop().await;
    let run = test.files().join("00000000.run");
    let mut bytes = fs::read(&run).unwrap();
    bytes[20] ^= 1;
    fs::write(&run, bytes).unwrap();
    let index = test.run();
    index.caught_up().await;
    let txid = blocks[2].transaction(0).unwrap().txid();
    let error = index.index.find(&test.chain, txid).await.unwrap_err().to_string();
    assert!(error.contains("00000000.run is damaged: expected checksum "), "{error}");
    index.stop().await;
    fs::write(test.files().join("manifest.toml"), "schema = 1").unwrap();
    let error = TxIndex::open(test.directory.path()).unwrap_err().to_string();
    assert!(error.ends_with(&format!("delete {} to build the index anew", test.files().display())), "{error}");
}
