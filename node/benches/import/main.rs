//! `cairn chain import` of three generated chains, every script verified, on two threads.
//!
//! (a) Signatures: wall time against the same signature checks as bare calls to libsecp256k1 on two threads. The two
//! alternate, since a machine's speed drifts: each import is held against the mean of the checks right before and right
//! after it, and the median of these ratios counts.
//! (b) 50,000 blocks with nothing but a coinbase. (c) A chain that grows to two million coins and then spends at random,
//! with a large cache and a small one.
//!
//! Arguments choose among `a`, `b` and `c`; without any, all are run. Figures are medians of `CAIRN_BENCH_RUNS` runs
//! (default 3), each into a new data directory beside the build's other files. The chains are kept there from one bench to
//! the next. `CAIRN_BITCOIND` names a bitcoind to run on the same files. Megabytes are millions of bytes.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::print_stderr, reason = "a bench that fails says why")]

mod bare_checks;
mod child;
mod node;
mod report;
mod workload;

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use workload::Workload;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Threads of the imports and of the bare checks.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let result = match arguments.split_first() {
        Some((first, command)) if first == child::LAUNCH => child::launch(command),
        Some((first, names)) if first == bare_checks::BARE_CHECKS => run_bare_checks(names),
        _ => bench(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &[OsString]) -> Result<()> {
    // Cargo adds an argument of its own.
    let chosen: Vec<&OsString> = arguments.iter().filter(|&argument| argument != "--bench").collect();
    let runs = match env::var("CAIRN_BENCH_RUNS") {
        Ok(text) => text.parse().ok().filter(|&runs| runs > 0).ok_or("CAIRN_BENCH_RUNS should be a positive number")?,
        Err(_) => 3,
    };
    let workloads = choose(&chosen)?;
    for workload in workloads {
        workload.run(folder(), runs)?;
    }
    Ok(())
}

/// Workloads by their names, or all when there are no names.
fn choose(names: &[&OsString]) -> Result<Vec<Workload>> {
    let all = Workload::all();
    if let Some(other) = names.iter().find(|&&name| all.iter().all(|workload| name != workload.name)) {
        return Err(format!("there are the benches a, b and c, not {}", other.display()).into());
    }
    let is_chosen = |workload: &Workload| names.is_empty() || names.iter().any(|&name| name == workload.name);
    Ok(all.into_iter().filter(is_chosen).collect())
}

fn run_bare_checks(names: &[OsString]) -> Result<()> {
    for workload in choose(&names.iter().collect::<Vec<_>>())? {
        bare_checks::run(&workload.chain(folder())?.signature_checks()?, THREADS)?;
    }
    Ok(())
}

/// Where chains and data directories go.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
