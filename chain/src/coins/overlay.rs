//! Changes on top of a view.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bitcoin::OutPoint;

use super::{Coin, CoinsError, CoinsView, CoinsViewMut};

/// A view with coins added and spent on top of another (Core: `CCoinsViewCache`, `coins.h`).
///
/// The view below stays as it is: [`CoinsOverlay::into_changes`] hands out what is different.
#[derive(Debug)]
pub struct CoinsOverlay<V> {
    below: V,
    /// A coin that was added, or nothing where one was spent.
    changes: HashMap<OutPoint, Option<Coin>>,
}

impl<V: CoinsView> CoinsOverlay<V> {
    /// An overlay without changes.
    pub fn new(below: V) -> Self {
        Self { below, changes: HashMap::new() }
    }

    /// Number of coins that were added or spent.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    /// What is different from the view below: a coin that was added, or nothing where one was spent.
    pub fn into_changes(self) -> HashMap<OutPoint, Option<Coin>> {
        self.changes
    }
}

impl<V: CoinsView> CoinsView for CoinsOverlay<V> {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        match self.changes.get(outpoint) {
            Some(change) => Ok(change.clone()),
            None => self.below.coin(outpoint),
        }
    }
}

impl<V: CoinsView> CoinsViewMut for CoinsOverlay<V> {
    fn add(&mut self, outpoint: OutPoint, coin: Coin) {
        self.changes.insert(outpoint, Some(coin));
    }

    fn overwrite(&mut self, outpoint: OutPoint, coin: Coin) {
        self.add(outpoint, coin);
    }

    fn spend(&mut self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        match self.changes.entry(*outpoint) {
            Entry::Occupied(mut change) => Ok(change.get_mut().take()),
            Entry::Vacant(unchanged) => {
                let coin = self.below.coin(outpoint)?;
                if coin.is_some() {
                    unchanged.insert(None);
                }
                Ok(coin)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Amount;

    fn coin(amount: u64) -> Coin {
        Coin {
            amount: Amount::from_sat(amount),
            script_pubkey: super::super::CoinScript::default(),
            height: 1,
            is_coinbase: false,
        }
    }

    #[test]
    fn a_coin_is_spent_once_and_the_view_below_keeps_it() {
        let outpoint = OutPoint::null();
        let below = HashMap::from([(outpoint, coin(5))]);
        let mut overlay = CoinsOverlay::new(&below);
        assert_eq!(overlay.spend(&outpoint).unwrap(), Some(coin(5)));
        assert_eq!(overlay.spend(&outpoint).unwrap(), None);
        assert!(!overlay.have_coin(&outpoint).unwrap());
        overlay.add(outpoint, coin(6));
        assert_eq!(overlay.coin(&outpoint).unwrap(), Some(coin(6)));
        assert_eq!(overlay.into_changes(), HashMap::from([(outpoint, Some(coin(6)))]));
        assert_eq!(below[&outpoint], coin(5));
    }
}
