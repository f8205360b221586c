//! A block template from a pool of 50,000 transactions, a third of which spend from others of the pool.
//!
//! The pool holds several blocks' worth, as when blocks are full. What is measured: choosing the transactions, which is what a
//! miner waits for; the same with the finished block checked by every rule but proof of work, scripts known to be good; and what
//! `getblocktemplate` and a miner need on top. `CAIRN_BENCH_QUICK=1` makes the pool small and the rounds few.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "what is mined here was made here")]

use std::env;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness};
use cairn_chain::chainstate::{Chainstate, ChainstateOptions};
use cairn_chain::mempool::{Mempool, MempoolOptions};
use cairn_chain::mining::{BlockTemplate, Mined, MiningJob, TemplateOptions, create_block_template, mine_block};
use cairn_chain::params::{ChainParams, RegtestOptions};
use cairn_chain::primitives::Transaction;

/// What each coin is worth, in satoshis.
const COIN: u64 = 90_000;

/// A generator that is good enough to shuffle fees and sizes (Knuth, MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn main() {
    let quick = env::var_os("CAIRN_BENCH_QUICK").is_some_and(|value| value == "1");
    let (count, rounds) = if quick { (2_000, 3) } else { (50_000, 51) };
    let directory = tempfile::tempdir().unwrap();
    let params = ChainParams::regtest(RegtestOptions::default());
    let mut chain = Chainstate::open(directory.path(), params, ChainstateOptions::default()).unwrap();
    let mut pool = empty_pool();
    let outpoints = mine_coins(&mut chain, &mut pool, count);
    fill(&chain, &mut pool, &outpoints, count);

    let checked = TemplateOptions::default();
    let unchecked = TemplateOptions { test_block_validity: false, ..checked.clone() };
    let template = create_block_template(&chain, &pool, &checked).unwrap();
    let block = template.block();
    println!(
        "pool: {} transactions, {} virtual bytes; template: {} transactions, {} weight units",
        pool.len(),
        pool.virtual_bytes(),
        template.transactions.len(),
        block.weight()
    );
    let report = |what: &str, run: &mut dyn FnMut()| println!("{what:44} {:8.3} ms", median_time(rounds, run));
    report("template", &mut || {
        black_box(create_block_template(&chain, &pool, &unchecked).unwrap());
    });
    report("template, checked", &mut || {
        black_box(create_block_template(&chain, &pool, &checked).unwrap());
    });
    report("dependencies for getblocktemplate", &mut || {
        black_box(template.dependencies());
    });
    report("job: merkle branch and header", &mut || {
        black_box(MiningJob::new(template.clone(), 1));
    });
    let mut job = MiningJob::new(template.clone(), 1);
    report("job: next extra nonce", &mut || job.roll(0));
    report("job: block", &mut || {
        black_box(job.block(0));
    });
}

/// Median time of a call, in milliseconds.
fn median_time(rounds: usize, run: &mut dyn FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[rounds / 2]
}

fn empty_pool() -> Mempool {
    let mut options = MempoolOptions::default();
    options.policy.require_standard = false;
    Mempool::new(options)
}

/// A script that anybody can satisfy, so long that transactions are no shorter than real ones.
fn anyone() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x61, 0x61, 0x61, 0x61, 0x51])
}

fn mine(chain: &mut Chainstate, template: BlockTemplate) -> Txid {
    let Mined::Block(block) = mine_block(template, &mut 1000, &AtomicBool::new(false)) else {
        panic!("regtest is easy");
    };
    let coinbase = block.transaction(0).unwrap().txid();
    chain.process_new_block(block, true).unwrap().unwrap();
    coinbase
}

/// Coins that anybody can spend, in one block.
fn mine_coins(chain: &mut Chainstate, pool: &mut Mempool, count: usize) -> Vec<OutPoint> {
    chain.set_mock_time(Some(1_700_000_000));
    let options = TemplateOptions { use_mempool: false, test_block_validity: false, ..TemplateOptions::default() };
    let coinbases: Vec<Txid> = (0..101)
        .map(|_| {
            let template = create_block_template(chain, pool, &options).unwrap();
            mine(chain, template)
        })
        .collect();
    let inputs = [OutPoint { txid: coinbases[0], vout: 0 }];
    let split = transaction(&inputs, &vec![(COIN, anyone()); count]);
    let mut template = create_block_template(chain, pool, &options).unwrap();
    template.replace_transactions(vec![decoded(&split)]);
    mine(chain, template);
    let txid = split.compute_txid();
    (0..).map(|vout| OutPoint { txid, vout }).take(count).collect()
}

fn fill(chain: &Chainstate, pool: &mut Mempool, coins: &[OutPoint], count: usize) {
    let mut random = Random(1);
    let mut coins = coins.iter().copied();
    // The last output, and how many transactions of the pool it hangs on.
    let mut last: Option<(OutPoint, u64, u64)> = None;
    for _ in 0..count {
        let (outpoint, satoshis, depth) = last
            .take_if(|(_, satoshis, depth)| *depth < 8 && *satoshis > 20_000)
            .filter(|_| random.below(3) == 0)
            .unwrap_or_else(|| (coins.next().unwrap(), COIN, 0));
        // As large as most are, and some larger; from one satoshi a virtual byte to about forty.
        let padding = if random.below(20) == 0 { random.below(2000) } else { 40 + random.below(250) };
        let mut data = vec![0x6a];
        data.resize(usize::try_from(padding).unwrap() + 1, 0);
        let highest = 1 + random.below(40);
        let fee = (130 + padding) * (1 + random.below(highest));
        let paid = satoshis.saturating_sub(fee).max(satoshis / 2);
        let outputs = [(paid, anyone()), (0, ScriptBuf::from_bytes(data))];
        let spend = transaction(&[outpoint], &outputs);
        pool.accept(chain, decoded(&spend)).unwrap();
        last = Some((OutPoint { txid: spend.compute_txid(), vout: 0 }, paid, depth + 1));
    }
}

fn decoded(transaction: &bitcoin::Transaction) -> Arc<Transaction> {
    Arc::new(Transaction::decode(encode::serialize(transaction)).unwrap())
}

fn transaction(inputs: &[OutPoint], outputs: &[(u64, ScriptBuf)]) -> bitcoin::Transaction {
    let input = |previous_output: &OutPoint| TxIn {
        previous_output: *previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = |(satoshis, script): &(u64, ScriptBuf)| TxOut {
        value: Amount::from_sat(*satoshis),
        script_pubkey: script.clone(),
    };
    bitcoin::Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.iter().map(input).collect(),
        output: outputs.iter().map(output).collect(),
    }
}
