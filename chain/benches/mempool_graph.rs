//! The transaction graph of the mempool: additions, linearization, and the choice of a block.
//!
//! Figures are medians over rounds, in microseconds. `CAIRN_BENCH_QUICK=1` makes the inputs small.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::unwrap_used, reason = "what is added here was made here")]

use std::env;
use std::hint::black_box;
use std::time::Instant;

use cairn_chain::mempool::{ClusterLimits, FeeRate, GraphIndex, NewTransaction, Parent, TxGraph};
use cairn_chain::validation::MAX_BLOCK_WEIGHT;

/// Odd, so that there is a median.
const ROUNDS: usize = 9;

/// Transactions with numbers for fees, sizes and order.
struct Pool {
    graph: TxGraph,
    random: Random,
}

fn main() {
    let quick = env::var_os("CAIRN_BENCH_QUICK").is_some_and(|value| value == "1");
    let factor = if quick { 50 } else { 1 };
    add_lone(50_000 / factor);
    for length in [2, 5, 25, 64] {
        add_to_chain(length, 20_000 / factor / length);
    }
    for parents in [1, 2, 4, 16] {
        linearize(parents, 500 / factor);
    }
    for parents in [2, 3, 8, 31] {
        linearize_two_layers(parents, 500 / factor);
    }
    equal_rates(500 / factor);
    build_block(50_000 / factor);
    reorganise(5_000 / factor);
}

impl Pool {
    fn new() -> Self {
        // Only the count is limited, so that every cluster gets as large as it is meant to.
        Self { graph: TxGraph::new(ClusterLimits { size: u64::MAX, ..ClusterLimits::default() }), random: Random(1) }
    }

    fn fee_rate(&mut self) -> FeeRate {
        let size = 400 + self.random.below(4_000);
        FeeRate::new(i64::try_from(size * (1 + self.random.below(100)) / 4 + self.random.below(500)).unwrap(), size)
    }

    fn add(&mut self, parents: &[Parent]) -> GraphIndex {
        let tx = NewTransaction { fee_rate: self.fee_rate(), order_key: self.random.next(), parents };
        let proposal = self.graph.propose(&[], &[tx]).unwrap();
        self.graph.apply(proposal)[0]
    }

    /// A transaction with some of those before it as parents, as far as the cluster has room.
    fn add_child(&mut self, cluster: &[GraphIndex], parents: u64) -> GraphIndex {
        let count = u64::try_from(cluster.len()).unwrap();
        let pick = |random: &mut Random| Parent::Existing(cluster[usize::try_from(random.below(count)).unwrap()]);
        let parents: Vec<Parent> = (0..parents.min(count)).map(|_| pick(&mut self.random)).collect();
        self.add(&parents)
    }
}

fn add_lone(count: usize) {
    let times = (0..ROUNDS).map(|_| {
        let mut pool = Pool::new();
        seconds_of(|| {
            for _ in 0..count {
                black_box(pool.add(&[]));
            }
        }) / as_f64(count)
    });
    println!("add one of {count} lone transactions: {:8.2} µs", median(times.collect()) * 1e6);
}

fn add_to_chain(length: usize, chains: usize) {
    let times = (0..ROUNDS).map(|_| {
        let mut pool = Pool::new();
        let mut seconds = 0.0;
        for _ in 0..chains.max(1) {
            let mut last = pool.add(&[]);
            for _ in 2..length {
                last = pool.add(&[Parent::Existing(last)]);
            }
            seconds += seconds_of(|| {
                black_box(pool.add(&[Parent::Existing(last)]));
            });
        }
        seconds / as_f64(chains.max(1))
    });
    println!("add the last to a chain of {length}: {:8.2} µs", median(times.collect()) * 1e6);
}

/// A new fee leaves everything but the order of a cluster as it is.
fn linearize(parents: u64, clusters: usize) {
    let mut pool = Pool::new();
    let mut longest = 0.0_f64;
    let mut times = Vec::new();
    for _ in 0..clusters.max(1) {
        let mut cluster = vec![pool.add(&[])];
        while cluster.len() < 64 {
            cluster.push(pool.add_child(&cluster, parents));
        }
        let (index, fee) = (cluster[0], pool.graph.fee_rate(cluster[0]).fee);
        let time = seconds_of(|| pool.graph.set_fee(black_box(index), fee));
        longest = longest.max(time);
        times.push(time);
    }
    println!(
        "linearize 64 with up to {parents} parents each: {:8.2} µs, at most {:8.2} µs",
        median(times) * 1e6,
        longest * 1e6
    );
}

