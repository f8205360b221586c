//! Whether the pool agrees with itself and with the chain.

use std::collections::{BTreeSet, HashMap, HashSet};

use bitcoin::OutPoint;
use thiserror::Error;

use super::graph::bounded;
use super::{GraphIndex, Mempool, MempoolEntry};
use crate::chainstate::Chainstate;
use crate::coins::Coin;
use crate::header_chain::HeaderChain;
use crate::validation::{check_transaction_inputs, is_final};

/// What the pool says twice, and not the same.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the pool contradicts itself: {0}")]
pub struct Inconsistency(String);

/// Fails with a message unless something holds.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err(Inconsistency(format!($($message)+)));
        }
    };
}

impl Mempool {
    /// Compares everything the pool knows with everything else, and with the chain (Core: `CTxMemPool::check`,
    /// `txmempool.cpp`). This takes long: it is for tests, and for those who look for a fault.
    ///
    /// # Errors
    ///
    /// The first contradiction that is found.
    pub fn check_consistency(&self, chain: &Chainstate) -> Result<(), Inconsistency> {
        self.check_maps()?;
        self.check_totals()?;
        self.check_coins(chain)?;
        self.check_chunks()?;
        self.check_relatives()
    }

    /// Every map holds the same transactions.
    fn check_maps(&self) -> Result<(), Inconsistency> {
        let count = self.len();
        let slots = self.entries().count();
        ensure!(slots == count, "{slots} transactions, {count} txids");
        let index = self.indices();
        let others = [index.by_wtxid.len(), index.by_time.len(), self.graph.len()];
        ensure!(others == [count; 3], "{count} txids; wtxids, times and handles are {others:?}");
        let mut inputs = 0;
        for (handle, entry) in self.entries_with_indices() {
            let txid = entry.tx().txid();
            ensure!(self.graph.contains(handle), "{txid} is not in the graph");
            ensure!(index.by_wtxid.get(&entry.tx().wtxid()) == Some(&handle), "{txid} is not found by its wtxid");
            ensure!(index.by_time.contains(&(entry.time, handle)), "{txid} is not found by its time");
            for input in entry.tx().inputs() {
                let spender = self.spender_index(&input.prevout());
                ensure!(spender == Some(handle), "{} is not known to be spent by {txid}", input.prevout());
                inputs += 1;
            }
            let delta = self.deltas.get(&txid).copied().unwrap_or(0);
            ensure!(entry.fee_delta == delta, "{txid} counts {} more, and should {delta}", entry.fee_delta);
            let (got, expected) = (self.graph.fee_rate(handle), bounded(entry.weight_rate()));
            ensure!(got == expected, "{txid} is {got:?} in the graph, and should be {expected:?}");
        }
        ensure!(index.spenders.len() == inputs, "{} coins are spent by {inputs} inputs", index.spenders.len());
        let stray = self.unbroadcast.iter().find(|txid| !self.contains(txid));
        ensure!(stray.is_none(), "{stray:?} waits to be sent and is not here");
        let neutral = self.deltas.iter().find(|(_, delta)| **delta == 0);
        ensure!(neutral.is_none(), "{neutral:?} changes nothing");
        Ok(())
    }

    /// Every total is the sum of its parts.
    fn check_totals(&self) -> Result<(), Inconsistency> {
        let sum = |part: fn(&MempoolEntry) -> u64| self.entries().map(part).sum::<u64>();
        let (got, expected) = (self.virtual_bytes(), sum(|entry| entry.virtual_size() as u64));
        ensure!(got == expected, "{got} virtual bytes, and {expected} by transaction");
        let (got, expected) = (self.total_fee(), sum(|entry| entry.base_fee.to_sat()));
        ensure!(got == expected, "{got} satoshis of fees, and {expected} by transaction");
        let (got, expected) = (self.indices().entry_memory, self.entries().map(super::pool::memory_of).sum());
        ensure!(got == expected, "{got} bytes of memory, and {expected} by transaction");
        Ok(())
    }

