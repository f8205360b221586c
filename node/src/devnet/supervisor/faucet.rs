//! The faucet: a payment like any other, from an account that has many coins.

use bitcoin::{Amount, Denomination};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Supervisor;
use crate::devnet::control::Outcome;
use crate::devnet::node_rpc::NodeRpc;
use crate::devnet::{DevnetError, accounts};

/// Blocks after which a coinbase may be spent (Core: `COINBASE_MATURITY`).
const MATURITY: u32 = 100;
/// What the faucet pays for a virtual byte, in satoshis.
const FEE_RATE: u64 = 2;
/// Least that is paid out or taken back as change, in satoshis: less is not relayed.
const DUST: u64 = 546;

/// A coin of the faucet.
#[derive(Debug, Clone, PartialEq)]
struct FaucetCoin {
    txid: String,
    vout: u32,
    value: Amount,
}

impl Supervisor {
    /// Pays somebody, and mines the payment unless that is not wanted.
    pub(super) async fn faucet(&mut self, to: &str, amount: Amount, mine: bool) -> Result<Outcome, DevnetError> {
        let address = self.address(to)?;
        if amount.to_sat() < DUST {
            return Err(DevnetError::Impossible(format!("expected at least {DUST} sat, got {} sat", amount.to_sat())));
        }
        let (node, rpc) = self.running().next().ok_or_else(|| DevnetError::Impossible("no node runs".to_owned()))?;
        let node = node.to_owned();
        let coins = choose(spendable(rpc).await?, amount)?;
        let fee = fee(coins.len());
        let total: Amount = coins.iter().map(|coin| coin.value).sum();
        let inputs: Vec<Value> = coins.iter().map(|coin| json!({ "txid": coin.txid, "vout": coin.vout })).collect();
        let mut outputs = vec![json!({ address.clone(): btc(amount) })];
        let change = total.checked_sub(amount + fee).unwrap_or(Amount::ZERO);
        if change.to_sat() >= DUST {
            outputs.push(json!({ accounts().faucet().address.to_string(): btc(change) }));
        }
        let txid = sign_and_send(rpc, inputs, outputs, &accounts().faucet().key.to_wif()).await?;
        let mined = if mine { Some(self.mine(1, Some(node), None).await?) } else { None };
        let confirmed_at = mined.as_ref().map(|mined| mined.height);
        let agree = mined.map(|mined| (mined.agree, mined.of));
        Ok(Outcome::Paid { address, satoshis: amount.to_sat(), txid, confirmed_at, agree })
    }
}

/// Coins of the faucet that may be spent and that no transaction in the pool spends.
async fn spendable(rpc: &NodeRpc) -> Result<Vec<FaucetCoin>, DevnetError> {
    #[derive(Deserialize)]
    struct Scan {
        height: u32,
        unspents: Vec<Unspent>,
    }
    #[derive(Deserialize)]
    struct Unspent {
        txid: String,
        vout: u32,
        /// Exact: fifteen digits fit.
        amount: f64,
        coinbase: bool,
        height: u32,
    }
    let descriptor = format!("addr({})", accounts().faucet().address);
    let scan: Scan = rpc.call("scantxoutset", json!(["start", [descriptor]])).await?;
    let is_mature = |coin: &Unspent| !coin.coinbase || scan.height + 1 >= coin.height + MATURITY;
    let mut coins = Vec::new();
    for coin in scan.unspents.into_iter().filter(is_mature) {
        let unspent: Value = rpc.call("gettxout", json!([coin.txid, coin.vout, true])).await?;
        if !unspent.is_null() {
            let value = Amount::from_btc(coin.amount).unwrap_or(Amount::ZERO);
            coins.push(FaucetCoin { txid: coin.txid, vout: coin.vout, value });
        }
    }
    Ok(coins)
}

/// The smallest coin that is enough; if none is, as many of the largest as are needed.
fn choose(mut coins: Vec<FaucetCoin>, amount: Amount) -> Result<Vec<FaucetCoin>, DevnetError> {
    coins.sort_by(|one, other| one.value.cmp(&other.value).then_with(|| one.txid.cmp(&other.txid)));
    if let Some(coin) = coins.iter().find(|coin| coin.value >= amount + fee(1)) {
        return Ok(vec![coin.clone()]);
    }
    let (mut chosen, mut total) = (Vec::new(), Amount::ZERO);
    while let Some(coin) = coins.pop() {
        total += coin.value;
        chosen.push(coin);
        if total >= amount + fee(chosen.len()) {
            return Ok(chosen);
        }
    }
    let has = total.checked_sub(fee(chosen.len())).unwrap_or(Amount::ZERO);
    Err(DevnetError::Impossible(format!(
        "the faucet has {} BTC that can be spent, asked for {} BTC; each block it gets makes fifty more spendable",
        has.to_string_in(Denomination::Bitcoin),
        amount.to_string_in(Denomination::Bitcoin)
    )))
}

/// What a payment with so many inputs and two outputs costs: P2WPKH is 68 virtual bytes an input and 31 an output, others are paid
/// for as the largest, 43.
fn fee(inputs: usize) -> Amount {
    let inputs = u64::try_from(inputs).unwrap_or(u64::MAX);
    Amount::from_sat(inputs.saturating_mul(68).saturating_add(11 + 31 + 43).saturating_mul(FEE_RATE))
}

/// An amount as JSON-RPC takes it without loss.
pub(super) fn btc(amount: Amount) -> String {
    amount.to_string_in(Denomination::Bitcoin)
}

/// Makes, signs and sends a transaction; its id.
async fn sign_and_send(
    rpc: &NodeRpc,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
    key: &str,
) -> Result<String, DevnetError> {
    let transaction: String = rpc.call("createrawtransaction", json!([inputs, outputs])).await?;
    let signed = sign(rpc, &transaction, &[key.to_owned()], &[]).await?;
    rpc.call("sendrawtransaction", json!([signed])).await
}

/// Signs a transaction with keys. What it spends is looked up, but for what is described.
pub(super) async fn sign(
    rpc: &NodeRpc,
    transaction: &str,
    keys: &[String],
    described: &[Value],
) -> Result<String, DevnetError> {
    let signed: Value = rpc.call("signrawtransactionwithkey", json!([transaction, keys, described])).await?;
    match (&signed["complete"], &signed["hex"]) {
        (Value::Bool(true), Value::String(hex)) => Ok(hex.clone()),
        _ => Err(DevnetError::Impossible(format!("the transaction cannot be signed: {}", signed["errors"]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(values: &[u64]) -> Vec<FaucetCoin> {
        let coin = |(index, value): (usize, &u64)| FaucetCoin {
            txid: index.to_string(),
            vout: 0,
            value: Amount::from_sat(*value),
        };
        values.iter().enumerate().map(coin).collect()
    }

    fn chosen(values: &[u64], amount: u64) -> Option<Vec<u64>> {
        let chosen = choose(coins(values), Amount::from_sat(amount)).ok()?;
        Some(chosen.iter().map(|coin| coin.value.to_sat()).collect())
    }

    #[test]
    fn small_payments_leave_large_coins_alone() {
        assert_eq!(fee(1).to_sat(), (68 + 85) * 2);
        assert_eq!(chosen(&[5000, 9000, 1000], 2000), Some(vec![5000]));
        assert_eq!(chosen(&[5000, 9000, 1000], 10_000), Some(vec![9000, 5000]));
        assert_eq!(chosen(&[5000, 9000, 1000], 5000), Some(vec![9000]), "the fee counts too");
        assert_eq!(chosen(&[5000], 5000), None);
        assert_eq!(chosen(&[], 600), None);
    }
}
