use serde_json::{Value, json};

use crate::rpc::methods::blockchain::testing::{empty_blocks, submit};
use crate::rpc::testing::RpcTest;

/// Longer than any test takes, in milliseconds.
const LONG: u32 = 60_000;

async fn answered(test: &RpcTest, method: &str, params: Value) -> Value {
    test.get(method, &params.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_block_ends_the_wait() {
    let test = RpcTest::start(0).await;
    let blocks = empty_blocks(3, 1);
    let view = |index: usize| json!({"hash": blocks[index].hash().to_string(), "height": index + 1});
    let third = blocks[2].hash().to_string();
    let ((), next, by_hash, by_height) = tokio::join!(
        async {
            // All of them wait, and one that came later would not see the first block come.
            let waiting = async {
                while test.get("getrpcinfo", "[]").await["active_commands"].as_array().unwrap().len() < 4 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(30), waiting).await.unwrap();
            for block in &blocks {
                submit(&test, block).await;
            }
        },
        answered(&test, "waitfornewblock", json!([LONG])),
        answered(&test, "waitforblock", json!([third, LONG])),
        answered(&test, "waitforblockheight", json!([2, LONG])),
    );
    // What is told is the tip, which may have moved on since.
    assert!((0..3).any(|index| next == view(index)), "{next}");
    assert_eq!(by_hash, view(2));
    assert!(by_height == view(1) || by_height == view(2), "{by_height}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_not_waited_for() {
    let test = RpcTest::start(2).await;
    let tip = test.context.chain.tip();
    let view = json!({"hash": tip.hash.to_string(), "height": 2});
    assert_eq!(answered(&test, "waitforblock", json!([tip.hash.to_string(), LONG])).await, view);
    assert_eq!(answered(&test, "waitforblockheight", json!([1, LONG])).await, view);
    assert_eq!(answered(&test, "waitforblockheight", json!([-1])).await, view);
    let other = "00".repeat(32);
    assert_eq!(answered(&test, "waitfornewblock", json!([LONG, other])).await, view, "the tip was another one");
    // The time is over.
    assert_eq!(answered(&test, "waitfornewblock", json!([1])).await, view);
    assert_eq!(answered(&test, "waitforblockheight", json!([9, 1])).await, view);
    assert_eq!(answered(&test, "waitforblock", json!([other, 1])).await, view);
    for (method, params) in
        [("waitfornewblock", json!([-1])), ("waitforblock", json!([other, -1])), ("waitforblockheight", json!([1, -1]))]
    {
        assert_eq!(test.error(method, &params.to_string()).await, (-1, "Negative timeout".to_owned()), "{method}");
    }
}
