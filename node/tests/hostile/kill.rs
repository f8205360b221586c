//! `kill -9` while transactions arrive at 2,000 a second: what the node is like when it starts again.
//!
//! Two senders submit signed transactions in batches, an operator mines, saves the pool and has the chain state written, and at
//! some moment the node is killed. Of what it told before nothing may be lost that was written, and of the pool that was saved
//! nothing at all, but for transactions whose coins went with blocks that were not written.
//!
//! | file | holds |
//! |---|---|
//! | `payment` | keys, and transactions from one coin to the next |
//! | `ledger` | what the node was asked for and told |
//! | `sender` | who submits transactions |
//! | `operator` | who mines, saves and writes |
//! | `restart` | what must hold afterwards |

mod ledger;
mod operator;
mod payment;
mod restart;
mod sender;

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::Txid;
use cairn_tests::random::Random;
use serde_json::Value;

use crate::environment::{number, seed};
use crate::harness::node_process::{Datadir, Node, wait_for};
use crate::http::Access;
use crate::requests::{ShownLog, check_log, start};
use ledger::{Ledger, hashes};
use payment::Purse;

/// Senders at the same time.
const SENDERS: usize = 2;
/// How long after its start the node is killed, in milliseconds.
const LIFETIME: (usize, usize) = (1500, 5000);
/// How often, in a hundred, it is killed once more while it starts.
const KILLS_ON_THE_WAY: usize = 30;

#[test]
fn a_killed_node_has_a_consistent_chain_and_the_saved_pool() {
    let (seed, rounds) = (seed(), number("CAIRN_ROUNDS", 5));
    let mut random = Random::new(seed);
    let datadir = Datadir::new();
    let (mut node, log) = start(&datadir, &[]);
    let _shown = ShownLog(&log);
    let mut access = Access::of(&datadir, &node);
    let purse = Purse::new();
    let ledger = Mutex::new(Ledger::default());
    purse.fill(&access);
    restart::look_at_chain(&access, &ledger);

    for round in 0..rounds {
        let coins = restart::coins(&access, &purse, &ledger);
        let stop = AtomicBool::new(false);
        let lifetime = Duration::from_millis(u64::try_from(random.between(LIFETIME.0, LIFETIME.1)).unwrap());
        let seeds: Vec<u64> = (0..=SENDERS).map(|_| random.word()).collect();
        let begin = Instant::now();
        let accepted: usize = thread::scope(|scope| {
            let (access, purse, ledger, stop, seeds) = (&access, &purse, &ledger, &stop, &seeds);
            let senders: Vec<_> = (0..SENDERS)
                .map(|number| {
                    let coins = coins.iter().skip(number).step_by(SENDERS).copied().collect();
                    scope.spawn(move || sender::run(access, purse, ledger, coins, stop))
                })
                .collect();
            scope.spawn(move || operator::run(access, purse, ledger, &mut Random::new(seeds[SENDERS]), stop));
            thread::sleep(lifetime);
            node.signal("KILL");
            stop.store(true, Ordering::Relaxed);
            senders.into_iter().map(|sender| sender.join().unwrap()).sum()
        });
        let rate = f64::from(u32::try_from(accepted).unwrap()) / lifetime.as_secs_f64();
        println!("round {round}: {accepted} transactions in {:.1?}, {rate:.0} a second", begin.elapsed());
        assert_eq!(node.wait().status.signal(), Some(9));

        if random.chance(KILLS_ON_THE_WAY) {
            let mut child = datadir.node_command("regtest", &[]).spawn().unwrap();
            thread::sleep(Duration::from_millis(u64::try_from(random.below(400)).unwrap()));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        (node, _) = start(&datadir, &[]);
        access = Access::of(&datadir, &node);
        wait_for_pool(&access);
        let found = restart::check(&access, &ledger);
        println!("  after the restart: {found:?}");
        check_log(&log);
    }

    check_saved_at_the_end(&datadir, node, &access, &purse, &ledger);
    check_log(&log);
}

/// Nothing at all is lost of what was written and saved just before the end, be it sudden or in order.
fn check_saved_at_the_end(datadir: &Datadir, mut node: Node, access: &Access, purse: &Purse, ledger: &Mutex<Ledger>) {
    let mut access = access.clone();
    for is_killed in [true, false] {
        operator::mine(&access, purse, ledger);
        let coins = restart::coins(&access, purse, ledger);
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| sender::run(&access, purse, ledger, coins, &stop));
            thread::sleep(Duration::from_secs(1));
            stop.store(true, Ordering::Relaxed);
        });
        let before = state(&access);
        assert!(before.1.len() > 100, "{} transactions in the pool", before.1.len());
        if is_killed {
            operator::write(&access, ledger).unwrap();
            operator::save(&access, ledger).unwrap();
            node.signal("KILL");
        } else {
            access.call("stop", "[]");
        }
        assert_eq!(node.wait().status.signal(), is_killed.then_some(9));
        (node, _) = start(datadir, &[]);
        access = Access::of(datadir, &node);
        wait_for_pool(&access);
        assert!(state(&access) == before, "is_killed: {is_killed}");
    }
}

/// The tip, and the transactions in the pool.
fn state(access: &Access) -> (Value, BTreeSet<Txid>) {
    (access.call("getbestblockhash", "[]"), hashes(&access.call("getrawmempool", "[]")))
}

fn wait_for_pool(access: &Access) {
    wait_for("the saved pool", || (access.call("getmempoolinfo", "[]")["loaded"] == true).then_some(()));
}
