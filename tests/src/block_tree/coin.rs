//! The coins of one branch that the generator can spend.

use std::collections::HashMap;

use bitcoin::{OutPoint, TxOut};

use super::lock::Lock;
use crate::random::Random;

/// An output whose lock is known.
#[derive(Debug, Clone)]
pub(super) struct LockedCoin {
    pub(super) outpoint: OutPoint,
    pub(super) output: TxOut,
    pub(super) height: u32,
    pub(super) is_coinbase: bool,
    pub(super) lock: Lock,
}

/// A set of coins from which one can be picked at random, the same way in every run.
#[derive(Default)]
pub(super) struct LockedCoins {
    coins: Vec<LockedCoin>,
    positions: HashMap<OutPoint, usize>,
}

impl LockedCoins {
    pub(super) fn insert(&mut self, coin: LockedCoin) {
        let replaced = self.positions.insert(coin.outpoint, self.coins.len());
        assert!(replaced.is_none(), "a coin that exists already: {coin:?}");
        self.coins.push(coin);
    }

    pub(super) fn remove(&mut self, outpoint: &OutPoint) {
        let position = self.positions.remove(outpoint).expect("a coin that exists");
        self.coins.swap_remove(position);
        if let Some(moved) = self.coins.get(position) {
            self.positions.insert(moved.outpoint, position);
        }
    }

    pub(super) fn contains(&self, outpoint: &OutPoint) -> bool {
        self.positions.contains_key(outpoint)
    }

    pub(super) fn pick(&self, rng: &mut Random) -> Option<&LockedCoin> {
        (!self.coins.is_empty()).then(|| &self.coins[rng.below(self.coins.len())])
    }

    /// One of the coins that fulfil a condition.
    pub(super) fn pick_where(&self, rng: &mut Random, condition: impl Fn(&LockedCoin) -> bool) -> Option<&LockedCoin> {
        let fit: Vec<_> = self.coins.iter().filter(|coin| condition(coin)).collect();
        (!fit.is_empty()).then(|| fit[rng.below(fit.len())])
    }
}
