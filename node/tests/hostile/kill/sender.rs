//! Who submits transactions.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize_hex;
use serde::Deserialize;
use serde_json::Value;

use super::ledger::Ledger;
use super::payment::{Coin, Purse};
use crate::http::{Access, Client, PATIENCE};

/// Transactions of a batch, and the time between one batch and the next: 1,000 a second.
const BATCH: usize = 100;
const PERIOD: Duration = Duration::from_millis(100);

/// Submits transactions until it is told to stop or the node is gone. Returns how many were accepted.
pub(super) fn run(
    access: &Access,
    purse: &Purse,
    ledger: &Mutex<Ledger>,
    coins: Vec<Coin>,
    stop: &AtomicBool,
) -> usize {
    #[derive(Deserialize)]
    struct Reply {
        result: Option<String>,
        error: Option<Value>,
    }
    let mut coins = VecDeque::from(coins);
    assert!(coins.len() >= BATCH, "{} coins are too few", coins.len());
    let mut client = Client::new(access.clone());
    let mut accepted = 0;
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let mut body = String::from("[");
        let mut transactions = Vec::with_capacity(BATCH);
        for number in 0..BATCH {
            let coin = coins.pop_front().unwrap();
            let (transaction, change) = purse.pay(coin);
            let hex = serialize_hex(&transaction);
            let comma = if number == 0 { "" } else { "," };
            let call = r#""jsonrpc":"2.0","method":"sendrawtransaction","params""#;
            write!(body, r#"{comma}{{{call}:["{hex}"],"id":{number}}}"#).unwrap();
            transactions.push((change.outpoint.txid, transaction));
            coins.push_back(change);
        }
        body.push(']');
        let txids: Vec<_> = transactions.iter().map(|(txid, _)| *txid).collect();
        ledger.lock().unwrap().sent.extend(transactions);
        let Ok(response) = client.post(body.as_bytes(), PATIENCE) else { break };
        let replies: Vec<Reply> = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(replies.len(), txids.len());
        for (Reply { result, error }, txid) in replies.into_iter().zip(txids) {
            assert_eq!(error, None, "{txid}");
            assert_eq!(result, Some(txid.to_string()));
            accepted += 1;
        }
        next += PERIOD;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    accepted
}
