//! What a node took back when it changed to another branch.

use serde_json::{Value, json};

use crate::devnet::DevnetError;
use crate::devnet::control::Reorganisation;
use crate::devnet::node_rpc::NodeRpc;

/// Blocks of a branch that are looked at: deeper reorganisations are told of up to there.
const MAX_DEPTH: usize = 1000;

/// What a node took back since `old_tip` was its tip; nothing if that is part of its chain still.
pub(super) async fn reorganisation_of(
    node: &str,
    rpc: &NodeRpc,
    old_tip: &str,
) -> Result<Option<Reorganisation>, DevnetError> {
    let pool: Vec<String> = rpc.call("getrawmempool", json!([])).await?;
    let (mut hash, mut disconnected, mut returned) = (old_tip.to_owned(), 0_u32, Vec::new());
    let fork = loop {
        let block: Value = rpc.call("getblock", json!([hash, 1])).await?;
        // Blocks beside the active chain have minus one.
        if block["confirmations"].as_i64().is_some_and(|confirmations| confirmations >= 0) {
            break number(&block["height"]);
        }
        disconnected += 1;
        let transactions = block["tx"].as_array().into_iter().flatten().skip(1).filter_map(Value::as_str);
        returned.extend(transactions.filter(|txid| pool.iter().any(|pooled| pooled == txid)).map(ToOwned::to_owned));
        let parent = block["previousblockhash"].as_str().map(ToOwned::to_owned);
        match parent.filter(|_| usize::try_from(disconnected).unwrap_or(MAX_DEPTH) < MAX_DEPTH) {
            Some(parent) => hash = parent,
            None => break number(&block["height"]).saturating_sub(1),
        }
    };
    if disconnected == 0 {
        return Ok(None);
    }
    let (height, new_tip) = super::blocks::tip_of(rpc).await?;
    Ok(Some(Reorganisation {
        node: node.to_owned(),
        fork,
        old_tip: old_tip.to_owned(),
        new_tip,
        disconnected,
        connected: height.saturating_sub(fork),
        returned,
    }))
}

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}
