//! What clients wait for: transactions one by one and in batches, a block of known and of unknown transactions, a template
//! from 50,000 transactions, and blocks as bytes and as JSON. All over HTTP, by a node in a process of its own.
//!
//! Admission and connection are held against the same signature checks as bare calls to libsecp256k1 in the same run: on
//! one thread where a client waits for each answer, on two where the node can use both. `CAIRN_BITCOIND` names a bitcoind to run
//! through the same. An argument names a part of what is measured (`admission`, `connection`, `template`, `getblock`).
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::print_stderr, reason = "a bench that fails says why")]

mod bare;
mod client;
mod node;
mod report;
mod workload;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bitcoin::Txid;
use serde_json::json;

use client::Client;
use node::{Node, Program};
use report::Figures;
use workload::{SentBlock, Workload};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Threads of the node, and of the bare checks where it can use all of them.
const THREADS: usize = 2;
/// Calls of a batch.
const BATCH: usize = 100;
/// Transactions that a template is made from.
const POOLED: usize = 50_000;
/// Templates that are asked for.
const TEMPLATES: usize = 20;
/// How long blocks are asked for.
const READING: Duration = Duration::from_secs(5);
/// Clients that ask for blocks at the same time.
const READERS: usize = 2;

fn main() -> ExitCode {
    // Cargo adds an argument of its own.
    let parts: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match bench(&parts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(parts: &[String]) -> Result<()> {
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let start = Instant::now();
    let workload = Workload::generate();
    println!(
        "{} blocks of {} transactions on top of {}, ready in {:.1} s",
        workload.sent.len(),
        workload.sent[0].transactions.len(),
        workload.base.len(),
        start.elapsed().as_secs_f64()
    );
    for program in Program::all() {
        let mut figures = Figures::new(program.name());
        if is_wanted("admission") || is_wanted("connection") {
            measure_tip(&program, &workload, &mut figures)?;
        }
        if is_wanted("template") {
            measure_templates(&program, &workload, &mut figures)?;
        }
        if is_wanted("getblock") {
            measure_reading(&program, &workload, &mut figures)?;
        }
        figures.print();
    }
    Ok(())
}

/// Sends the transactions of two blocks, of one each by itself, of the other in batches; then the blocks, whose transactions the
/// node knows; and the same blocks to a node that does not.
fn measure_tip(program: &Program, workload: &Workload, figures: &mut Figures) -> Result<()> {
    let (single, batched) = (&workload.sent[0], &workload.sent[1]);
    let node = Node::start(program, workload)?;
    let mut client = node.client()?;

    let before = bare::measure(&single.checks, 1)?;
    let wall = time(|| send_each(&mut client, single))?;
    let bare = (before + bare::measure(&single.checks, 1)?) / 2;
    figures.against_bare("sendrawtransaction, one by one", wall, single.transactions.len(), bare, "1 thread");

    let before = bare::measure(&batched.checks, THREADS)?;
    let wall = time(|| send_batches(&mut client, &batched.transactions))?;
    let bare = (before + bare::measure(&batched.checks, THREADS)?) / 2;
    figures.against_bare("sendrawtransaction, batches of 100", wall, batched.transactions.len(), bare, "2 threads");

    for sent in [single, batched] {
        let wall = time(|| submit(&mut client, sent))?;
        let bare = bare::measure(&sent.checks, THREADS)?;
        figures.block("a block of known transactions", wall, sent.bytes(), bare);
    }
    drop(node);

    let node = Node::start(program, workload)?;
    let mut client = node.client()?;
    for sent in [single, batched] {
        let wall = time(|| submit(&mut client, sent))?;
        let bare = bare::measure(&sent.checks, THREADS)?;
        figures.block("a block of unknown transactions", wall, sent.bytes(), bare);
    }
    Ok(())
}

/// Fills the pool, and asks for templates; between two of them something changes.
fn measure_templates(program: &Program, workload: &Workload, figures: &mut Figures) -> Result<()> {
    let node = Node::start(program, workload)?;
    let mut client = node.client()?;
    let mut independent = workload.sent.iter().flat_map(SentBlock::independent);
    let (pooled, txids): (Vec<&String>, Vec<&Txid>) = independent.by_ref().take(POOLED).unzip();
    if pooled.len() < POOLED {
        return Err(format!("{} transactions are too few", pooled.len()).into());
    }
    let wall = time(|| send_batches(&mut client, &pooled))?;
    let pooled = pooled.len();
    figures.rate("transactions into the pool, in batches", pooled, wall);
    // They pay nothing, and a block takes only what pays.
    for txids in txids.chunks(BATCH) {
        let calls: Vec<_> = txids.iter().map(|txid| json!([txid.to_string(), 0, 1_000])).collect();
        client.call_all("prioritisetransaction", &calls)?;
    }
    let mut walls = Vec::new();
    for (transaction, _) in independent.take(TEMPLATES) {
        client.call("sendrawtransaction", &json!([transaction, 0]))?;
        let start = Instant::now();
        let template = client.call("getblocktemplate", &json!([{"rules": ["segwit"]}]))?;
        walls.push(start.elapsed());
        let transactions = template["transactions"].as_array().map_or(0, Vec::len);
        if transactions < 1000 {
            return Err(format!("a template of {transactions} transactions").into());
        }
    }
    figures.latency(&format!("getblocktemplate, {pooled} pooled"), &walls);
    Ok(())
}

/// Asks for full blocks until the time is over.
fn measure_reading(program: &Program, workload: &Workload, figures: &mut Figures) -> Result<()> {
    let node = Node::start(program, workload)?;
    let hashes: Vec<String> = workload.base.iter().rev().take(4).map(|block| block.hash.clone()).collect();
    for verbosity in [0, 2] {
        let end = Instant::now() + READING;
        let start = Instant::now();
        let answered = std::thread::scope(|scope| {
            let readers: Vec<_> =
                (0..READERS).map(|_| scope.spawn(|| read_until(end, &node, &hashes, verbosity))).collect();
            let mut answered = 0;
            for reader in readers {
                answered += reader.join().map_err(|_| "a reader panicked".to_owned())??;
            }
            Ok::<usize, String>(answered)
        });
        figures.rate(&format!("getblock, verbosity {verbosity}, 1 MB blocks"), answered?, start.elapsed());
    }
    Ok(())
}

fn read_until(end: Instant, node: &Node, hashes: &[String], verbosity: u32) -> std::result::Result<usize, String> {
    let read = || -> Result<usize> {
        let mut client = node.client()?;
        let mut answered = 0;
        for hash in hashes.iter().cycle() {
            if Instant::now() >= end {
                break;
            }
            // What the client would do with the answer is not the node's cost.
            client.call_raw("getblock", &json!([hash, verbosity]))?;
            answered += 1;
        }
        Ok(answered)
    };
    read().map_err(|error| error.to_string())
}

fn time(run: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}

fn send_each(client: &mut Client, sent: &SentBlock) -> Result<()> {
    for transaction in &sent.transactions {
        client.call("sendrawtransaction", &json!([transaction, 0]))?;
    }
    Ok(())
}

fn send_batches(client: &mut Client, transactions: &[impl AsRef<str>]) -> Result<()> {
    for transactions in transactions.chunks(BATCH) {
        let calls: Vec<_> = transactions.iter().map(|transaction| json!([transaction.as_ref(), 0])).collect();
        client.call_all("sendrawtransaction", &calls)?;
    }
    Ok(())
}

fn submit(client: &mut Client, sent: &SentBlock) -> Result<()> {
    let answer = client.call("submitblock", &json!([sent.hex]))?;
    if answer.is_null() { Ok(()) } else { Err(format!("submitblock: {answer}").into()) }
}
