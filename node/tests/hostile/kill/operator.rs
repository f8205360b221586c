//! Who mines, saves the pool, and has the chain state written.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bitcoin::BlockHash;
use cairn_tests::random::Random;
use serde_json::Value;

use super::ledger::{Ledger, hashes};
use super::payment::Purse;
use crate::http::{Access, Client, PATIENCE};

/// The longest pause between two things that are done, in milliseconds.
const MAX_PAUSE: usize = 500;

/// Does one thing after the other until the node is gone.
pub(super) fn run(access: &Access, purse: &Purse, ledger: &Mutex<Ledger>, random: &mut Random, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let done = match random.below(10) {
            0..=5 => try_mine(access, purse, ledger),
            6..=8 => save(access, ledger),
            _ => write(access, ledger),
        };
        if done.is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(u64::try_from(random.below(MAX_PAUSE)).unwrap()));
    }
}

/// Mines a block.
pub(super) fn mine(access: &Access, purse: &Purse, ledger: &Mutex<Ledger>) {
    try_mine(access, purse, ledger).unwrap();
}

fn try_mine(access: &Access, purse: &Purse, ledger: &Mutex<Ledger>) -> io::Result<()> {
    ledger.lock().unwrap().is_mining = true;
    let mined = ask(access, "generatetoaddress", &format!("[1,\"{}\"]", purse.miner()))?;
    let mined: Vec<BlockHash> = hashes(&mined);
    let mut ledger = ledger.lock().unwrap();
    let height = ledger.height() + 1;
    ledger.chain.insert(height, mined[0]);
    ledger.is_mining = false;
    Ok(())
}

/// Saves the pool. What is in it before is in it when it is saved, as nobody else mines.
pub(super) fn save(access: &Access, ledger: &Mutex<Ledger>) -> io::Result<()> {
    let pool = ask(access, "getrawmempool", "[]")?;
    ledger.lock().unwrap().is_saving = true;
    ask(access, "savemempool", "[]")?;
    let mut ledger = ledger.lock().unwrap();
    ledger.saved = hashes(&pool);
    ledger.is_saving = false;
    Ok(())
}

/// Has the chain state written, as is done every few minutes.
pub(super) fn write(access: &Access, ledger: &Mutex<Ledger>) -> io::Result<()> {
    let height = ledger.lock().unwrap().height();
    ask(access, "mockscheduler", "[300]")?;
    ledger.lock().unwrap().written = height;
    Ok(())
}

/// The result of a call; an error when the node is gone.
fn ask(access: &Access, method: &str, params: &str) -> io::Result<Value> {
    let body = format!(r#"{{"method":"{method}","params":{params},"id":0}}"#);
    let response = Client::new(access.clone()).post(body.as_bytes(), PATIENCE)?;
    assert_eq!(response.status, 200, "{method}: {}", String::from_utf8_lossy(&response.body));
    let mut reply: Value = serde_json::from_slice(&response.body).unwrap();
    Ok(reply["result"].take())
}
