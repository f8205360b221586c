//! Chains for tests.

use std::sync::Arc;

use bitcoin::consensus::serialize;
use cairn_chain::primitives::Block;
use cairn_tests::chain_generator::{ChainGenerator, ChainOptions};
use serde_json::Value;

use crate::rpc::testing::RpcTest;

/// A chain long enough for coinbases to mature, whose last blocks spend.
pub(super) const SPENDING: ChainOptions = ChainOptions { blocks: 106, transactions_per_block: 7, coins: 300, seed: 3 };

/// The blocks of a chain above genesis.
pub(super) fn generate(options: ChainOptions) -> Vec<Arc<Block>> {
    let decode = |bytes: Vec<u8>| Arc::new(Block::decode(bytes).unwrap());
    ChainGenerator::new(options).map(|generated| decode(serialize(&generated.block))).collect()
}

/// Empty blocks of a chain of their own.
pub(super) fn empty_blocks(blocks: u32, seed: u64) -> Vec<Arc<Block>> {
    generate(ChainOptions { blocks, transactions_per_block: 0, coins: 0, seed })
}

/// A node whose chain ends with blocks full of spends.
pub(super) async fn spending_node() -> (RpcTest, Vec<Arc<Block>>) {
    let test = RpcTest::start(0).await;
    let blocks = generate(SPENDING);
    for block in &blocks {
        submit(&test, block).await;
    }
    (test, blocks)
}

/// Gives the node a block that breaks no rule.
pub(super) async fn submit(test: &RpcTest, block: &Arc<Block>) {
    let block = Arc::clone(block);
    let outcome = test.context.chain.call(|chain| chain.process_new_block(block, true)).await.unwrap();
    outcome.unwrap().unwrap();
}

/// The result of a call, as JSON.
pub(super) async fn call(test: &RpcTest, method: &str, params: &str) -> Value {
    let result = test.call(method, params).await.unwrap_or_else(|error| panic!("{method} {params}: {error:?}"));
    serde_json::from_str(result.get()).unwrap()
}
