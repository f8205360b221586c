use bitcoin::MerkleBlock;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use serde_json::{Value, json};

use crate::rpc::methods::blockchain::testing::spending_node;
use crate::rpc::testing::RpcTest;

async fn prove(test: &RpcTest, txids: &[Value], hash: Value) -> Value {
    test.get("gettxoutproof", &json!([txids, hash]).to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_block_can_be_proved() {
    let (test, blocks) = spending_node().await;
    let last = blocks.last().unwrap();
    let hash = json!(last.hash().to_string());
    let txids: Vec<Value> = last.transactions().map(|tx| json!(tx.txid().to_string())).collect();
    assert!(txids.len() > 3);
    for wanted in [&txids[..], &txids[1..2], &txids[2..]] {
        let proof = prove(&test, wanted, hash.clone()).await;
        let proved = test.get("verifytxoutproof", &json!([proof]).to_string()).await;
        assert_eq!(proved.as_array().unwrap(), wanted, "in the order of the block");
    }
    // An output that nobody spent says which block it is.
    let proof = prove(&test, &txids[..1], hash.clone()).await;
    assert_eq!(test.get("gettxoutproof", &json!([[txids[0]]]).to_string()).await, proof);

    // One leaf fewer: the tree is another one.
    let mut proof: MerkleBlock = deserialize_hex(proof.as_str().unwrap()).unwrap();
    proof.header.nonce += 1;
    let elsewhere = json!([serialize_hex(&proof)]).to_string();
    assert_eq!(test.error("verifytxoutproof", &elsewhere).await, (-5, "Block not found in chain".to_owned()));
    proof.header.nonce -= 1;
    proof.header.merkle_root = bitcoin::hashes::Hash::all_zeros();
    assert_eq!(test.get("verifytxoutproof", &json!([serialize_hex(&proof)]).to_string()).await, json!([]));
}

/// `rpc_txoutproof.py` of Core.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proved() {
    let (test, blocks) = spending_node().await;
    let (last, first) = (blocks.last().unwrap(), &blocks[0]);
    let txid = |block: &cairn_chain::primitives::Block| block.transactions().next().unwrap().txid().to_string();
    let (here, there) = (txid(last), txid(first));
    let zeros = "00".repeat(32);
    for (params, code, message) in [
        (json!([[]]), -8, "Parameter 'txids' cannot be empty".to_owned()),
        (json!([[here, here]]), -8, format!("Invalid parameter, duplicated txid: {here}")),
        (json!([["x"]]), -8, "txid must be of length 64 (not 1, for 'x')".to_owned()),
        (json!([[here], zeros]), -5, "Block not found".to_owned()),
        (json!([[zeros]]), -5, "Transaction not yet in block".to_owned()),
        (
            json!([[here, there], last.hash().to_string()]),
            -5,
            "Not all transactions found in specified or retrieved block".to_owned(),
        ),
    ] {
        assert_eq!(test.error("gettxoutproof", &params.to_string()).await, (code, message), "{params}");
    }
    let (code, _) = test.error("verifytxoutproof", "[\"00\"]").await;
    assert_eq!(code, -1);
    let (code, _) = test.error("verifytxoutproof", "[\"xx\"]").await;
    assert_eq!(code, -8);
}