    /// All transactions, in the order in which they would be mined, can be in the next block.
    fn check_coins(&self, chain: &Chainstate) -> Result<(), Inconsistency> {
        let headers = chain.active_chain();
        let height = headers.height() + 1;
        let mut created: HashMap<OutPoint, Coin> = HashMap::new();
        let mut spent: HashSet<OutPoint> = HashSet::new();
        let mut last: Option<GraphIndex> = None;
        let mut count = 0;
        for entry in self.entries_by_mining_order() {
            let tx = entry.tx();
            let txid = tx.txid();
            let mut coins = Vec::with_capacity(tx.input_count());
            for outpoint in tx.inputs().map(|input| input.prevout()) {
                ensure!(spent.insert(outpoint), "{outpoint} is spent twice, the second time by {txid}");
                let coin = if self.contains(&outpoint.txid) {
                    created.get(&outpoint).cloned()
                } else {
                    chain.coin(&outpoint).map_err(|error| Inconsistency(error.to_string()))?
                };
                let Some(coin) = coin else {
                    return Err(Inconsistency(format!("{txid} spends {outpoint}, which is not there before it")));
                };
                coins.push(coin);
            }
            let fee = check_transaction_inputs(tx, &coins, height)
                .map_err(|error| Inconsistency(format!("{txid}: {error}")))?;
            ensure!(fee == entry.base_fee, "{txid} pays {fee}, and counts as {}", entry.base_fee);
            ensure!(is_final(tx, height, headers.median_time_past()), "{txid} is not final");
            ensure!(entry.lock_points.locks.are_met_after(&headers), "{txid} is locked");
            created.extend(crate::coins::created_coins(tx, height));
            let handle = self.index_of(&txid);
            let ordered = last.zip(handle).is_none_or(|(last, next)| self.graph.compare_main_order(last, next).is_lt());
            ensure!(ordered, "{txid} is offered too late");
            last = handle;
            count += 1;
        }
        ensure!(count == self.len(), "{count} of {} transactions are offered to miners", self.len());
        Ok(())
    }

    /// Chunks go from best to worst, and hold what their transactions pay and weigh.
    fn check_chunks(&self) -> Result<(), Inconsistency> {
        let mut builder = self.graph.block_builder();
        let mut last = None;
        while let Some(chunk) = builder.current() {
            let rate = chunk.fee_rate();
            let sum = chunk.transactions().map(|index| bounded(self.entry(index).weight_rate())).sum();
            ensure!(rate == sum, "a chunk of {rate:?} has transactions of {sum:?}");
            let sorted = last.is_none_or(|last: super::FeeRate| last.cmp_rate(rate).is_ge());
            ensure!(sorted, "{rate:?} is offered behind {last:?}");
            last = Some(rate);
            builder.include();
        }
        Ok(())
    }

    /// The graph knows the relatives that inputs tell of, and no others.
    fn check_relatives(&self) -> Result<(), Inconsistency> {
        let mut ancestors: HashMap<GraphIndex, BTreeSet<GraphIndex>> = HashMap::new();
        let mut descendants: HashMap<GraphIndex, BTreeSet<GraphIndex>> = HashMap::new();
        for entry in self.entries_by_mining_order() {
            let Some(index) = self.index_of(&entry.tx().txid()) else { continue };
            let mut own = BTreeSet::from([index]);
            for parent in self.parents_of(&entry.transaction) {
                own.extend(ancestors.get(&parent).into_iter().flatten());
            }
            for ancestor in &own {
                descendants.entry(*ancestor).or_default().insert(index);
            }
            ancestors.insert(index, own);
        }
        for (index, entry) in self.entries_with_indices() {
            let txid = entry.tx().txid();
            let got: BTreeSet<_> = self.graph.ancestors(index).into_iter().collect();
            ensure!(ancestors.get(&index) == Some(&got), "{txid} has other ancestors than the graph says");
            let got: BTreeSet<_> = self.graph.descendants(index).into_iter().collect();
            ensure!(descendants.get(&index) == Some(&got), "{txid} has other descendants than the graph says");
            let got: BTreeSet<_> = self.graph.cluster(index).into_iter().collect();
            ensure!(self.connected(index) == got, "{txid} hangs together with others than the graph says");
            let size: u64 = got.iter().map(|&member| self.entry(member).weight_rate().size).sum();
            let limits = self.graph.limits();
            ensure!(got.len() <= limits.count && size <= limits.size, "the cluster of {txid} is too large");
        }
        Ok(())
    }

    /// Everything that hangs together with a transaction.
    fn connected(&self, index: GraphIndex) -> BTreeSet<GraphIndex> {
        let mut found = BTreeSet::from([index]);
        let mut open = vec![index];
        while let Some(index) = open.pop() {
            let transaction = &self.entry(index).transaction;
            for relative in self.parents_of(transaction).into_iter().chain(self.children_of(transaction)) {
                if found.insert(relative) {
                    open.push(relative);
                }
            }
        }
        found
    }
}
