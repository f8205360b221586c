//! What is counted of a block.

use bitcoin::BlockHash;
use cairn_chain::chainstate::BlockReference;
use cairn_chain::coins::Coin;
use cairn_chain::params::ConsensusParams;
use cairn_chain::primitives::{Block, TransactionRef, WITNESS_SCALE_FACTOR};
use cairn_chain::script::is_unspendable;
use cairn_chain::validation::block_subsidy;
use serde::Serialize;

use crate::rpc::DisplayString;

/// Bytes of an unspent output in a set of them beyond the output itself: what it is named by, and height and coinbase flag
/// (Core: `PER_UTXO_OVERHEAD`, `rpc/blockchain.cpp`).
const PER_UTXO_OVERHEAD: i64 = 36 + 4;

/// Shares of the weight whose fee rates are shown, in hundredths (Core: `CalculatePercentilesByWeight`).
const PERCENTILES: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];

/// What the chain knows of a block.
#[derive(Debug, Clone)]
pub(super) struct BlockFacts {
    hash: BlockHash,
    height: u32,
    median_time: u32,
    /// What it may create, in satoshis.
    subsidy: u64,
    /// Whether its coinbase adds nothing to the set of coins: it repeats another's.
    repeats_coinbase: bool,
}

impl BlockFacts {
    /// Of a block with this median time, in seconds since 1970.
    pub(super) fn of(block: &BlockReference, median_time: u32, params: &ConsensusParams) -> Self {
        Self {
            hash: block.hash,
            height: block.height,
            median_time,
            subsidy: block_subsidy(block.height, params).to_sat(),
            repeats_coinbase: params.is_bip30_repeat(block.height, &block.hash),
        }
    }
}

/// All statistics, amounts in satoshis, sizes in bytes, rates in satoshis per virtual byte.
#[derive(Debug, Serialize)]
pub(super) struct BlockStatistics {
    avgfee: i64,
    avgfeerate: i64,
    avgtxsize: i64,
    blockhash: DisplayString<BlockHash>,
    feerate_percentiles: [i64; PERCENTILES.len()],
    height: u32,
    ins: i64,
    maxfee: i64,
    maxfeerate: i64,
    maxtxsize: i64,
    medianfee: i64,
    mediantime: u32,
    mediantxsize: i64,
    minfee: i64,
    minfeerate: i64,
    mintxsize: i64,
    outs: i64,
    subsidy: u64,
    swtotal_size: i64,
    swtotal_weight: i64,
    swtxs: i64,
    time: u32,
    total_out: i64,
    total_size: i64,
    total_weight: i64,
    totalfee: i64,
    txs: i64,
    utxo_increase: i64,
    utxo_size_inc: i64,
    utxo_increase_actual: i64,
    utxo_size_inc_actual: i64,
}

/// What is known of each transaction but the coinbase, in parallel.
#[derive(Default)]
struct Lists {
    fees: Vec<i64>,
    sizes: Vec<i64>,
    /// Rates, with the weight each holds for.
    rates: Vec<(i64, i64)>,
}

/// What comes and goes in the set of coins.
#[derive(Default)]
struct CoinChanges {
    outputs: i64,
    size: i64,
    spendable_outputs: i64,
    spendable_size: i64,
}

impl BlockStatistics {
    /// Counts a block that spent these coins: one for each input, the coinbase's left out.
    pub(super) fn count(block: &Block, spent: &[Coin], facts: BlockFacts) -> Self {
        let mut lists = Lists::default();
        let mut coins = CoinChanges::default();
        let (mut segwit, mut segwit_size, mut segwit_weight, mut total_out) = (0, 0, 0, 0);
        let mut left = spent;
        for (index, transaction) in block.transactions().enumerate() {
            let is_coinbase = index == 0;
            let adds_nothing = facts.height == 0 || (is_coinbase && facts.repeats_coinbase);
            let created = coins.create(transaction, adds_nothing);
            if is_coinbase {
                continue;
            }
            total_out += created;
            let (size, weight) = (signed(transaction.total_size()), signed(transaction.weight()));
            if transaction.has_witness() {
                segwit += 1;
                segwit_size += size;
                segwit_weight += weight;
            }
            let (its, rest) = left.split_at(transaction.input_count());
            left = rest;
            let fee = coins.spend(its) - created;
            lists.fees.push(fee);
            lists.sizes.push(size);
            lists.rates.push((virtual_rate(fee, weight), weight));
        }
        let (inputs, transactions) = (signed(spent.len()), signed(lists.fees.len()));
        let (total_fee, total_size): (i64, i64) = (lists.fees.iter().sum(), lists.sizes.iter().sum());
        let total_weight = lists.rates.iter().map(|(_, weight)| weight).sum();
        let rates: Vec<i64> = lists.rates.iter().map(|(rate, _)| *rate).collect();
        let average = |total: i64| total.checked_div(transactions).unwrap_or(0);
        Self {
            avgfee: average(total_fee),
            avgfeerate: virtual_rate(total_fee, total_weight),
            avgtxsize: average(total_size),
            blockhash: DisplayString(facts.hash),
            feerate_percentiles: percentiles_by_weight(&mut lists.rates, total_weight),
            height: facts.height,
            ins: inputs,
            maxfee: highest(&lists.fees),
            maxfeerate: highest(&rates),
            maxtxsize: highest(&lists.sizes),
            minfee: lowest(&lists.fees),
            minfeerate: lowest(&rates),
            mintxsize: lowest(&lists.sizes),
            medianfee: truncated_median(&mut lists.fees),
            mediantime: facts.median_time,
            mediantxsize: truncated_median(&mut lists.sizes),
            outs: coins.outputs,
            subsidy: facts.subsidy,
            swtotal_size: segwit_size,
            swtotal_weight: segwit_weight,
            swtxs: segwit,
            time: block.header().time,
            total_out,
            total_size,
            total_weight,
            totalfee: total_fee,
            txs: transactions + 1,
            utxo_increase: coins.outputs - inputs,
            utxo_size_inc: coins.size,
            utxo_increase_actual: coins.spendable_outputs - inputs,
            utxo_size_inc_actual: coins.spendable_size,
        }
    }
}

