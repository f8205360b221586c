//! The first blocks: coins for everybody, old enough to be spent.

use std::time::Duration;

use serde_json::json;

use crate::devnet::chain::PRE_MINE;
use crate::devnet::clock::SharedClock;
use crate::devnet::node_rpc::{NodeRpc, RpcCall};
use crate::devnet::{DevnetError, accounts};

/// How long that may take: the blocks are easy.
const LIMIT: Duration = Duration::from_secs(60);
/// Blocks whose coins each of the ten accounts gets: with fifty coins each, a hundred coins.
const BLOCKS_PER_ACCOUNT: u32 = 2;

/// Mines the first blocks, as if one had come each `spacing` seconds until now. A chain that has blocks is left as it is.
///
/// # Errors
///
/// When the node does not mine them.
pub(super) async fn pre_mine(rpc: &NodeRpc, spacing: u32, clock: SharedClock) -> Result<(), DevnetError> {
    let height: u32 = rpc.call("getblockcount", json!([])).await?;
    if height > 0 {
        return Ok(());
    }
    let now = clock.now();
    let calls: Vec<RpcCall> = (1..=PRE_MINE)
        .flat_map(|height| {
            let time = now.saturating_sub(u64::from(PRE_MINE - height) * u64::from(spacing));
            [("setmocktime", json!([time])), ("generatetoaddress", json!([1, payee(height)]))]
        })
        .chain([("setmocktime", json!([clock.mock_time()]))])
        .collect();
    rpc.batch(LIMIT, &calls).await?;
    Ok(())
}

/// Whom the block at a height pays: first the ten accounts in turn, then the faucet.
fn payee(height: u32) -> String {
    let named = accounts().named();
    let index = usize::try_from(height.saturating_sub(1) / BLOCKS_PER_ACCOUNT).unwrap_or(usize::MAX);
    named.get(index).unwrap_or_else(|| accounts().faucet()).address.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_gets_a_hundred_coins_and_the_faucet_the_rest() {
        let paid = |name: &str| {
            let address = accounts().by_name(name).unwrap().address.to_string();
            (1..=PRE_MINE).filter(|height| payee(*height) == address).count()
        };
        assert_eq!(accounts().named().iter().map(|account| paid(account.name)).sum::<usize>(), 20);
        assert!(accounts().named().iter().all(|account| paid(account.name) == 2));
        assert_eq!(paid("faucet"), 120);
    }
}