/// Children that share the debts of parents who pay nothing themselves: where most has to be tried.
fn linearize_two_layers(parents: u64, clusters: usize) {
    let mut times = Vec::new();
    for round in 0..clusters.max(1) {
        let mut pool = Pool::new();
        pool.random = Random(u64::try_from(round).unwrap());
        let layer: Vec<GraphIndex> = (0..32).map(|_| pool.add(&[])).collect();
        for _ in 0..32 {
            pool.add_child(&layer, parents);
        }
        for parent in &layer {
            pool.graph.set_fee(*parent, 0);
        }
        let index = layer[0];
        times.push(seconds_of(|| pool.graph.set_fee(black_box(index), 0)));
    }
    let longest = times.iter().copied().fold(0.0, f64::max);
    println!(
        "linearize 32 with up to {parents} of 32 parents each: {:8.2} µs, at most {:8.2} µs",
        median(times) * 1e6,
        longest * 1e6
    );
}

fn equal_rates(clusters: usize) {
    let mut pool = Pool::new();
    let mut times = Vec::new();
    for _ in 0..clusters.max(1) {
        let mut last = pool.add(&[]);
        pool.graph.set_fee(last, 1_000_000);
        let first = last;
        for order_key in 1..64 {
            let fee_rate = FeeRate::new(1_000, 400);
            let tx = NewTransaction { fee_rate, order_key, parents: &[Parent::Existing(last)] };
            let proposal = pool.graph.propose(&[], &[tx]).unwrap();
            last = pool.graph.apply(proposal)[0];
        }
        times.push(seconds_of(|| pool.graph.set_fee(black_box(first), 1_000_000)));
    }
    println!("linearize a chain of 64 with equal rates: {:8.2} µs", median(times) * 1e6);
}

fn build_block(count: usize) {
    let mut pool = Pool::new();
    let mut cluster = Vec::new();
    for _ in 0..count {
        // Most are alone; the others have clusters of four.
        if cluster.len() == 4 || pool.random.below(3) != 0 {
            cluster.clear();
        }
        let added = if cluster.is_empty() { pool.add(&[]) } else { pool.add_child(&cluster, 2) };
        cluster.push(added);
    }
    let limit = u64::try_from(MAX_BLOCK_WEIGHT).unwrap();
    let mut chosen = Vec::new();
    let times = (0..ROUNDS).map(|_| {
        chosen.clear();
        seconds_of(|| {
            let (mut builder, mut weight, mut failures) = (pool.graph.block_builder(), 0, 0);
            // So does Core's assembler give up when a block is nearly full.
            while let Some(chunk) = builder.current().filter(|_| failures < 1_000) {
                if weight + chunk.fee_rate().size <= limit {
                    weight += chunk.fee_rate().size;
                    chosen.extend(chunk.transactions());
                    builder.include();
                } else {
                    failures += 1;
                    builder.skip();
                }
            }
        })
    });
    let time = median(times.collect());
    println!("choose {} of {count} transactions for a block: {:8.2} µs", chosen.len(), time * 1e6);
    println!("memory for each: {:8.2} bytes", as_f64(pool.graph.memory()) / as_f64(pool.graph.len()));
}

/// The transactions of a block come back, each between a parent and children.
fn reorganise(count: usize) {
    let times = (0..ROUNDS).map(|_| {
        let mut pool = Pool::new();
        let children: Vec<GraphIndex> = (0..count).map(|_| pool.add(&[])).collect();
        seconds_of(|| {
            let mut cluster = Vec::new();
            let mut dependencies = Vec::new();
            for child in &children {
                if cluster.len() == 40 {
                    cluster.clear();
                }
                let added = if cluster.is_empty() { pool.add(&[]) } else { pool.add_child(&cluster, 2) };
                cluster.push(added);
                dependencies.push((added, *child));
            }
            black_box(pool.graph.add_dependencies(&dependencies));
        })
    });
    println!(
        "add {count} transactions in clusters of 40 and join each to a child: {:8.2} µs",
        median(times.collect()) * 1e6
    );
}

/// The upper bits of a linear congruential generator (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 32)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn seconds_of(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