impl CoinChanges {
    /// Counts the outputs of a transaction, and returns what they hold in all.
    fn create(&mut self, transaction: TransactionRef<'_>, adds_nothing: bool) -> i64 {
        let mut created = 0;
        for output in transaction.outputs() {
            let script = output.script_pubkey().as_bytes();
            created += output.value();
            let size = size_in_set(script);
            self.outputs += 1;
            self.size += size;
            if !adds_nothing && !is_unspendable(script) {
                self.spendable_outputs += 1;
                self.spendable_size += size;
            }
        }
        created
    }

    /// Counts coins that go, and returns what they held in all.
    fn spend(&mut self, coins: &[Coin]) -> i64 {
        let size: i64 = coins.iter().map(|coin| size_in_set(coin.script_pubkey.as_bytes())).sum();
        self.size -= size;
        self.spendable_size -= size;
        let spent: u64 = coins.iter().map(|coin| coin.amount.to_sat()).sum();
        i64::try_from(spent).unwrap_or(i64::MAX)
    }
}

/// Bytes of an unspent output with this script.
fn size_in_set(script: &[u8]) -> i64 {
    let length_of_length = match script.len() {
        ..=0xfc => 1,
        0xfd..=0xffff => 3,
        _ => 5,
    };
    8 + length_of_length + signed(script.len()) + PER_UTXO_OVERHEAD
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Satoshis per virtual byte, rounded down.
fn virtual_rate(fee: i64, weight: i64) -> i64 {
    (fee * signed(WITNESS_SCALE_FACTOR)).checked_div(weight).unwrap_or(0)
}

fn highest(values: &[i64]) -> i64 {
    values.iter().copied().max().unwrap_or(0)
}

fn lowest(values: &[i64]) -> i64 {
    values.iter().copied().min().unwrap_or(0)
}

/// Of an even number of values, the mean of the middle two, rounded down (Core: `CalculateTruncatedMedian`).
fn truncated_median(values: &mut [i64]) -> i64 {
    values.sort_unstable();
    let middle = values.len() / 2;
    match values.len() {
        0 => 0,
        even if even % 2 == 0 => (values[middle - 1] + values[middle]) / 2,
        _ => values[middle],
    }
}

/// The rates at which so much of the weight has no higher rate (Core: `CalculatePercentilesByWeight`).
fn percentiles_by_weight(rates: &mut [(i64, i64)], total_weight: i64) -> [i64; PERCENTILES.len()] {
    rates.sort_unstable();
    // As in Core, which divides by ten and by four, and multiplies first where it does.
    let total = total_weight as f64;
    let limits = [total / 10.0, total / 4.0, total / 2.0, (total * 3.0) / 4.0, (total * 9.0) / 10.0];
    let mut weight = 0;
    let mut reached = rates.iter().map(|(rate, its)| {
        weight += its;
        (*rate, weight as f64)
    });
    let mut current = reached.next();
    limits.map(|limit| {
        while let Some((_, weight)) = current
            && weight < limit
        {
            current = reached.next();
        }
        current.map_or_else(|| rates.last().map_or(0, |(rate, _)| *rate), |(rate, _)| rate)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `rpc_tests.cpp` of Core.
    #[test]
    fn percentiles_of_cores_tests() {
        let halves: Vec<_> = [1, 2].into_iter().flat_map(|rate| std::iter::repeat_n((rate, 1), 100)).collect();
        type Case<'a> = (&'a [(i64, i64)], i64, [i64; 5]);
        let cases: [Case<'_>; 4] = [
            (&halves, 200, [1, 1, 1, 2, 2]),
            (&[(1, 9), (2, 16), (4, 50), (5, 10), (9, 15)], 100, [2, 2, 4, 4, 9]),
            (&[(1, 9), (2, 11), (2, 5), (4, 50), (5, 10), (9, 15)], 100, [2, 2, 4, 4, 9]),
            (&[(1, 100), (2, 1), (3, 1), (3, 1), (999_999, 1)], 104, [1; 5]),
        ];
        for (rates, total, expected) in cases {
            let mut unsorted: Vec<_> = rates.iter().rev().copied().collect();
            assert_eq!(percentiles_by_weight(&mut unsorted, total), expected);
        }
        assert_eq!(percentiles_by_weight(&mut [], 0), [0; 5]);
    }

    #[test]
    fn medians_are_truncated() {
        for (values, expected) in [(&[][..], 0), (&[7], 7), (&[4, 1], 2), (&[9, 1, 5], 5), (&[1, 2, 4, 9], 3)] {
            assert_eq!(truncated_median(&mut values.to_vec()), expected);
        }
    }

    #[test]
    fn sizes_of_outputs_count_the_length_of_their_length() {
        assert_eq!([0, 25, 252, 253, 65_535].map(|length| size_in_set(&vec![0; length])), [49, 74, 301, 304, 65_586]);
        assert_eq!(size_in_set(&vec![0; 65_536]), 65_589);
    }
}
