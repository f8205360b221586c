//! What must hold after a restart.

use std::collections::HashSet;
use std::sync::Mutex;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, BlockHash, OutPoint, Txid};
use serde_json::Value;

use super::ledger::{Ledger, hashes};
use super::payment::{Coin, Purse};
use crate::http::Access;

/// What a restart found, and what was lost.
#[derive(Debug)]
#[expect(dead_code, reason = "it is shown")]
pub(super) struct Found {
    height: u64,
    /// Blocks that were told and not written.
    lost_blocks: u64,
    pool: usize,
    /// Transactions that were saved, and those of them that are in the pool, in the chain, and gone with lost blocks.
    saved: usize,
    in_pool: usize,
    in_chain: usize,
    gone: usize,
}

/// Compares the node with what it told before, and takes over what is lost.
pub(super) fn check(access: &Access, ledger: &Mutex<Ledger>) -> Found {
    let mut ledger = ledger.lock().unwrap();
    let told = ledger.height();
    let height = access.call("getblockcount", "[]").as_u64().unwrap();
    assert!(height >= ledger.written, "height {height}, and {} was written", ledger.written);
    let most = told + u64::from(ledger.is_mining);
    assert!(height <= most, "height {height}, and {most} was asked for");
    // One chain from the genesis block to the tip, and no other than the one that was told of.
    let mut confirmed = HashSet::new();
    for height in 0..=height {
        let hash = block_hash(access, height);
        match ledger.chain.get(&height) {
            Some(expected) => assert_eq!(hash, *expected, "at height {height}"),
            None => assert_eq!(height, told + 1),
        }
        let block = access.call("getblock", &format!("[\"{hash}\",1]"));
        confirmed.extend(hashes::<Txid, Vec<_>>(&block["tx"]));
        ledger.chain.insert(height, hash);
    }
    assert_eq!(access.call("verifychain", "[4,0]"), true);

    // The pool that was saved.
    let pool: HashSet<Txid> = hashes(&access.call("getrawmempool", "[]"));
    let strange: Vec<_> = pool.iter().filter(|&txid| !ledger.sent.contains_key(txid)).collect();
    assert!(strange.is_empty(), "{strange:?} were never sent");
    let lost_blocks = told.saturating_sub(height);
    let (mut in_pool, mut in_chain) = (0, 0);
    let mut gone = Vec::new();
    for txid in &ledger.saved {
        // What the pool holds is in no block.
        match (pool.contains(txid), confirmed.contains(txid)) {
            (true, is_confirmed) => {
                assert!(!is_confirmed, "{txid} is in the pool and in a block");
                in_pool += 1;
            }
            (false, true) => in_chain += 1,
            (false, false) => gone.push(*txid),
        }
    }
    for txid in &gone {
        check_loss(access, &ledger, txid, lost_blocks);
    }
    let found =
        Found { height, lost_blocks, pool: pool.len(), saved: ledger.saved.len(), in_pool, in_chain, gone: gone.len() };

    // From here on what there is counts.
    ledger.chain.split_off(&(height + 1));
    ledger.written = ledger.written.min(height);
    ledger.saved.retain(|txid| pool.contains(txid));
    (ledger.is_mining, ledger.is_saving) = (false, false);
    found
}

/// A transaction that was saved may be gone if it spent what a lost block had made; or if it was in a lost block itself, and
/// the pool was saved once more after that without anybody being told.
fn check_loss(access: &Access, ledger: &Ledger, txid: &Txid, lost_blocks: u64) {
    assert!(lost_blocks > 0, "{txid} was saved, and no block was lost");
    let hex = serialize_hex(&ledger.sent[txid]);
    let verdict = access.call("testmempoolaccept", &format!("[[\"{hex}\"]]"));
    let reason = &verdict[0]["reject-reason"];
    assert!(reason == "missing-inputs" || ledger.is_saving, "{txid} was saved: {verdict}");
}

fn block_hash(access: &Access, height: u64) -> BlockHash {
    access.call("getblockhash", &format!("[{height}]")).as_str().unwrap().parse().unwrap()
}

/// Takes over the chain of a node that was not looked at so far.
pub(super) fn look_at_chain(access: &Access, ledger: &Mutex<Ledger>) {
    let height = access.call("getblockcount", "[]").as_u64().unwrap();
    let chain = (0..=height).map(|height| (height, block_hash(access, height))).collect();
    ledger.lock().unwrap().chain = chain;
}

/// Coins in the chain that nothing in the pool spends.
pub(super) fn coins(access: &Access, purse: &Purse, ledger: &Mutex<Ledger>) -> Vec<Coin> {
    let ledger = ledger.lock().unwrap();
    let pool: Vec<Txid> = hashes(&access.call("getrawmempool", "[]"));
    let spent: HashSet<OutPoint> = pool.iter().map(|txid| ledger.spent_by(txid)).collect();
    let scan = access.call("scantxoutset", &format!("[\"start\",[\"addr({})\"]]", purse.payer()));
    let coin = |unspent: &Value| Coin {
        outpoint: OutPoint {
            txid: unspent["txid"].as_str().unwrap().parse().unwrap(),
            vout: u32::try_from(unspent["vout"].as_u64().unwrap()).unwrap(),
        },
        value: Amount::from_btc(unspent["amount"].as_f64().unwrap()).unwrap().to_sat(),
    };
    let unspent = scan["unspents"].as_array().unwrap().iter().map(coin);
    unspent.filter(|coin| !spent.contains(&coin.outpoint)).collect()
}
