#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers"
)]

use bitcoin::consensus::{deserialize, encode};
use serde_json::{Value, json};

use crate::rpc::methods::blockchain::testing::{call, spending_node};
use crate::rpc::testing::RpcTest;

/// `rpc_getblockstats.py` of Core.
#[tokio::test(flavor = "multi_thread")]
async fn genesis_adds_nothing_to_the_coins() {
    let test = RpcTest::start(1).await;
    let genesis = call(&test, "getblockstats", "[0]").await;
    assert_eq!(genesis["blockhash"], "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
    let expected =
        [("utxo_increase", 1), ("utxo_size_inc", 116), ("utxo_increase_actual", 0), ("utxo_size_inc_actual", 0)];
    for (name, value) in expected {
        assert_eq!(genesis[name], value, "{name}");
    }
    // A coinbase with a commitment, which nobody can spend.
    let first = call(&test, "getblockstats", "[1]").await;
    assert_eq!((&first["subsidy"], &first["txs"], &first["ins"]), (&json!(5_000_000_000_u64), &json!(1), &json!(0)));
    assert_eq!((&first["outs"], &first["utxo_increase_actual"]), (&json!(2), &json!(1)));
    for name in ["avgfee", "avgfeerate", "mintxsize", "minfee", "minfeerate", "medianfee", "totalfee", "total_out"] {
        assert_eq!(first[name], 0, "{name}");
    }
    assert_eq!(first["feerate_percentiles"], json!([0, 0, 0, 0, 0]));
}

/// Every statistic, computed once more from what `getblock` tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_with_spends() {
    let (test, blocks) = spending_node().await;
    let last = blocks.last().unwrap();
    let block: bitcoin::Block = deserialize(last.bytes()).unwrap();
    let told = call(&test, "getblock", &format!("[\"{}\",3]", last.hash())).await;
    let stats = call(&test, "getblockstats", &format!("[\"{}\"]", last.hash())).await;
    assert_eq!(stats, call(&test, "getblockstats", "[106]").await);

    let satoshis = |value: &Value| (value.as_f64().unwrap() * 1e8).round() as u64;
    let txs = &block.txdata[1..];
    let fees: Vec<u64> = (1..=txs.len()).map(|index| satoshis(&told["tx"][index]["fee"])).collect();
    let sizes: Vec<u64> = txs.iter().map(|tx| tx.total_size() as u64).collect();
    let weights: Vec<u64> = txs.iter().map(|tx| tx.weight().to_wu()).collect();
    let rates: Vec<u64> = fees.iter().zip(&weights).map(|(fee, weight)| fee * 4 / weight).collect();
    let count = txs.len() as u64;
    let sum = |values: &[u64]| values.iter().sum::<u64>();
    let median = |values: &[u64]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let middle = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + sorted[middle]) / 2 } else { sorted[middle] }
    };
    let with_witness: Vec<usize> =
        (0..txs.len()).filter(|&index| txs[index].input.iter().any(|input| !input.witness.is_empty())).collect();
    let size_of = |output: &bitcoin::TxOut| encode::serialize(output).len() as i64 + 40;
    let outputs: Vec<_> = block.txdata.iter().flat_map(|tx| &tx.output).collect();
    let inputs: Vec<&Value> = (1..=txs.len()).flat_map(|index| told["tx"][index]["vin"].as_array().unwrap()).collect();
    let spent_size: i64 = inputs
        .iter()
        .map(|input| input["prevout"]["scriptPubKey"]["hex"].as_str().unwrap().len() as i64 / 2 + 8 + 1 + 40)
        .sum();
    let created_size: i64 = outputs.iter().map(|output| size_of(output)).sum();
    let commitment: i64 = outputs.iter().filter(|output| output.script_pubkey.is_op_return()).map(|o| size_of(o)).sum();
    let increase = outputs.len() as i64 - inputs.len() as i64;
    let expected = [
        ("avgfee", json!(sum(&fees) / count)),
        ("avgfeerate", json!(sum(&fees) * 4 / sum(&weights))),
        ("avgtxsize", json!(sum(&sizes) / count)),
        ("height", json!(106)),
        ("ins", json!(inputs.len())),
        ("maxfee", json!(fees.iter().max())),
        ("maxfeerate", json!(rates.iter().max())),
        ("maxtxsize", json!(sizes.iter().max())),
        ("medianfee", json!(median(&fees))),
        ("mediantime", told["mediantime"].clone()),
        ("mediantxsize", json!(median(&sizes))),
        ("minfee", json!(fees.iter().min())),
        ("minfeerate", json!(rates.iter().min())),
        ("mintxsize", json!(sizes.iter().min())),
        ("outs", json!(outputs.len())),
        ("swtxs", json!(with_witness.len())),
        ("swtotal_size", json!(with_witness.iter().map(|&index| sizes[index]).sum::<u64>())),
        ("swtotal_weight", json!(with_witness.iter().map(|&index| weights[index]).sum::<u64>())),
        ("time", json!(block.header.time)),
        ("total_out", json!(txs.iter().flat_map(|tx| &tx.output).map(|output| output.value.to_sat()).sum::<u64>())),
        ("total_size", json!(sum(&sizes))),
        ("total_weight", json!(sum(&weights))),
        ("totalfee", json!(sum(&fees))),
        ("txs", json!(count + 1)),
        ("utxo_increase", json!(increase)),
        ("utxo_increase_actual", json!(increase - 1)),
        ("utxo_size_inc", json!(created_size - spent_size)),
        ("utxo_size_inc_actual", json!(created_size - spent_size - commitment)),
    ];
    for (name, value) in expected {
        assert_eq!(stats[name], value, "{name}");
    }
    assert_eq!(stats.as_object().unwrap().len(), 31);

    // What is selected is the same, in the order of its names, and once.
    let selected = test.call("getblockstats", "[106,[\"txs\",\"avgfee\",\"txs\"]]").await.unwrap();
    assert_eq!(selected.get(), format!("{{\"avgfee\":{},\"txs\":{}}}", stats["avgfee"], stats["txs"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_as_core_says_it() {
    let test = RpcTest::start(1).await;
    let unknown = "00".repeat(32);
    for (params, code, message) in [
        ("[-1]", -8, "Target block height -1 is negative"),
        ("[2]", -8, "Target block height 2 after current tip 1"),
        ("[1,[\"avgfee\",\"asdfghjkl\"]]", -8, "Invalid selected statistic 'asdfghjkl'"),
        ("[1,[1]]", -3, "JSON value of type number is not of expected type string"),
        ("[\"00\"]", -8, "hash_or_height must be of length 64 (not 2, for '00')"),
        (&format!("[\"{unknown}\"]"), -5, "Block not found"),
    ] {
        assert_eq!(test.call("getblockstats", params).await.unwrap_err(), (code, message.to_owned()), "{params}");
    }
}
