//! What an index of transactions changes.

use std::time::Duration;

use bitcoin::{Transaction, Txid};
use serde_json::json;

use crate::rpc::testing::coins::{Miner, output, pay_fee};
use crate::rpc::testing::{RpcTest, TxIndexing};

/// A node whose last block but one has a transaction of which nothing is left unspent.
async fn spent_transaction(indexing: TxIndexing) -> (RpcTest, Txid, bitcoin::Block) {
    let test = RpcTest::start_with_tx_index(0, indexing).await;
    let mut miner = Miner::start(&test, 1).await;
    let parent = pay_fee(miner.take(), 1000);
    let child: Transaction = pay_fee(output(&parent, 0), 2000);
    let block = miner.mine(std::slice::from_ref(&parent)).await;
    miner.mine(&[child]).await;
    (test, parent.compute_txid(), block)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_knows_the_block_of_what_is_spent() {
    let (test, txid, block) = spent_transaction(TxIndexing::Runs).await;
    while test.get("getindexinfo", "[]").await["txindex"]["synced"] != json!(true) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let proof = test.get("gettxoutproof", &format!("[[\"{txid}\"]]")).await;
    let named = test.get("gettxoutproof", &format!("[[\"{txid}\"],\"{}\"]", block.block_hash())).await;
    assert_eq!(proof, named);
    assert_eq!(test.get("verifytxoutproof", &format!("[{proof}]")).await, json!([txid.to_string()]));
    let coinbase = block.txdata[0].compute_txid();
    assert!(test.get("gettxoutproof", &format!("[[\"{txid}\",\"{coinbase}\"]]")).await.is_string());
    let absent = "11".repeat(32);
    assert_eq!(
        test.error("gettxoutproof", &format!("[[\"{absent}\"]]")).await,
        (-5, "Transaction not yet in block".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_it_is_not_known() {
    for indexing in [TxIndexing::Off, TxIndexing::Rests] {
        let (test, txid, _) = spent_transaction(indexing).await;
        let error = test.error("gettxoutproof", &format!("[[\"{txid}\"]]")).await;
        assert_eq!(error, (-5, "Transaction not yet in block".to_owned()));
    }
}
