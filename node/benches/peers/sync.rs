//! A chain from peers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cairn_tests::chain_generator::{ChainOptions, GeneratedChain};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::evil_peer::{Blocks, EvilPeer};
use crate::node::{Node, cairn, datadir};
use crate::{Result, folder};

/// How often each figure is taken; the median counts.
const RUNS: usize = 3;
/// Bytes of coins that are kept in memory, in megabytes.
const CACHE: &str = "450";
/// Sync may be this much slower than import.
const BAR_TO_IMPORT: f64 = 1.0 / 0.9;
/// Sync with bad peers may be this much slower than with good ones.
const BAR_WITH_BAD: f64 = 1.2;

/// The chain (a) of the bench `import`.
fn chain() -> Result<GeneratedChain> {
    let options = ChainOptions { blocks: 400, transactions_per_block: 1_000, coins: 8_000, seed: 1 };
    Ok(GeneratedChain::open_or_generate(folder(), &options)?)
}

/// Sync from one peer against import, from two good ones, and from three of which two are bad.
pub(crate) fn measure_blocks() -> Result<()> {
    let chain = chain()?;
    let megabytes = fs::metadata(chain.block_file())?.len() as f64 / 1e6;
    println!("sync of 400 blocks, {} transactions, {megabytes:.0} MB", chain.transactions());
    let (mut imports, mut syncs) = (Vec::new(), Vec::new());
    let mut coins = None;
    for _ in 0..RUNS {
        let (wall, imported) = import(&chain)?;
        imports.push(wall);
        let mut first = Node::start_in(imported.path(), &["--kademlia=false"])?;
        let (wall, hash) = sync(&[&first.address()], &chain)?;
        syncs.push(wall);
        let expected = coins_hash(&mut first)?;
        if hash != expected {
            return Err(format!("the coins after the sync are {hash}, expected {expected}").into());
        }
        coins = Some(expected);
    }
    let (import, sync_of_one) = (median(&imports), median(&syncs));
    show("cairn chain import", import, megabytes);
    show("from one peer over loopback", sync_of_one, megabytes);
    bar("sync to import", ratio(sync_of_one, import), BAR_TO_IMPORT);

    let (mut of_two, mut of_three) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let file = chain.block_file();
        let [good, other] = [Blocks::Good, Blocks::Good].map(|blocks| EvilPeer::start(blocks, &file));
        of_two.push(sync(&[&good.address, &other.address], &chain)?.0);
        drop(other);
        let [silent, liar] = [Blocks::Silent, Blocks::Corrupt].map(|blocks| EvilPeer::start(blocks, &file));
        let (wall, hash) = sync(&[&silent.address, &liar.address, &good.address], &chain)?;
        of_three.push(wall);
        if Some(&hash) != coins.as_ref() {
            return Err("the coins after the sync with bad peers are others".into());
        }
    }
    let (of_two, of_three) = (median(&of_two), median(&of_three));
    show("from two good peers", of_two, megabytes);
    show("from a silent, a lying and a good one", of_three, megabytes);
    bar("bad peers to good ones", ratio(of_three, of_two), BAR_WITH_BAD);
    Ok(())
}

/// Headers a second, from one peer.
pub(crate) fn measure_headers() -> Result<()> {
    let options = ChainOptions { blocks: 50_000, transactions_per_block: 0, coins: 0, seed: 1 };
    let chain = GeneratedChain::open_or_generate(folder(), &options)?;
    let (import, imported) = import(&chain)?;
    let first = Node::start_in(imported.path(), &["--kademlia=false"])?;
    let address = first.address();
    let start = Instant::now();
    let mut node = Node::start(&["--kademlia=false", "--peer", &address])?;
    let headers = crate::node::wait_for("headers", || {
        let info = node.call("getblockchaininfo", &json!([])).ok()?;
        (info["headers"] == 50_000).then(|| start.elapsed())
    })?;
    node.wait_for_tip(&chain.tip().to_string())?;
    let blocks = start.elapsed();
    println!("headers and blocks of 50,000 empty blocks, from the start of the process");
    println!("  {:40} {:9.0} headers/s", "headers", 50_000.0 / headers.as_secs_f64());
    println!("  {:40} {:9.0} blocks/s", "blocks", 50_000.0 / blocks.as_secs_f64());
    println!("  {:40} {:9.0} blocks/s", "cairn chain import", 50_000.0 / import.as_secs_f64());
    Ok(())
}

fn import(chain: &GeneratedChain) -> Result<(Duration, TempDir)> {
    let datadir = datadir()?;
    let file = chain.block_file();
    let file = file.to_str().ok_or("a path that is no text")?;
    let start = Instant::now();
    let status = cairn(datadir.path(), &["chain", "import", "--cache", CACHE, "--threads", "2", file]).status()?;
    let wall = start.elapsed();
    if !status.success() {
        return Err(format!("the import failed: {status}").into());
    }
    Ok((wall, datadir))
}

/// Starts a node with nothing that is told of these peers: the time until it has the chain, from the start of its process, and the
/// hash of its coins.
fn sync(peers: &[&str], chain: &GeneratedChain) -> Result<(Duration, Value)> {
    let mut args = vec!["--kademlia=false", "--cache", CACHE];
    for peer in peers {
        args.extend(["--peer", peer]);
    }
    let start = Instant::now();
    let mut node = Node::start(&args)?;
    node.wait_for_tip(&chain.tip().to_string())?;
    let wall = start.elapsed();
    report_bans(node.folder());
    Ok((wall, coins_hash(&mut node)?))
}

/// Says who was banned, and why.
fn report_bans(folder: &Path) {
    if let Ok(bans) = fs::read_to_string(folder.join("banlist.json"))
        && let Ok(Value::Array(bans)) = serde_json::from_str(&bans)
    {
        for ban in bans {
            println!("  banned: {}", ban["reason"]);
        }
    }
}

fn coins_hash(node: &mut Node) -> Result<Value> {
    Ok(node.call("gettxoutsetinfo", &json!(["hash_serialized_3"]))?["hash_serialized_3"].take())
}

fn median(walls: &[Duration]) -> Duration {
    let mut sorted = walls.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn show(what: &str, wall: Duration, megabytes: f64) {
    let seconds = wall.as_secs_f64();
    println!("  {what:40} {seconds:9.2} s  {:6.1} blocks/s  {:6.1} MB/s", 400.0 / seconds, megabytes / seconds);
}

fn bar(what: &str, got: f64, most: f64) {
    let verdict = if got <= most { "ok" } else { "MISSED" };
    println!("  {what:40} {got:9.3}  (bar {most:.3}: {verdict})");
}
