use serde_json::{Value, json};

use crate::rpc::methods::blockchain::testing::{empty_blocks, spending_node, submit};
use crate::rpc::testing::RpcTest;

async fn tip(test: &RpcTest) -> String {
    test.get("getbestblockhash", "[]").await.as_str().unwrap().to_owned()
}

async fn on_block(test: &RpcTest, method: &str, hash: &str) {
    assert_eq!(test.get(method, &json!([hash]).to_string()).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_invalid_until_they_are_considered_again() {
    let test = RpcTest::start(0).await;
    let blocks = empty_blocks(4, 1);
    for block in &blocks {
        submit(&test, block).await;
    }
    let hash = |index: usize| blocks[index].hash().to_string();
    on_block(&test, "invalidateblock", &hash(2)).await;
    assert_eq!(tip(&test).await, hash(1));
    on_block(&test, "reconsiderblock", &hash(3)).await;
    assert_eq!(tip(&test).await, hash(3));
    // Genesis is as it is.
    let genesis = test.context.params.genesis.hash.to_string();
    on_block(&test, "invalidateblock", &genesis).await;
    assert_eq!(tip(&test).await, hash(3));
    let unknown = json!(["00".repeat(32)]).to_string();
    for method in ["invalidateblock", "reconsiderblock", "preciousblock"] {
        assert_eq!(test.error(method, &unknown).await, (-5, "Block not found".to_owned()), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_branches_one_may_be_precious() {
    let test = RpcTest::start(0).await;
    let (one, other) = (empty_blocks(2, 1), empty_blocks(2, 2));
    for block in one.iter().chain(&other) {
        submit(&test, block).await;
    }
    assert_eq!(tip(&test).await, one[1].hash().to_string(), "the first that came");
    on_block(&test, "preciousblock", &other[1].hash().to_string()).await;
    assert_eq!(tip(&test).await, other[1].hash().to_string());
    on_block(&test, "preciousblock", &one[1].hash().to_string()).await;
    assert_eq!(tip(&test).await, one[1].hash().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_verified_again() {
    let (test, _) = spending_node().await;
    let before = tip(&test).await;
    for params in ["[]", "[4, 0]", "[0]", "[9, 3]", "[-1, -1]"] {
        assert_eq!(test.get("verifychain", params).await, json!(true), "{params}");
    }
    assert_eq!(tip(&test).await, before);
    test.get("syncwithvalidationinterfacequeue", "[]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_keeps_all_prunes_nothing() {
    let test = RpcTest::start(1).await;
    let message = "Cannot prune blocks because node is not in prune mode.".to_owned();
    assert_eq!(test.error("pruneblockchain", "[1]").await, (-1, message));
}
