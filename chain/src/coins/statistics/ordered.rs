//! Coins in the order of their outpoints, out of scans that have no order, in bounded memory.
//!
//! A first scan weighs the coins for each value of a txid's first two bytes. Each further scan collects the coins of as
//! many of these prefixes as fit the budget, sorts them and hands them out.
//!
//! A prefix may be heavier than the budget: one transaction can have a hundred thousand outputs. Then a scan keeps the
//! lower half of what it has whenever it is full, and the next one goes on from there. That costs scans, not memory.

use std::mem::size_of;

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Txid};
use rayon::slice::ParallelSliceMut;

use super::{Scans, StatisticsError};
use crate::coins::{Coin, INLINE_SCRIPT};

/// Values of a txid's first two bytes.
const PREFIXES: usize = 1 << 16;

/// What the allocator takes for itself, in bytes, with each script that is not held in place.
const ALLOCATION: usize = 16;

/// What a sorted scan keeps of a coin.
pub(super) trait Payload: Send {
    /// Keeps what is needed.
    fn of(coin: &Coin) -> Self;

    /// Bytes it takes outside of itself.
    fn heap_bytes(&self) -> usize;
}

impl Payload for Coin {
    fn of(coin: &Coin) -> Self {
        coin.clone()
    }

    fn heap_bytes(&self) -> usize {
        match self.script_pubkey.as_bytes().len() {
            ..=INLINE_SCRIPT => 0,
            length => length + ALLOCATION,
        }
    }
}

/// Nothing but the outpoint.
impl Payload for () {
    fn of(_: &Coin) -> Self {}

    fn heap_bytes(&self) -> usize {
        0
    }
}

/// A coin that a scan collected.
struct Entry<P> {
    outpoint: OutPoint,
    payload: P,
}

impl<P: Payload> Entry<P> {
    fn new(outpoint: &OutPoint, coin: &Coin) -> Self {
        Self { outpoint: *outpoint, payload: P::of(coin) }
    }

    /// Bytes of memory it takes.
    fn size(&self) -> usize {
        size_of::<Self>() + self.payload.heap_bytes()
    }
}

/// Memory that coins take when they are collected, in bytes, for each prefix of a txid.
pub(super) struct Weights(Vec<usize>);

impl Weights {
    pub(super) fn new() -> Self {
        Self(vec![0; PREFIXES])
    }

    /// Adds the weight of a coin of which `P` is kept.
    pub(super) fn add<P: Payload>(&mut self, outpoint: &OutPoint, coin: &Coin) {
        let weight = &mut self.0[prefix(outpoint)];
        *weight = weight.saturating_add(Entry::<P>::new(outpoint, coin).size());
    }

    /// The range that one scan collects from `start` on: as many prefixes as fit the budget, and at least one.
    fn range(&self, start: OutPoint, budget: usize) -> Range {
        let mut size = 0usize;
        for (prefix, &weight) in self.0.iter().enumerate().skip(prefix(&start)) {
            if size > 0 && size.saturating_add(weight) > budget {
                return Range { start, end: Some(first_of(prefix)), size };
            }
            size = size.saturating_add(weight);
        }
        Range { start, end: None, size }
    }

    /// How many scans it takes from `start` on.
    fn scans(&self, mut start: OutPoint, budget: usize) -> u64 {
        let mut scans = 0;
        loop {
            let range = self.range(start, budget);
            let needed = range.size.div_ceil(budget.max(1)).max(1);
            scans += u64::try_from(needed).unwrap_or(u64::MAX);
            match range.end {
                Some(end) => start = end,
                None => return scans,
            }
        }
    }
}

/// The outpoints from `start` up to but without `end`; without an end, all of them.
struct Range {
    start: OutPoint,
    end: Option<OutPoint>,
    /// Memory its coins take, in bytes, or more.
    size: usize,
}

impl Range {
    fn contains(&self, outpoint: &OutPoint) -> bool {
        *outpoint >= self.start && self.end.is_none_or(|end| *outpoint < end)
    }
}

/// The first two bytes of an outpoint's txid.
fn prefix(outpoint: &OutPoint) -> usize {
    let [first, second, ..] = outpoint.txid.to_byte_array();
    usize::from(u16::from_be_bytes([first, second]))
}

/// The lowest outpoint with a prefix.
fn first_of(prefix: usize) -> OutPoint {
    let prefix = u16::try_from(prefix).expect("there are 2^16 prefixes");
    let mut txid = [0; 32];
    txid[..2].copy_from_slice(&prefix.to_be_bytes());
    OutPoint { txid: Txid::from_byte_array(txid), vout: 0 }
}

/// Visits all coins, whose weights are `weights`, in the order of their txids as bytes, then of their output numbers. That
/// is Core's order: its database sorts by txid, and it sorts the outputs of each transaction.
pub(super) fn visit_in_order<P: Payload>(
    scans: &mut Scans<'_>,
    weights: &Weights,
    budget: usize,
    mut visit: impl FnMut(&OutPoint, &P),
) -> Result<(), StatisticsError> {
    let mut collection = Collection::<P>::new(budget);
    let mut start = first_of(0);
    loop {
        scans.expect_scans(weights.scans(start, budget));
        collection.restart(weights.range(start, budget));
        scans.scan(|outpoint, coin| collection.offer(outpoint, coin))?;
        for entry in collection.sorted() {
            visit(&entry.outpoint, &entry.payload);
        }
        match collection.range.end {
            Some(end) => start = end,
            None => return Ok(()),
        }
    }
}

/// The lowest coins of a range, as many as fit the budget. It may be exceeded by one coin, so that there always is one.
struct Collection<P> {
    range: Range,
    entries: Vec<Entry<P>>,
    /// Memory the entries take, in bytes.
    size: usize,
    budget: usize,
}

impl<P: Payload> Collection<P> {
    fn new(budget: usize) -> Self {
        Self { range: Range { start: first_of(0), end: None, size: 0 }, entries: Vec::new(), size: 0, budget }
    }

    /// Forgets what was collected and starts on a range.
    fn restart(&mut self, range: Range) {
        self.entries.clear();
        self.size = 0;
        // A vector that grows on its own would take twice its size for a moment.
        self.entries.reserve_exact(range.size.min(self.budget) / size_of::<Entry<P>>());
        self.range = range;
    }

    /// Takes a coin if the range holds it, and when that is one too many, ends the range earlier.
    fn offer(&mut self, outpoint: &OutPoint, coin: &Coin) {
        if !self.range.contains(outpoint) {
            return;
        }
        let entry = Entry::new(outpoint, coin);
        if self.size + entry.size() > self.budget {
            self.halve();
            if !self.range.contains(outpoint) {
                return;
            }
        }
        self.size += entry.size();
        self.entries.push(entry);
    }

    /// Gives the upper half up for a later scan.
    fn halve(&mut self) {
        self.sort();
        // A scan that repeats itself breaks its promise, but must not keep us from getting on.
        self.entries.dedup_by_key(|entry| entry.outpoint);
        let half = self.entries.len() / 2;
        if half > 0 {
            self.range.end = Some(self.entries[half].outpoint);
            self.entries.truncate(half);
        }
        self.size = self.entries.iter().map(Entry::size).sum();
    }

    fn sort(&mut self) {
        self.entries.par_sort_unstable_by_key(|entry| entry.outpoint);
    }

    /// What was collected, in order.
    fn sorted(&mut self) -> &[Entry<P>] {
        self.sort();
        &self.entries
    }
}
